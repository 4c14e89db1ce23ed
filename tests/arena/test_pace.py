"""Showings of two answers: their words and nothing else, at one pace or at their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import pytest

from core.answers import Answer, Answers
from core.arena import pace
from core.errors import ModelDied
from core.events import Event, Finished, Idle, Loading, Queued, Reasoning, Text, ToolCall, Usage
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo
from core.models.replay import Replay
from tests.answering import ASK, Custom, ended, until, word

NAMED = ModelInfo(id="secret-id", name="Secret-7B", provider="Secret Ltd", local=False)
NOTHING = ChatRequest()


@pytest.fixture
def answers() -> Iterator[Answers]:
    kept = Answers()
    yield kept
    kept.close()


def shown(model: ChatModel) -> list[Event]:
    return [event for event in model.stream(NOTHING) if not isinstance(event, Idle)]


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def running(answers: Answers, *events: Event, error: ModelDied | None = None) -> Answer:
    return answers.start(Replay(NAMED, events, pace="at once", error=error), ASK)


def test_the_pieces_of_a_text_are_its_words_and_make_it_again() -> None:
    text = "  One, two\n\n```py\nprint( 3 )\n```  \n"
    assert pace.pieces(text)[:2] == ["  One,", " two"]
    assert "".join(pace.pieces(text)) == text
    assert pace.pieces("") == []


def test_both_have_one_pace_whatever_their_tokens_were(answers: Answers) -> None:
    texts = ["one two three four", "five six seven eight\n\n"]
    one, other = (answers.start(model, NOTHING) for model in pace.even(texts))
    assert [ended(one).text, ended(other).text] == texts
    assert one.decode_rate is None and one.tokens == 0


def test_long_answers_are_shown_faster_and_short_ones_no_slower() -> None:
    assert pace.rate([]) == pace.rate([0, 100]) == pace.WORDS_PER_S
    assert pace.rate([100, 100_000]) == 100_000 / pace.LONGEST_S


def test_a_showing_says_nothing_of_who_writes(answers: Answers) -> None:
    events = [Queued(3), Loading(0.5), Reasoning("I am Secret-7B"), word(1), ToolCall("1", "secret", "{}"), word(2)]
    end = Finished("length", Usage(prompt_tokens=12, generated_tokens=34))
    real = ended(running(answers, *events, end))
    (model,) = pace.as_written([real])
    answer = ended(answers.start(model, NOTHING))
    kinds, _, _ = answer.since()
    assert answer.text == "w1 w2 "
    assert {type(event) for event in kinds} == {Text, Finished}
    assert answer.finished == Finished("stop", Usage(prompt_tokens=0, generated_tokens=0))
    for event in kinds:
        assert b"ecret" not in msgspec.json.encode(event)
        assert not isinstance(event, Text) or event.tokens == ()
    assert "ecret" not in str(model.info) and model.info == pace.SOMEBODY


def test_the_first_to_begin_waits_for_the_other(answers: Answers) -> None:
    loaded = threading.Event()

    def slow() -> Iterator[Event]:
        while not loaded.is_set():
            yield Idle()
        yield word(7)
        yield Finished("stop", Usage(prompt_tokens=1, generated_tokens=1))

    early, late = running(answers, word(1), word(2)), answers.start(Custom(slow), ASK)
    showings = [answers.start(model, NOTHING) for model in pace.as_written([early, late])]
    until(lambda: early.ended)
    assert [showing.text for showing in showings] == ["", ""]
    loaded.set()
    assert [ended(showing).text for showing in showings] == ["w1 w2 ", "w7 "]


def test_one_that_fails_keeps_nobody_waiting_and_its_error_is_not_told(answers: Answers) -> None:
    failed = running(answers, word(1), error=ModelDied(model="Secret-7B", detail="signal 9"))
    other = running(answers, word(2), Finished("stop", Usage(prompt_tokens=1, generated_tokens=1)))
    showings = [ended(answers.start(model, NOTHING)) for model in pace.as_written([failed, other])]
    assert [showing.text for showing in showings] == ["w1 ", "w2 "]
    assert [showing.error for showing in showings] == [None, None]


def test_an_answer_that_ended_keeps_its_own_speed(answers: Answers) -> None:
    """The second word came 0.4 s after the first; the first after a minute of loading, which is not waited for."""
    real = running(
        answers, word(1, at=60.0), word(2, at=60.4), Finished("stop", Usage(prompt_tokens=1, generated_tokens=2))
    )
    (model,) = pace.as_written([ended(real)])
    events = list(model.stream(NOTHING))
    between = events[[isinstance(event, Text) for event in events].index(True) + 1 : -2]
    assert between and all(isinstance(event, Idle) for event in between)
    assert said(events) == "w1 w2 "


def test_stopping_a_showing_stops_the_answer(answers: Answers) -> None:
    def endless() -> Iterator[Event]:
        yield word(1)
        while True:
            yield Idle()

    real = answers.start(Custom(endless), ASK)
    showing = answers.start(pace.as_written([real])[0], NOTHING)
    until(lambda: showing.text)
    showing.stop()
    assert ended(real).finished is not None and real.text == "w1 "
