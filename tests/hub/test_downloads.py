"""Downloads against a Hub on loopback: whole and checked, paused and gone on with, broken and taken up again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.errors import (
    DiskTooSmall,
    DownloadBroken,
    DownloadDamaged,
    DownloadRunning,
    FolderUnusable,
    HubGated,
    HubOffline,
    LocalOnly,
    ModelFileInvalid,
    NotThere,
    PartsMissing,
)
from core.gguf import reader
from core.hub import transfer
from core.hub.client import Hub
from core.hub.downloads import AT_ONCE, Download, Downloads
from core.jobs import Jobs
from core.models.catalog import Catalog
from core.settings import Settings
from tests.e2e.serving import until
from tests.hub.local_hub import Fault, LocalHub, Repo
from tests.hub.test_client import NothingLeaves

ME, OTHER = "person", "somebody else"
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken connection is taken up again at once; how often is as it is."""
    monkeypatch.setattr(transfer, "LONGEST_WAIT_S", 0)


def begin(downloads: Downloads, hub: Hub, id: str = "org/tiny-GGUF", label: str | None = None) -> Download:
    repository = hub.repository(id)
    variant = repository.variant(label) if label else repository.variants[0]
    assert variant is not None
    return downloads.start(ME, repository, variant)


def ended(downloads: Downloads, id: str) -> Download:
    """The download when nothing of it runs any more."""
    assert downloads.job(ME, id).wait(PATIENCE_S)
    return next(one for one in downloads.list(ME) if one.id == id)


def files(settings: Settings) -> set[str]:
    """What lies in the models folder, but for the plans."""
    found = (path.relative_to(settings.models) for path in settings.models.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != ".downloads"}


def test_a_download_becomes_a_model(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, model: bytes
) -> None:
    done = ended(downloads, begin(downloads, hub).id)
    assert (done.state, done.done, done.size, done.error) == ("done", len(model), len(model), None)
    assert done.path == settings.models / "org" / "tiny-GGUF" / "tiny-F32.gguf"
    assert done.path.read_bytes() == model and files(settings) == {"org/tiny-GGUF/tiny-F32.gguf"}
    assert str(done.path) in [info.id for info in Catalog(settings).models()]
    variant = hub.repository(repo.id).variants[0]
    assert downloads.here(repo.id, variant) == done.path
    downloads.dismiss(ME, done.id)
    assert downloads.list(ME) == []


def test_a_broken_connection_is_taken_up_where_it_broke(
    repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub, model: bytes
) -> None:
    repo.fault = Fault(times=3, cut_after=20_000)
    done = ended(downloads, begin(downloads, hub).id)
    assert done.state == "done" and done.path is not None and done.path.read_bytes() == model
    assert local.ranges("tiny-F32.gguf") == ["", "bytes=20000-", "bytes=40000-", "bytes=60000-"]


def test_a_connection_that_brings_nothing_is_given_up_and_gone_on_with(
    repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub, settings: Settings, model: bytes
) -> None:
    repo.fault = Fault(cut_at=30_000)
    failed = ended(downloads, begin(downloads, hub).id)
    assert failed.state == "failed" and isinstance(failed.error, DownloadBroken) and failed.done == 30_000
    assert local.ranges("tiny-F32.gguf") == ["", *["bytes=30000-"] * (transfer.TRIES - 1)]
    assert files(settings) == {"org/tiny-GGUF/tiny-F32.gguf.part"}
    assert Catalog(settings).models()[1:] == [] and Catalog(settings).damaged() == []
    repo.fault = Fault(times=0)
    downloads.resume(ME, failed.id)
    done = ended(downloads, failed.id)
    assert done.state == "done" and done.path is not None and done.path.read_bytes() == model


def left_behind(repo: Repo, settings: Settings, count: int) -> None:
    """So many bytes of the file, as an earlier download left them."""
    part = settings.models / repo.id / "tiny-F32.gguf.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(repo.files["tiny-F32.gguf"][:count])


def test_a_server_without_ranges_sends_it_anew(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, local: LocalHub, model: bytes
) -> None:
    left_behind(repo, settings, 20_000)
    repo.fault = Fault(no_ranges=True)
    done = ended(downloads, begin(downloads, hub).id)
    assert done.state == "done" and done.path is not None and done.path.read_bytes() == model
    assert local.ranges("tiny-F32.gguf") == ["bytes=20000-"]


def test_a_busy_hub_is_waited_for(repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub) -> None:
    repo.fault = Fault(times=2, status=429, headers={"Retry-After": "1"})
    assert ended(downloads, begin(downloads, hub).id).state == "done"
    assert len(local.ranges("tiny-F32.gguf")) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(garbled=True), DownloadDamaged),
        (Fault(too_long=True), DownloadDamaged),
    ],
)
def test_what_is_not_what_the_hub_has_is_deleted(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, fault: Fault, error: type[Exception]
) -> None:
    repo.fault = fault
    failed = ended(downloads, begin(downloads, hub).id)
    assert failed.state == "failed" and isinstance(failed.error, error) and files(settings) == set()


def test_another_part_than_was_asked_for_is_refused(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings
) -> None:
    left_behind(repo, settings, 10_000)
    repo.fault = Fault(shifted=True)
    failed = ended(downloads, begin(downloads, hub).id)
    assert isinstance(failed.error, DownloadDamaged)


def test_a_file_that_is_no_model_never_becomes_one(
    local: LocalHub, downloads: Downloads, hub: Hub, settings: Settings
) -> None:
    local.add(Repo("evil/x", {"x.gguf": b"GGUF" + b"\xff" * 5000}))
    failed = ended(downloads, begin(downloads, hub, "evil/x").id)
    assert isinstance(failed.error, ModelFileInvalid) and files(settings) == set()


def paused(downloads: Downloads, hub: Hub, repo: Repo) -> Download:
    """A download that was paused when some of it had come."""
    repo.fault = Fault(times=1, pause_s=0.3)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].done > 0)
    downloads.pause(ME, begun.id)
    return ended(downloads, begun.id)


def test_pause_keeps_what_came_and_going_on_asks_for_the_rest(
    repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub, model: bytes
) -> None:
    half = paused(downloads, hub, repo)
    assert half.state == "paused" and 0 < half.done < len(model)
    downloads.resume(ME, half.id)
    done = ended(downloads, half.id)
    assert done.path is not None and done.path.read_bytes() == model
    assert local.ranges("tiny-F32.gguf") == ["", f"bytes={half.done}-"]


def test_after_a_restart_it_is_there_paused_and_goes_on(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, local: LocalHub, jobs: Jobs, model: bytes
) -> None:
    half = paused(downloads, hub, repo)
    anew = Downloads(hub, settings.models, jobs)
    assert [(one.id, one.state, one.done) for one in anew.list(ME)] == [(half.id, "paused", half.done)]
    anew.resume(ME, half.id)
    assert ended(anew, half.id).state == "done"
    assert local.ranges("tiny-F32.gguf")[-1] == f"bytes={half.done}-"


def test_what_was_altered_on_the_disk_meanwhile_is_noticed(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings
) -> None:
    half = paused(downloads, hub, repo)
    part = settings.models / "org/tiny-GGUF/tiny-F32.gguf.part"
    part.write_bytes(b"\0" + part.read_bytes()[1:])
    downloads.resume(ME, half.id)
    assert isinstance(ended(downloads, half.id).error, DownloadDamaged)


def test_stop_deletes_what_came(repo: Repo, downloads: Downloads, hub: Hub, settings: Settings) -> None:
    repo.fault = Fault(pause_s=0.3)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].done > 0)
    job = downloads.job(ME, begun.id)
    downloads.stop(ME, begun.id)
    assert job.wait(PATIENCE_S)
    assert downloads.list(ME) == [] and files(settings) == set()
    assert not (settings.models / "org").exists()


def test_a_paused_one_is_stopped_too(repo: Repo, downloads: Downloads, hub: Hub, settings: Settings) -> None:
    half = paused(downloads, hub, repo)
    downloads.stop(ME, half.id)
    assert downloads.list(ME) == [] and files(settings) == set()


def test_a_split_model_is_one_download_and_gets_its_names_together(
    local: LocalHub, downloads: Downloads, hub: Hub, settings: Settings, parts: dict[str, bytes]
) -> None:
    repo = local.add(Repo("org/split", parts))
    first, second = parts
    repo.fault = Fault(times=1)
    begun = begin(downloads, hub, "org/split")
    until(lambda: local.ranges(second) or downloads.list(ME)[0].state == "done")
    done = ended(downloads, begun.id)
    assert done.size == sum(map(len, parts.values())) and files(settings) == {f"org/split/{n}" for n in (first, second)}
    assert done.path is not None and len(reader.read(done.path).parts) == 1


def test_half_of_a_split_model_is_no_model(
    local: LocalHub, downloads: Downloads, hub: Hub, settings: Settings, parts: dict[str, bytes]
) -> None:
    first, second = parts
    repo = local.add(Repo("org/split", parts))
    opened = hub.repository("org/split")
    del repo.files[second]
    begun = downloads.start(ME, opened, opened.variants[0])
    assert ended(downloads, begun.id).state == "failed"
    assert files(settings) == {f"org/split/{first}.part", f"org/split/{second}.part"}
    assert Catalog(settings).models()[1:] == [] and Catalog(settings).damaged() == []


def test_a_set_with_a_missing_part_is_refused(
    local: LocalHub, downloads: Downloads, hub: Hub, parts: dict[str, bytes]
) -> None:
    name = next(iter(parts))
    local.add(Repo("org/split", {name: parts[name]}))
    with pytest.raises(PartsMissing):
        begin(downloads, hub, "org/split")


def test_several_at_once_and_no_more_than_that(local: LocalHub, downloads: Downloads, hub: Hub, model: bytes) -> None:
    repo = Repo("org/many", {f"m-Q{n}_0.gguf": model for n in range(1, AT_ONCE + 3)}, fault=Fault(pause_s=0.3))
    local.add(repo)
    opened = hub.repository("org/many")
    begun = [downloads.start(ME, opened, variant) for variant in opened.variants]
    until(lambda: sum(bool(local.ranges(name)) for name in repo.files) == AT_ONCE)
    until(lambda: [one.note for one in downloads.list(ME)].count("Waiting for another download") == 2)
    assert sum(bool(local.ranges(name)) for name in repo.files) == AT_ONCE and downloads.running(ME)
    repo.fault.pause_s = 0
    assert {ended(downloads, one.id).state for one in begun} == {"done"}


def test_the_same_file_is_not_downloaded_twice(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, jobs: Jobs
) -> None:
    repo.fault = Fault(pause_s=0.3)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].done > 0)
    assert begin(downloads, hub).id == begun.id and len(downloads.list(ME)) == 1
    opened = hub.repository(repo.id)
    with pytest.raises(DownloadRunning):
        downloads.start(OTHER, opened, opened.variants[0])
    another_program = Downloads(hub, settings.models, jobs)
    another_program.resume(ME, begun.id)
    assert isinstance(ended(another_program, begun.id).error, DownloadRunning)
    downloads.stop(ME, begun.id)


def test_nobody_sees_or_stops_another_s(repo: Repo, downloads: Downloads, hub: Hub) -> None:
    half = paused(downloads, hub, repo)
    assert downloads.list(OTHER) == []
    for act in (downloads.pause, downloads.stop, downloads.resume):
        with pytest.raises(NotThere):
            act(OTHER, half.id)
    assert downloads.list(ME) == [half]


def test_a_disk_too_small_is_said_before(repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub) -> None:
    repo.sizes["tiny-F32.gguf"] = 10**15
    with pytest.raises(DiskTooSmall) as small:
        begin(downloads, hub)
    assert small.value.values["needed_gb"] == 1_000_000 and local.ranges("tiny-F32.gguf") == []
    assert downloads.list(ME) == []


def test_a_folder_that_is_none_is_said(repo: Repo, downloads: Downloads, hub: Hub, settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    settings.models.write_bytes(b"a file where the folder should be")
    with pytest.raises(FolderUnusable):
        begin(downloads, hub)


def test_a_repository_folder_that_is_a_file_is_said(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings
) -> None:
    settings.models.mkdir(parents=True)
    (settings.models / "org").write_bytes(b"")
    assert isinstance(ended(downloads, begin(downloads, hub).id).error, FolderUnusable)


def test_what_is_gated_is_explained(repo: Repo, downloads: Downloads, hub: Hub) -> None:
    repo.gated = "auto"
    assert isinstance(ended(downloads, begin(downloads, hub).id).error, HubGated)


def test_a_changed_file_begins_anew(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, model: bytes
) -> None:
    half = paused(downloads, hub, repo)
    repo.files["tiny-F32.gguf"], repo.commit = model[:-4] + b"new!", "d" * 40
    begin(downloads, Hub(settings))
    done = ended(downloads, half.id)
    assert done.state == "done" and done.path is not None and done.path.read_bytes()[-4:] == b"new!"


def test_what_may_not_be_asked_is_not_downloaded(repo: Repo, hub: Hub, settings: Settings, jobs: Jobs) -> None:
    opened = hub.repository(repo.id)
    elsewhere = Downloads(Hub(Settings(home=settings.home, hub="https://hub.example.org")), settings.models, jobs)
    with pytest.raises(LocalOnly):
        elsewhere.start(ME, opened, opened.variants[0], NothingLeaves())
    offline = Downloads(Hub(Settings(home=settings.home, hub=hub.endpoint, hub_offline=True)), settings.models, jobs)
    with pytest.raises(HubOffline):
        offline.start(ME, opened, opened.variants[0])


def test_a_plan_that_was_tampered_with_is_none(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, jobs: Jobs
) -> None:
    half = paused(downloads, hub, repo)
    assert len(Downloads(hub, settings.models, jobs).list(ME)) == 1
    plan = settings.models / ".downloads" / f"{half.id}.json"
    for altered in (plan.read_text().replace("tiny-F32.gguf", "../../../x.gguf"), "{", '{"files": []}'):
        plan.write_text(altered)
        assert Downloads(hub, settings.models, jobs).list(ME) == []


def test_the_server_s_end_pauses_what_runs(repo: Repo, downloads: Downloads, hub: Hub, jobs: Jobs) -> None:
    repo.fault = Fault(pause_s=0.3)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].done > 0)
    jobs.close()
    assert ended(downloads, begun.id).state == "paused"
    assert threading.active_count() < 50


def test_the_speed_is_that_of_the_last_seconds(repo: Repo, downloads: Downloads, hub: Hub) -> None:
    repo.fault = Fault(pause_s=0.15)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].rate)
    told = downloads.list(ME)[0]
    assert told.rate is not None and told.rate > 0 and told.seconds_left is not None and told.seconds_left > 0
    downloads.stop(ME, begun.id)


def test_part_files_have_no_model_s_name(tmp_path: Path) -> None:
    assert transfer.part_of(tmp_path / "x.gguf").suffix == ".part"
