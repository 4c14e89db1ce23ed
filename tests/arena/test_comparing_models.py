"""Comparisons in a whole workbench: endpoints that misbehave beside one that does not, and the real model."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from core.answers import Answer
from core.arena import batch_table
from core.arena.comparing import Comparison
from core.arena.prompts import Prompt
from core.chat import Asking
from core.events import Finished, Queued, Text
from core.messages import Sampling
from core.models.local.model_settings import ModelSettings
from core.models.routes import LocalFirst
from core.settings import Settings
from core.store.records import StoredMessage
from core.workbench import Workbench, open_workbench
from tests.answering import until
from tests.asking import GREEDY, QUESTION
from tests.models.remote.misbehaving import WORDS, Misbehaving

ANA = "ana"
SAID = "".join(WORDS)

FAULTS = (
    ("refuses-401", "refuses-429", "cut", "resets", "html"),
    ("refuses-500", "not-json", "not-utf8", "error-event", "empty-body"),
    ("refuses-404", "redirects", "cut-in-event", "wrong-types", "no-status"),
    ("no-quota", "refuses-overflow", "endless-line", "null-choices", "error-200"),
)
"""Five at a time, beside one that is well."""


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    workbench = open_workbench(Settings(home=tmp_path_factory.mktemp("home")))
    yield workbench
    workbench.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as server:
        yield server


def made(workbench: Workbench, *ids: str | None, **fields: object) -> Comparison:
    askings = [Asking(model_id=id, max_tokens=12, sampling=GREEDY) for id in ids]
    return workbench.comparing.create(ANA, askings, **fields)  # type: ignore[arg-type]


def running(workbench: Workbench, message: StoredMessage) -> Answer:
    answer = workbench.chat.running(message)
    assert answer is not None
    return answer


def ended(workbench: Workbench, *messages: StoredMessage) -> list[StoredMessage]:
    for message in messages:
        assert running(workbench, message).wait(90)
    return [workbench.conversations.message(ANA, message.id) for message in messages]


@pytest.mark.faults
@pytest.mark.parametrize("timing", ["alone", "together"])
@pytest.mark.parametrize("faults", FAULTS)
def test_endpoints_that_fail_leave_the_others_and_can_be_asked_again(
    workbench: Workbench, server: Misbehaving, faults: tuple[str, ...], timing: str
) -> None:
    well, *faulty = (f"{server.url(behaviour)}#m" for behaviour in ("well", *faults))
    comparison = made(workbench, *faulty, well, timing=timing)
    *failed, last = ended(workbench, *workbench.comparing.ask(ANA, comparison.id, QUESTION))
    assert (last.status, last.content) == ("complete", SAID)
    assert [(message.status, message.error is None) for message in failed] == [("failed", False)] * 5
    workbench.comparing.change(ANA, comparison.id, 1, Asking(model_id=well))
    (again,) = ended(workbench, workbench.comparing.regenerate(ANA, comparison.id, 1))
    assert (again.status, again.content) == ("complete", SAID)


def test_one_that_never_ends_is_stopped_and_the_next_has_its_turn(workbench: Workbench, server: Misbehaving) -> None:
    comparison = made(workbench, f"{server.url('endless')}#m", f"{server.url('well')}#m")
    messages = workbench.comparing.ask(ANA, comparison.id, QUESTION)
    until(lambda: running(workbench, messages[0]).text)
    assert running(workbench, messages[1]).progress == Queued(1)
    workbench.comparing.stop(ANA, comparison.id, 1)
    cut, well = ended(workbench, *messages)
    assert (cut.status, bool(cut.content), well.content) == ("cut", True, SAID)


def test_what_may_not_leave_this_machine_fails_in_its_pane(workbench: Workbench, server: Misbehaving) -> None:
    workbench.connections.set_local_only(ANA, True)
    try:
        comparison = made(workbench, "https://models.example/v1#m", f"{server.url('well')}#m")
        away, here = ended(workbench, *workbench.comparing.ask(ANA, comparison.id, QUESTION))
    finally:
        workbench.connections.set_local_only(ANA, False)
    assert away.error is not None and away.error["error"] == "LocalOnly"
    assert (here.status, here.content) == ("complete", SAID)


@pytest.mark.parametrize("id", ["nowhere.gguf", "route:none", "https://nowhere.example", "", "damaged"])
def test_whatever_is_wrong_with_a_model_is_said_in_its_pane(
    workbench: Workbench, server: Misbehaving, tmp_path: Path, id: str
) -> None:
    if id == "damaged":
        damaged = tmp_path / "damaged.gguf"
        damaged.write_bytes(b"GGUF" + b"\xff" * 40)
        id = str(damaged)
    comparison = made(workbench, id, f"{server.url('well')}#m")
    assert all(pane.label for pane in comparison.panes)
    wrong, well = ended(workbench, *workbench.comparing.ask(ANA, comparison.id, QUESTION))
    assert wrong.status == "failed" and wrong.error is not None
    assert (well.status, well.content) == ("complete", SAID)


def test_a_setting_that_no_model_takes_fails_in_its_pane(workbench: Workbench, server: Misbehaving) -> None:
    askings = [Asking(settings=ModelSettings(threads=-1)), Asking(model_id=f"{server.url('well')}#m")]
    comparison = workbench.comparing.create(ANA, askings)
    wrong, well = ended(workbench, *workbench.comparing.ask(ANA, comparison.id, QUESTION))
    assert wrong.error is not None and wrong.error["error"] == "SettingInvalid"
    assert well.status == "complete"


def test_the_answer_of_a_route_is_taken_along_as_the_model_that_gave_it(
    workbench: Workbench, server: Misbehaving
) -> None:
    well = f"{server.url('well')}#m"
    route = workbench.routes.add(ANA, "Mine", LocalFirst(f"{server.url('refuses-500')}#m", well))
    (answer,) = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, Asking(model_id=route.model_id)))
    assert answer.content == SAID
    comparison = workbench.comparing.from_answer(ANA, answer.id)
    assert [pane.asking.model_id for pane in comparison.panes] == [well, well]
    by_route = made(workbench, route.model_id, well)
    assert by_route.panes[0].label == "Mine"
    assert [m.content for m in ended(workbench, *workbench.comparing.ask(ANA, by_route.id, QUESTION))] == [SAID, SAID]


def test_a_batch_keeps_whom_a_route_chose(workbench: Workbench, server: Misbehaving) -> None:
    well = f"{server.url('well')}#m"
    route = workbench.routes.add(ANA, "By batch", LocalFirst(f"{server.url('refuses-500')}#m", well))
    askings = [Asking(model_id=route.model_id), Asking(model_id=well)]
    spec = workbench.batches.spec(ANA, askings, [Prompt(text=QUESTION)])
    batch = workbench.batches.create(ANA, spec)
    workbench.batches.start(ANA, batch.id)
    assert workbench.batches.wait(batch.id, 90)
    by_route, asked = workbench.batches.cells(ANA, batch.id)
    assert by_route.routed is not None and by_route.routed.model_id == well and asked.routed is None
    rows = batch_table.rows(workbench.batches.get(ANA, batch.id), [by_route, asked])
    assert [(row.answer, row.answered_by) for row in rows] == [(SAID, well), (SAID, None)]


@pytest.mark.model
def test_the_real_model_one_after_another_and_its_clock_starts_with_its_turn(workbench: Workbench) -> None:
    """One model in two ways to be loaded: each is loaded in its turn, and no figure has the loading or the waiting."""
    long = Asking(sampling=GREEDY, max_tokens=40, settings=ModelSettings(context_length=512))
    short = msgspec.structs.replace(long, settings=ModelSettings(context_length=256), max_tokens=8)
    comparison = workbench.comparing.create(ANA, [long, short])
    assert [pane.label for pane in comparison.panes] == [
        "SmolLM2-135M-Instruct · context 512",
        "SmolLM2-135M-Instruct · context 256",
    ]
    messages = workbench.comparing.ask(ANA, comparison.id, QUESTION)
    first, second = ended(workbench, *messages)
    assert first.status == second.status == "complete" and first.content.startswith(second.content)
    for message in (first, second):
        assert message.finished is not None
        timings = message.finished.timings
        assert timings.load_s is not None and timings.load_s > 0
        assert timings.ttft_s is not None and timings.ttft_s == timings.at[0] and timings.queue_s is not None
        assert timings.queue_s <= timings.ttft_s
        assert all(earlier <= later for earlier, later in pairwise(timings.at))
    events, _, _ = running(workbench, second).since()
    assert events[0] == Queued(1) and Queued(0) in events and isinstance(events[-1], Finished)
    assert workbench.comparing.get(ANA, comparison.id).together == frozenset(), "nothing ran beside them"
    again = ended(workbench, workbench.comparing.regenerate(ANA, comparison.id, 2))[0]
    assert again.content == second.content and again.finished is not None
    assert {run.kind for run in workbench.runs.list(ANA)} >= {"compare"}


@pytest.mark.model
@pytest.mark.faults
def test_the_model_of_a_pane_dies_and_the_next_answers(workbench: Workbench) -> None:
    endless = Asking(sampling=GREEDY, max_tokens=2000)
    other = Asking(sampling=Sampling(temperature=0.0, seed=1), max_tokens=6)
    comparison = workbench.comparing.create(ANA, [endless, other])
    messages = workbench.comparing.ask(ANA, comparison.id, "Tell me a long story.")
    for event in running(workbench, messages[0]).follow(timeout=90):
        if isinstance(event, Text) and event.text:
            break
    os.kill(workbench.model().engine().pid, signal.SIGKILL)
    dead, alive = ended(workbench, *messages)
    assert (dead.status, bool(dead.content), alive.status) == ("failed", True, "complete")
    workbench.comparing.change(ANA, comparison.id, 1, other)
    assert ended(workbench, workbench.comparing.regenerate(ANA, comparison.id, 1))[0].content == alive.content
