"""Batches in the background: order, turns, pauses, failures, retries, and what is kept of an interrupted one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.answers import Answers
from core.arena import batch, many
from core.arena.batch import Count, Entrant, Place, Spec
from core.arena.checks import Check
from core.arena.prompts import Prompt
from core.chat import Asking
from core.errors import BatchEmpty, BatchTooLarge, ModelDied, ModelNotFound, NotThere, RateLimited, RateLimitedFor
from core.messages import ChatRequest, Sampling
from core.models.base import ModelInfo
from tests.answering import until
from tests.arena.batching import ANA, BEN, QUESTIONS, Bench, question, raising
from tests.models.remote.misbehaving import Misbehaving

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "workbench.db")
    yield bench
    bench.close()


def entrant(id: str, *, local: bool) -> Entrant:
    return Entrant(asking=Asking(), info=ModelInfo(id=id, name=id, provider="", local=local), label=id)


HERE, AWAY, NEAR = (
    entrant("here", local=True),
    entrant("https://a.example/v1#m", local=False),
    entrant("http://127.0.0.1:8080/v1#m", local=False),
)


def test_all_is_asked_model_by_model_and_repeats_apart(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.here(name)
    found = bench.run(bench.made(repeats=2))
    cells = bench.cells(found)
    assert found.state == "done"
    assert [(c.place.model, c.place.repeat, c.place.prompt) for c in cells] == [
        (model, repeat, prompt) for model in (0, 1) for repeat in (0, 1) for prompt in (0, 1)
    ]
    assert {c.answer for c in cells} == {"one? answered", "two? answered"}
    assert [question(r) for r in bench.models["one"].asked] == ["one?", "two?"] * 2
    assert all(c.status == "done" and c.finished and c.finished.timings.at == () for c in cells)
    assert [e.label for e in found.spec.models] == ["One", "Two"]


def test_what_is_asked_is_the_models_asking_and_the_prompts_words() -> None:
    asking = Asking(system_prompt="Be kind.", sampling=Sampling(temperature=0.2, seed=5), max_tokens=9, stop=("x",))
    models = (msgspec.structs.replace(HERE, asking=asking),)
    spec = Spec(models=models, prompts=(Prompt(text="hi"), Prompt(text="ho", system="Be short.")), repeats=2)
    first = batch.request(spec, Place(0, 0, 1))
    assert [(m.role, m.content) for m in first.messages] == [("system", "Be kind."), ("user", "hi")]
    assert (first.sampling.temperature, first.sampling.seed, first.max_tokens, first.stop) == (0.2, 5, 9, ("x",))
    assert batch.request(spec, Place(0, 1, 0)).messages[0].content == "Be short."
    seeded = msgspec.structs.replace(spec, seed=100)
    assert [batch.request(seeded, Place(0, 0, repeat)).sampling.seed for repeat in (0, 1)] == [100, 101]


def test_models_here_answer_alone_and_those_elsewhere_several_at_once(bench: Bench) -> None:
    away = bench.there("big")
    here = bench.here("small")
    away.gate.clear()
    made = bench.made(repeats=3, at_once=2)
    bench.batches.start(ANA, made.id)
    until(lambda: len(bench.room.answering) == 2)
    away.gate.set()
    assert bench.ended(made).state == "done"
    assert bench.room.seen == {(away.info.id,), (away.info.id,) * 2, (here.info.id,)}


def test_timed_alone_nothing_runs_beside_anything(bench: Bench) -> None:
    ids = [bench.there("big").info.id, bench.there("huge", host="far").info.id, bench.here("small").info.id]
    bench.run(bench.made(repeats=2, timing="alone"))
    assert bench.room.seen == {(id,) for id in ids}


def test_two_batches_take_turns_on_this_machine(bench: Bench) -> None:
    bench.here("one")
    bench.here("two")
    first, second = bench.made(["one"], repeats=4), bench.made(["two"], repeats=4)
    for each in (first, second):
        bench.batches.start(ANA, each.id)
    assert (bench.ended(first).state, bench.ended(second).state) == ("done", "done")
    assert bench.room.seen == {("one",), ("two",)}


def test_answers_elsewhere_give_way_to_whoever_waits(bench: Bench) -> None:
    away = bench.there("big")
    away.gate.clear()
    made = bench.made(repeats=10, at_once=2)
    bench.batches.start(ANA, made.id)
    until(lambda: len(bench.room.answering) == 2)
    with bench.turns.take() as waiting:
        away.gate.set()
        until(lambda: waiting.position == 0)
        until(lambda: not bench.room.answering)
        asked = len(away.asked)
        assert asked < 20
        assert not bench.batches.wait(made.id, 0.3)
        assert len(away.asked) == asked
    assert bench.ended(made).state == "done"


def test_it_goes_on_without_a_page(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "w.db", answers=Answers(abandon_after_s=0.05))
    slow = bench.here("slow")
    slow.gate.clear()
    made = bench.made()
    bench.batches.start(ANA, made.id)
    bench.until_written(made, 0, 0, 0)
    assert not bench.batches.wait(made.id, 0.4)
    slow.gate.set()
    assert bench.ended(made).state == "done"
    assert bench.states(made) == ["done", "done"]
    bench.close()


def test_a_pause_lets_what_is_being_written_finish(bench: Bench) -> None:
    slow = bench.here("slow")
    slow.gate.clear()
    made = bench.made()
    bench.batches.start(ANA, made.id)
    bench.until_written(made, 0, 0, 0)
    bench.batches.pause(ANA, made.id)
    assert bench.batches.halting(made.id)
    slow.gate.set()
    assert bench.ended(made).state == "paused"
    assert bench.states(made) == ["done", "waiting"]
    assert not bench.batches.running(made.id)
    assert bench.run(made).state == "done"
    assert len(slow.asked) == 2


def test_a_pause_can_be_taken_back(bench: Bench) -> None:
    slow = bench.here("slow")
    slow.gate.clear()
    made = bench.made()
    bench.batches.start(ANA, made.id)
    bench.until_written(made, 0, 0, 0)
    bench.batches.pause(ANA, made.id)
    bench.batches.start(ANA, made.id)
    slow.gate.set()
    assert bench.ended(made).state == "done"
    assert len(slow.asked) == 2


def test_cancelling_stops_at_once_and_keeps_what_had_come(bench: Bench) -> None:
    slow = bench.here("slow")
    slow.gate.clear()
    made = bench.made()
    bench.batches.start(ANA, made.id)
    bench.until_written(made, 0, 0, 0)
    bench.batches.cancel(ANA, made.id)
    assert bench.batches.get(ANA, made.id).state == "paused"
    assert bench.states(made) == ["waiting", "waiting"]
    assert bench.cell(made, 0, 0, 0).answer == "one?"
    slow.gate.set()
    bench.run(made)
    assert bench.cell(made, 0, 0, 0).answer == "one? answered"


def test_closing_the_workbench_leaves_it_to_be_taken_up_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "w.db")
    bench.here("slow").gate.clear()
    made = bench.made()
    bench.batches.start(ANA, made.id)
    bench.until_written(made, 0, 0, 0)
    bench.batches.close()
    assert bench.states(made) == ["waiting", "waiting"]
    assert bench.batches.get(ANA, made.id).state == "paused"
    bench.close()


def test_one_that_is_deleted_in_mid_run_ends(bench: Bench) -> None:
    slow = bench.here("slow")
    slow.gate.clear()
    made = bench.made()
    bench.batches.start(ANA, made.id)
    bench.until_written(made, 0, 0, 0)
    bench.batches.delete(ANA, made.id)
    assert bench.batches.wait(made.id, 10)
    with pytest.raises(NotThere):
        bench.batches.get(ANA, made.id)
    assert bench.batches.list(ANA) == []


def test_one_cell_fails_and_the_others_go_on(bench: Bench) -> None:
    def reply(request: ChatRequest) -> str:
        if question(request) == "one?":
            raise ModelDied(model="Frail", detail="killed")
        return "well said"

    frail = bench.here("frail", reply)
    made = bench.run(bench.made())
    assert bench.states(made) == ["failed", "done"]
    assert bench.cell(made, 0, 0, 0).error == ModelDied(model="Frail", detail="killed").to_dict()
    assert made.state == "done"
    frail.reply = lambda request: "now it goes"
    bench.batches.retry(ANA, made.id, Place(0, 0, 0))
    assert bench.ended(made).state == "done"
    assert bench.states(made) == ["done", "done"]
    assert len(frail.asked) == 3


def test_a_good_answer_can_be_asked_for_again_too(bench: Bench) -> None:
    model = bench.here("one")
    made = bench.run(bench.made())
    model.reply = lambda request: "better now"
    bench.batches.retry(ANA, made.id, Place(0, 1, 0))
    bench.ended(made)
    assert [c.answer for c in bench.cells(made)] == ["one? answered", "better now"]


def test_a_model_that_keeps_failing_is_given_up_and_the_others_go_on(bench: Bench) -> None:
    bench.here("broken", raising(ModelDied(model="Broken", detail="killed")))
    bench.here("well")
    made = bench.run(bench.made(repeats=10))
    progress = bench.batches.progress(ANA, made.id)
    assert (progress.done, progress.failed, progress.waiting) == (20, 20, 0)
    assert len(bench.models["broken"].asked) == many.GIVE_UP_AFTER
    bench.models["broken"].reply = lambda request: "fine"
    bench.batches.retry(ANA, made.id)
    bench.ended(made)
    assert set(bench.states(made)) == {"done"}


def test_a_model_that_has_gone_fails_where_it_stands(bench: Bench) -> None:
    bench.here("gone")
    bench.here("well")
    made = bench.made()
    del bench.models["gone"]
    bench.run(made)
    assert bench.states(made) == ["failed", "failed", "done", "done"]
    assert bench.cell(made, 0, 0, 0).error == ModelNotFound(model="gone").to_dict()


def test_checks_are_made_when_an_answer_is_there(bench: Bench) -> None:
    bench.here("one", lambda request: "it is 4")
    checks = (Check("equals", "4"), Check("contains", "five"))
    made = bench.run(bench.made(prompts=[Prompt(text="2 + 2?", checks=checks), Prompt(text="hm?")]))
    first, second = bench.cells(made)
    assert [one.passed for one in first.checks or ()] == [True, False]
    assert (first.passed, second.passed, second.checks) == (False, None, ())


def test_an_endpoint_that_is_busy_is_waited_for(bench: Bench) -> None:
    with Misbehaving() as server:
        bench.behind(server.url("busy-thrice"), "m")
        made = bench.run(bench.made())
        assert bench.states(made) == ["done", "done"]
        assert [c.answer for c in bench.cells(made)] == ["The capital is Paris."] * 2


def test_an_endpoint_that_is_busy_for_long_is_not(bench: Bench) -> None:
    with Misbehaving() as server:
        bench.behind(server.url("refuses-429"), "m")
        made = bench.run(bench.made())
        assert bench.states(made) == ["failed", "failed"]
        assert {c.error["error"] for c in bench.cells(made) if c.error} == {"RateLimitedFor"}


def test_one_that_is_always_busy_is_tried_so_many_times(bench: Bench) -> None:
    bench.there("busy", raising(RateLimitedFor(provider="Away", detail="later", seconds=0)))
    made = bench.run(bench.made(prompts=QUESTIONS[:1]))
    assert bench.states(made) == ["failed"]
    assert len(next(iter(bench.models.values())).asked) == many.MOST_TRIES + 1


def test_how_long_is_waited_grows_where_the_endpoint_does_not_say() -> None:
    unsaid, hour = RateLimited(provider="p", detail="d"), RateLimitedFor(provider="p", detail="d", seconds=3600)
    waits = [many._wait_for(unsaid, tries) for tries in range(many.MOST_TRIES + 1)]
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0, None]
    assert many._wait_for(hour, 0) is None
    assert many._wait_for(ModelDied(model="m", detail="d"), 0) is None


def test_waiting_for_a_busy_endpoint_can_be_ended(bench: Bench) -> None:
    bench.there("busy", raising(RateLimitedFor(provider="Away", detail="later", seconds=100)))
    made = bench.made()
    bench.batches.start(ANA, made.id)
    until(lambda: bench.batches.resting_s(made.id))
    bench.batches.cancel(ANA, made.id)
    assert bench.batches.wait(made.id, 10)
    assert bench.states(made) == ["waiting", "waiting"]


@pytest.mark.parametrize(("behaviour", "error"), [("resets", "AnswerCut"), ("refuses-401", "KeyRefused")])
def test_what_an_endpoint_does_wrong_is_the_cells_error(bench: Bench, behaviour: str, error: str) -> None:
    with Misbehaving() as server:
        bench.behind(server.url(behaviour), "m")
        bench.here("well")
        made = bench.run(bench.made(prompts=QUESTIONS[:1]))
    failed, well = bench.cells(made)
    assert (failed.status, failed.error and failed.error["error"], well.status) == ("failed", error, "done")
    assert failed.answer == ("The capital is Paris." if behaviour == "resets" else "")


@pytest.mark.faults
def test_a_killed_process_loses_nothing_that_had_come(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    command = [sys.executable, "-m", "tests.arena.batch_process", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    bench = Bench(path)
    model = bench.here("slow")
    bench.batches.recover()
    made = bench.batches.get(ANA, told["batch"])
    assert made.state == "paused"
    assert bench.states(made) == ["done", "waiting", "waiting", "waiting"]
    assert [c.answer for c in bench.cells(made)[:2]] == ["one? answered", "two?"]
    assert bench.run(made).state == "done"
    assert [question(r) for r in model.asked] == ["two?", "one?", "two?"]
    bench.close()


def test_nobody_else_can_touch_it(bench: Bench) -> None:
    bench.here("one")
    made = bench.made()
    calls = {name: getattr(bench.batches, name) for name in ("get", "cells", "start", "pause", "cancel", "retry")}
    calls |= {name: getattr(bench.batches, name) for name in ("delete", "progress", "verdicts", "votes")}
    for call in calls.values():
        with pytest.raises(NotThere):
            call(BEN, made.id)
    with pytest.raises(NotThere):
        bench.batches.judge(BEN, made.id, Asking(model_id="one"))
    with pytest.raises(NotThere):
        bench.batches.rename(BEN, made.id, "mine")
    assert bench.states(made) == ["waiting", "waiting"]


def test_nothing_and_too_much_are_refused(bench: Bench) -> None:
    bench.here("one")
    with pytest.raises(BatchEmpty):
        bench.made(prompts=[])
    with pytest.raises(BatchEmpty):
        bench.batches.spec(ANA, [], QUESTIONS)
    with pytest.raises(BatchEmpty):
        bench.made(repeats=0)
    with pytest.raises(BatchTooLarge):
        bench.made(repeats=batch.MOST_CELLS)
    with pytest.raises(ModelNotFound):
        bench.made(["nobody"])


def test_the_time_left_is_that_of_the_answers_there_are(bench: Bench) -> None:
    bench.here("one")
    made = bench.made(repeats=2)
    assert bench.batches.progress(ANA, made.id).seconds_left is None
    assert bench.batches.seconds_for(ANA, made.spec) is None
    bench.run(made)
    assert bench.batches.progress(ANA, made.id).seconds_left == 0.0
    assert bench.batches.seconds_for(ANA, made.spec) == 4 * 2.0


def test_models_elsewhere_are_reckoned_together_and_those_here_one_by_one() -> None:
    other = entrant("https://b.example/v1#m", local=False)
    spec = Spec(models=(HERE, AWAY, other, NEAR), prompts=QUESTIONS, at_once=4)
    cells = {0: 3, 1: 10, 2: 4, 3: 2}
    each = {0: 2.0, 1: 6.0, 2: 5.0, 3: 1.0}
    assert batch.seconds_for(spec, cells, each) == 3 * 2.0 + 2 * 1.0 + max(3 * 6.0, 1 * 5.0)
    alone = msgspec.structs.replace(spec, timing="alone")
    assert batch.seconds_for(alone, cells, each) == 6.0 + 60.0 + 20.0 + 2.0
    assert batch.seconds_for(spec, cells, {0: 2.0}) is None
    assert batch.seconds_for(spec, {0: 3}, {0: 2.0}) == 6.0


def test_progress_counts_each_cell_once() -> None:
    spec = Spec(models=(HERE, AWAY), prompts=QUESTIONS, repeats=3)
    counts = [
        Count(model=0, status="done", cells=2, seconds=4.0),
        Count(model=0, status="running", cells=1, seconds=None),
        Count(model=0, status="waiting", cells=3, seconds=None),
        Count(model=1, status="failed", cells=6, seconds=None),
    ]
    found = batch.progress(spec, counts, {0: 100.0})
    assert (found.done, found.failed, found.running, found.waiting, found.total) == (2, 6, 1, 3, 12)
    assert found.seconds_left == 16.0
