"""Downloads that are interrupted, by whatever, and gone on with: nothing that came is fetched twice, or trusted."""

from __future__ import annotations

import threading

import pytest

from core.errors import (
    DownloadBroken,
    DownloadDamaged,
    LocalOnly,
)
from core.hub import session, transfer
from core.hub.client import Hub
from core.hub.downloads import Downloads
from core.jobs import Jobs
from core.models.catalog import Catalog
from core.models.remote.permit import Permit
from core.settings import Settings
from tests.e2e.serving import PATIENCE_S, until
from tests.hub.downloading import ME, begin, ended, files, left_behind, paused
from tests.hub.local_hub import Fault, LocalHub, Repo


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


def test_a_server_without_ranges_sends_it_anew(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, local: LocalHub, model: bytes
) -> None:
    left_behind(repo, settings, 20_000)
    repo.fault = Fault(no_ranges=True)
    done = ended(downloads, begin(downloads, hub).id)
    assert done.state == "done" and done.path is not None and done.path.read_bytes() == model
    assert local.ranges("tiny-F32.gguf") == ["bytes=20000-"]


def test_a_connection_that_falls_silent_is_given_up_for_a_new_one(
    repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SILENCE_S", 0.3)
    repo.fault = Fault(times=1, pause_s=5.0)
    assert ended(downloads, begin(downloads, hub).id).state == "done"
    first, second = local.ranges("tiny-F32.gguf")
    assert first == "" and second.startswith("bytes=")


def test_a_busy_hub_is_waited_for(repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub) -> None:
    repo.fault = Fault(times=2, status=429, headers={"Retry-After": "1"})
    assert ended(downloads, begin(downloads, hub).id).state == "done"
    assert len(local.ranges("tiny-F32.gguf")) == 3


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


def test_a_power_cut_before_the_last_name_costs_nothing(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, local: LocalHub
) -> None:
    """All of it had come, and its name had not been given yet."""
    half = paused(downloads, hub, repo)
    (settings.models / repo.id / "tiny-F32.gguf.part").write_bytes(repo.files["tiny-F32.gguf"])
    asked = len(local.asked)
    downloads.resume(ME, half.id)
    assert ended(downloads, half.id).state == "done" and len(local.asked) == asked


def test_a_changed_file_begins_anew(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, model: bytes
) -> None:
    half = paused(downloads, hub, repo)
    repo.files["tiny-F32.gguf"], repo.commit = model[:-4] + b"new!", "d" * 40
    begin(downloads, Hub(settings))
    done = ended(downloads, half.id)
    assert done.state == "done" and done.path is not None and done.path.read_bytes()[-4:] == b"new!"


def test_a_plan_that_was_tampered_with_is_none(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, jobs: Jobs
) -> None:
    half = paused(downloads, hub, repo)
    assert len(Downloads(hub, settings.models, jobs).list(ME)) == 1
    plan = settings.models / ".downloads" / f"{half.id}.json"
    for altered in (plan.read_text().replace("tiny-F32.gguf", "../../../x.gguf"), "{", '{"files": []}'):
        plan.write_text(altered)
        assert Downloads(hub, settings.models, jobs).list(ME) == []


class ForNow(Permit):
    """Allows everything until it is told otherwise."""

    def __init__(self) -> None:
        self.ended = False

    def reach(self, provider: str, *, away: bool) -> None:
        if self.ended:
            raise LocalOnly(provider=provider)


def test_local_only_holds_from_the_next_connection_on(
    repo: Repo, downloads: Downloads, hub: Hub, local: LocalHub
) -> None:
    permit = ForNow()
    repo.fault = Fault(times=1, cut_after=40_000, pause_s=0.3)
    opened = hub.repository(repo.id)
    begun = downloads.start(ME, opened, opened.variants[0], permit)
    until(lambda: downloads.list(ME)[0].done > 0)
    permit.ended = True
    failed = ended(downloads, begun.id)
    assert isinstance(failed.error, LocalOnly) and failed.done == 40_000
    assert local.ranges("tiny-F32.gguf") == [""]


def test_the_server_s_end_pauses_what_runs(repo: Repo, downloads: Downloads, hub: Hub, jobs: Jobs) -> None:
    repo.fault = Fault(pause_s=0.3)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].done > 0)
    jobs.close()
    assert ended(downloads, begun.id).state == "paused"
    assert threading.active_count() < 50


def test_another_part_than_was_asked_for_is_refused(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings
) -> None:
    left_behind(repo, settings, 10_000)
    repo.fault = Fault(shifted=True)
    failed = ended(downloads, begin(downloads, hub).id)
    assert isinstance(failed.error, DownloadDamaged)


def test_what_is_stopped_while_the_network_is_away_is_gone(
    repo: Repo, downloads: Downloads, hub: Hub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "LONGEST_WAIT_S", 60)
    repo.fault = Fault(cut_at=20_000)
    begun = begin(downloads, hub)
    until(lambda: downloads.list(ME)[0].note == transfer.WAITING)
    job = downloads.job(ME, begun.id)
    downloads.stop(ME, begun.id)
    assert job.wait(PATIENCE_S) and downloads.list(ME) == [] and files(settings) == set()
