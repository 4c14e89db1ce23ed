"""Models that wait in line: the order, what is said meanwhile, who shares a place, and that no place is ever lost."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator, Iterator
from typing import cast

import pytest

from core.answers import Answer, Answers
from core.errors import ModelDied
from core.events import Event, Finished, Idle, Queued, Text, Timings, Usage
from core.models.in_turn import InTurn, Turns
from core.models.replay import Replay
from tests.answering import ASK, END, INFO, NEVER, Custom, ended, until, word, words
from tests.gating import Gated

FAST = Replay(INFO, (word(1), END))


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.close()


def said(answer: Answer) -> list[Event]:
    return answer.since()[0]


def test_alone_it_is_the_model_itself(turns: Turns) -> None:
    model = InTurn(FAST, turns)
    assert model.info == INFO
    assert list(model.stream(ASK)) == list(FAST.stream(ASK))
    assert not turns.waited_for


def test_one_after_another_in_the_order_they_were_made(turns: Turns, answers: Answers) -> None:
    gated = [Gated() for _ in range(3)]
    lined_up = [InTurn(one, turns) for one in gated]
    third, second, first = [answers.start(model, ASK) for model in reversed(lined_up)]
    until(lambda: said(second) == [Queued(1)] and said(third) == [Queued(2)])
    until(gated[0].running.is_set)
    assert turns.waited_for and second.state == "queued"
    gated[0].gate.set()
    until(lambda: said(third) == [Queued(2), Queued(1)])
    until(gated[1].running.is_set)
    assert not gated[0].running.is_set() and not gated[2].running.is_set()
    gated[1].gate.set()
    gated[2].gate.set()
    assert [ended(answer).finished for answer in (first, second, third)] == [END, END, END]
    answer = [word(1), word(2, 0.1), END]
    assert said(first) == answer
    assert said(second) == [Queued(1), Queued(0), *answer]
    assert said(third) == [Queued(2), Queued(1), Queued(0), *answer]
    assert not turns.waited_for


def test_waiting_is_in_no_figure_of_the_answer(turns: Turns, answers: Answers) -> None:
    """Also where it is stopped, and its end is told by us: times are those of the tokens, since the model was asked."""
    first, second = Gated(), Replay(INFO, (*words(3, 0.01), word(4, NEVER)))
    answers.start(InTurn(first, turns), ASK)
    waiting = answers.start(InTurn(second, turns), ASK)
    until(lambda: said(waiting))
    first.gate.set()
    until(lambda: waiting.tokens == 3)
    waiting.stop()
    assert ended(waiting).finished is not None
    timings = waiting.finished.timings  # type: ignore[union-attr]
    assert timings.at == (0.0, 0.01, 0.02) and timings.ttft_s == 0.0 and timings.queue_s is None


def test_the_models_own_end_is_not_changed(turns: Turns) -> None:
    end = Finished("stop", Usage(prompt_tokens=1, generated_tokens=1), Timings(load_s=2.0, queue_s=0.5, ttft_s=0.7))
    with turns.take():
        waiting = cast("Generator[Event]", InTurn(Replay(INFO, (Text("x"), end)), turns).stream(ASK))
        assert next(waiting) == Queued(1)
    assert list(waiting) == [Queued(0), Text("x"), end]


def test_while_it_waits_it_says_so_ten_times_a_second_and_can_be_stopped(turns: Turns, answers: Answers) -> None:
    with turns.take() as ticket:
        waiting = cast("Generator[Event]", InTurn(FAST, turns).stream(ASK))
        assert [next(waiting) for _ in range(3)] == [Queued(1), Idle(), Idle()]
        waiting.close()
        assert not turns.waited_for, "it has left the line"
        answer = answers.start(InTurn(FAST, turns), ASK)
        until(lambda: said(answer))
        answer.stop()
        assert ended(answer).finished is not None
        assert answer.finished.reason == "cancelled" and answer.text == ""  # type: ignore[union-attr]
        assert ticket.position == 0 and not turns.waited_for


@pytest.mark.parametrize("way", ["raises", "is stopped", "is closed"])
def test_however_one_ends_the_next_has_its_turn(turns: Turns, answers: Answers, way: str) -> None:
    first = Gated(error=ModelDied(model="m", detail="killed"))
    model = InTurn(first, turns)
    second = InTurn(FAST, turns)
    if way == "is closed":
        stream = cast("Generator[Event]", model.stream(ASK))
        assert next(stream) == word(1)
        stream.close()
    else:
        failing = answers.start(model, ASK)
        until(first.running.is_set)
        first.gate.set() if way == "raises" else failing.stop()
        assert isinstance(ended(failing).error, ModelDied) == (way == "raises")
    assert list(second.stream(ASK)) == [word(1), END]


def test_one_that_is_never_asked_gives_its_place_back(turns: Turns) -> None:
    never = [InTurn(FAST, turns), InTurn(FAST, turns)]
    stream = never[1].stream(ASK)  # made, and never begun
    behind = InTurn(FAST, turns)
    assert turns.waited_for
    del never, stream
    gc.collect()
    assert not turns.waited_for
    assert list(behind.stream(ASK)) == [word(1), END]


def test_asked_again_it_stands_in_line_again(turns: Turns) -> None:
    model = InTurn(FAST, turns)
    assert list(model.stream(ASK)) == [word(1), END]
    with turns.take():
        again = cast("Generator[Event]", model.stream(ASK))
        assert next(again) == Queued(1)
    assert list(again) == [Queued(0), word(1), END]


def test_those_who_share_a_place_run_at_once_and_the_next_waits_for_all(turns: Turns, answers: Answers) -> None:
    together, after = [Gated(), Gated()], Gated()
    with turns.take() as ticket:
        running = [answers.start(InTurn(one, turns, ticket), ASK) for one in together]
        last = answers.start(InTurn(after, turns), ASK)
    for one in together:
        until(one.running.is_set)
    until(lambda: said(last))
    together[0].gate.set()
    assert ended(running[0]).finished == END
    assert said(last) == [Queued(1)] and not after.running.is_set()
    together[1].gate.set()
    until(after.running.is_set)
    after.gate.set()
    assert ended(last).finished == END


def test_whoever_shares_a_place_that_has_gone_takes_a_new_one(turns: Turns) -> None:
    with turns.take() as gone:
        pass
    with turns.take():
        late = turns.take(beside=gone)
        assert late.position == 1
    assert late.position == 0
    late.release()


def test_a_ticket_is_given_back_once(turns: Turns) -> None:
    first, second = turns.take(), turns.take()
    beside = turns.take(beside=first)
    first.release()
    first.release()
    assert second.position == 1, "one still holds the first place"
    beside.release()
    assert second.position == 0 and first.position == 0
    second.release()


def test_many_at_once_run_one_at_a_time(turns: Turns) -> None:
    """Forty threads, and never two in it."""
    inside, most = 0, 0

    def stream() -> Iterator[Event]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        yield word(1)
        inside -= 1
        yield END

    models = [InTurn(Custom(stream), turns) for _ in range(40)]
    threads = [threading.Thread(target=lambda m=model: list(m.stream(ASK))) for model in models]
    for thread in reversed(threads):
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (most, inside) == (1, 0) and not turns.waited_for
