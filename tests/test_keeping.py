"""An answer being kept as it comes: what the keeper is told, and a keeper that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.answers import Answers
from core.errors import ModelDied, NotThere, StoreError, StoreUnavailable, WorkbenchError
from core.events import (
    Reasoning,
    ToolCall,
    Trimmed,
)
from core.models.replay import Replay
from tests.answering import ASK, END, INFO, Notebook, ended, until, word, words


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.close()


def test_the_keeper_is_told_text_reasoning_and_the_end(answers: Answers) -> None:
    notebook = Notebook()
    events = (Reasoning("think "), Reasoning("more"), word(1), word(2), END)
    ended(answers.start(Replay(INFO, events, pace="at once"), ASK, keeper=notebook, text_so_far="earlier "))
    assert notebook.text() == "w1 w2 ", "what was there before is not told again"
    assert notebook.text(reasoning=True) == "think more"
    finished, status = notebook.end  # type: ignore[misc]
    assert (finished.reason, finished.usage, status) == ("stop", END.usage, "complete")


def test_the_keeper_is_told_what_the_model_was_not_shown(answers: Answers) -> None:
    notebook, trimmed = Notebook(), Trimmed("rolling", 2, 300)
    ended(answers.start(Replay(INFO, (trimmed, word(1), END), pace="at once"), ASK, keeper=notebook))
    assert notebook.trimmed == trimmed


@pytest.mark.parametrize(
    ("failure", "remembered"),
    [(StoreUnavailable(path="p", detail="disk full"), StoreUnavailable), (OSError("disk full"), StoreError)],
)
def test_a_keeper_that_fails_and_recovers_loses_nothing(
    answers: Answers, failure: Exception, remembered: type[WorkbenchError]
) -> None:
    notebook = Notebook()
    notebook.broken = failure
    answer = answers.start(Replay(INFO, (*words(20, 0.03), END)), ASK, keeper=notebook)
    until(lambda: answer.keeper_error)
    assert type(answer.keeper_error) is remembered and answer.error is None
    assert notebook.pieces == []
    notebook.broken = None
    ended(answer)
    assert notebook.text() == answer.text == "".join(event.text for event in words(20, 0))
    assert answer.keeper_error is None and notebook.end == (END, "complete")


def test_a_keeper_that_never_recovers_does_not_stop_the_answer(answers: Answers) -> None:
    notebook = Notebook()
    notebook.broken = StoreUnavailable(path="p", detail="disk full")
    answer = ended(answers.start(Replay(INFO, (word(1), END)), ASK, keeper=notebook))
    assert answer.finished == END and answer.text == "w1 "
    assert isinstance(answer.keeper_error, StoreUnavailable)


@pytest.mark.parametrize("outcome", ["finished", "failed"])
def test_an_ended_answer_is_kept_when_there_is_room_again(answers: Answers, outcome: str) -> None:
    notebook, died = Notebook(), ModelDied(model="m", detail="killed")
    notebook.broken = StoreUnavailable(path="p", detail="disk full")
    call, trimmed = ToolCall("1", "add", "{}"), Trimmed("rolling", 2, 300)
    events = (trimmed, word(1), call, word(2), *([END] if outcome == "finished" else []))
    error = died if outcome == "failed" else None
    answer = ended(answers.start(Replay(INFO, events, pace="at once", error=error), ASK, keeper=notebook))
    assert answer.unkept and notebook.end is None
    notebook.broken = None
    until(lambda: not answer.unkept)
    assert answer.keeper_error is None
    assert (notebook.text(), notebook.calls, notebook.trimmed) == ("w1 w2 ", [call], trimmed)
    assert notebook.end == ((END, "complete") if outcome == "finished" else died)


def test_what_is_not_kept_is_not_forgotten_and_tried_once_more_at_the_end() -> None:
    answers, notebook = Answers(forget_after_s=0.0), Notebook()
    notebook.broken = StoreUnavailable(path="p", detail="disk full")
    answer = ended(answers.start(Replay(INFO, (word(1), END)), ASK, keeper=notebook))
    assert answers.get(answer.id) is answer
    notebook.broken = None
    answers.close()
    assert notebook.end == (END, "complete") and answers.get(answer.id) is None


def test_what_was_deleted_meanwhile_is_not_tried_for_ever(answers: Answers) -> None:
    notebook = Notebook()
    notebook.broken = NotThere(what="message")
    answer = ended(answers.start(Replay(INFO, (word(1), END)), ASK, keeper=notebook))
    assert isinstance(answer.keeper_error, NotThere) and not answer.unkept
