"""Downloads against a Hub on loopback: whole and checked, several at once, refused where they cannot be kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import constants

from core.errors import (
    DiskTooSmall,
    DownloadDamaged,
    DownloadRunning,
    DownloadTooLarge,
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
from core.hub.downloads import AT_ONCE, LARGEST, Downloads
from core.jobs import Jobs
from core.models.catalog import Catalog
from core.settings import Settings
from tests.e2e.serving import PATIENCE_S, until
from tests.hub.downloading import ME, OTHER, begin, ended, files, paused
from tests.hub.local_hub import Fault, LocalHub, Repo
from tests.hub.test_client import NothingLeaves


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


def test_a_file_that_is_no_model_never_becomes_one(
    local: LocalHub, downloads: Downloads, hub: Hub, settings: Settings
) -> None:
    local.add(Repo("evil/x", {"x.gguf": b"GGUF" + b"\xff" * 5000}))
    failed = ended(downloads, begin(downloads, hub, "evil/x").id)
    assert isinstance(failed.error, ModelFileInvalid) and files(settings) == set()


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


def test_a_disk_too_small_is_said_before(downloads: Downloads, hub: Hub, local: LocalHub) -> None:
    """A thousand parts of 49 GB each: more than any disk that this runs on."""
    names = [f"huge-{number:05}-of-01000.gguf" for number in range(1, 1001)]
    local.add(Repo("org/huge", dict.fromkeys(names, b"x"), sizes=dict.fromkeys(names, 49 * 10**9)))
    with pytest.raises(DiskTooSmall) as small:
        begin(downloads, hub, "org/huge")
    assert small.value.values["needed_gb"] == 49_000 and local.ranges(names[0]) == []
    assert downloads.list(ME) == []


def test_what_the_hub_does_not_send_is_said_before(repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub) -> None:
    repo.sizes["tiny-F32.gguf"] = 60 * 10**9
    with pytest.raises(DownloadTooLarge, match="60"):
        begin(downloads, hub)
    assert constants.MAX_HTTP_DOWNLOAD_SIZE == LARGEST
    assert local.ranges("tiny-F32.gguf") == [] and downloads.list(ME) == []


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


def test_what_may_not_be_asked_is_not_downloaded(repo: Repo, hub: Hub, settings: Settings, jobs: Jobs) -> None:
    opened = hub.repository(repo.id)
    elsewhere = Downloads(Hub(Settings(home=settings.home, hub="https://hub.example.org")), settings.models, jobs)
    with pytest.raises(LocalOnly):
        elsewhere.start(ME, opened, opened.variants[0], NothingLeaves())
    offline = Downloads(Hub(Settings(home=settings.home, hub=hub.endpoint, hub_offline=True)), settings.models, jobs)
    with pytest.raises(HubOffline):
        offline.start(ME, opened, opened.variants[0])


def test_what_is_here_already_is_checked_and_not_downloaded_again(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, local: LocalHub, model: bytes
) -> None:
    first = ended(downloads, begin(downloads, hub).id)
    ended(downloads, begin(downloads, hub).id)
    assert len(local.ranges("tiny-F32.gguf")) == 1
    assert first.path is not None
    first.path.write_bytes(model[:-1] + b"x")  # as long, and another one
    done = ended(downloads, begin(downloads, hub).id)
    assert done.state == "done" and first.path.read_bytes() == model


def test_the_speed_is_that_of_the_last_seconds(repo: Repo, downloads: Downloads, hub: Hub) -> None:
    repo.fault = Fault(pause_s=0.15)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].rate)
    told = downloads.list(ME)[0]
    assert told.rate is not None and told.rate > 0 and told.seconds_left is not None and told.seconds_left > 0
    downloads.stop(ME, begun.id)


def test_part_files_have_no_model_s_name(tmp_path: Path) -> None:
    assert transfer.part_of(tmp_path / "x.gguf").suffix == ".part"
