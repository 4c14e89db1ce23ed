"""Work in the background: what it says of itself, how it ends, whose it is."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from core.errors import ModelNotFound, NotThere, WorkbenchError
from core.jobs import KEPT, Job, Jobs


def until_halted(began: threading.Event) -> Callable[[Job], None]:
    def work(job: Job) -> None:
        began.set()
        while True:
            job.step(1, 4, "a tensor")
            threading.Event().wait(0.005)

    return work


def test_its_result_is_what_the_work_returns() -> None:
    job = Jobs().start("me", "sum", "1 + 1", lambda job: 1 + 1)
    assert job.wait(10) and (job.state, job.result, job.error) == ("done", 2, None)


def test_it_says_how_far_it_is_and_ends_when_asked() -> None:
    began = threading.Event()
    job = Jobs().start("me", "endless", "", until_halted(began))
    assert began.wait(10)
    job.cancel()
    assert job.wait(10) and job.state == "cancelled" and job.halting
    assert (job.fraction, job.note, job.seconds_left) == (0.25, "a tensor", None)


def test_the_time_left_follows_the_rate_of_its_steps() -> None:
    job = Job("me", "kind", "subject")
    assert job.seconds_left is None and job.fraction is None
    job.step(10, 100)
    assert job.seconds_left is None
    threading.Event().wait(0.02)
    job.step(20)
    assert job.seconds_left is not None and job.seconds_left >= 8 * 0.02


def test_what_goes_wrong_is_its_error() -> None:
    def fails(job: Job) -> None:
        raise ModelNotFound(model="phi.gguf")

    jobs = Jobs()
    job = jobs.start("me", "kind", "subject", fails)
    assert job.wait(10) and job.state == "failed" and isinstance(job.error, ModelNotFound)


def test_a_fault_of_ours_is_an_error_too(caplog: pytest.LogCaptureFixture) -> None:
    job = Jobs().start("me", "kind", "subject", lambda job: 1 / 0)
    assert job.wait(10) and job.state == "failed" and type(job.error) is WorkbenchError
    assert "ZeroDivisionError" in caplog.text


def test_each_owner_sees_their_own() -> None:
    jobs = Jobs()
    mine, other = (jobs.start(owner, "kind", "s", lambda job: None) for owner in ("me", "you"))
    assert jobs.list("me") == [mine] and jobs.list("you", "kind") == [other] and jobs.list("you", "another") == []
    with pytest.raises(NotThere):
        jobs.get("me", other.id)
    jobs.forget("me", mine.id)
    assert jobs.list("me") == []


def test_the_oldest_ended_ones_are_forgotten() -> None:
    jobs = Jobs()
    for _ in range(KEPT + 5):
        jobs.start("me", "kind", "s", lambda job: None).wait(10)
    assert len(jobs.list("me")) <= KEPT + 1


def test_closing_pauses_what_runs() -> None:
    jobs, began = Jobs(), threading.Event()
    job = jobs.start("me", "endless", "", until_halted(began))
    assert began.wait(10)
    jobs.close()
    assert job.state == "paused"
