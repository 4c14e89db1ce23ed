from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.errors import NothingToSearch, WholeTooLong, WorkbenchError
from core.events import Event, Finished, Idle, Prefill, Text, Usage
from core.messages import ChatRequest, Message
from core.models.base import ModelInfo
from core.rag import prompt
from core.rag.answer import Grounded, ground, whole_passages, working
from core.rag.grounding import Grounding, How
from core.rag.retrieve import Filter, Options, Searcher
from core.rag.rewrite import alone, read_alone, read_wordings
from tests.rag.corpora import ENGLISH, FRENCH, chunk, chunks, searcher

QUESTION = "Where do bees find flowers?"
ASKED = ChatRequest(messages=(Message("user", QUESTION),))


class Scripted:
    """A model that says what it is told to, in turn, and keeps what it was asked."""

    def __init__(self, *answers: str, context_length: int | None = 4000) -> None:
        self.info = ModelInfo(id="s", name="Scripted", provider="test", local=False, context_length=context_length)
        self.answers = list(answers)
        self.asked: list[ChatRequest] = []
        self.closed = 0

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        self.asked.append(request)
        try:
            yield Prefill(10, 10, 0)
            yield Text(self.answers.pop(0))
            yield Finished("stop", Usage(prompt_tokens=10, generated_tokens=2))
        finally:
            self.closed += 1

    def close(self) -> None: ...


def answered(model: Scripted, how: How, *, asked: ChatRequest = ASKED, over: Searcher | None = None) -> Grounding:
    """Asks, and gives what the answer was grounded on."""
    told: list[Grounding] = []
    found = over or searcher()
    grounded = Grounded(model, ground(lambda: found, model, how, collection_id="c", french=False), told.append)
    events = [event for event in grounded.stream(asked) if not isinstance(event, Idle)]
    assert isinstance(events[-1], Finished)
    return told[0]


def test_the_model_is_given_what_was_found() -> None:
    model = Scripted("They dance [1].")
    found = answered(model, How(options=Options(limit=2)))
    assert found.passages[0].chunk.text == ENGLISH[1]
    assert [one.number for one in found.passages] == [1, 2]
    assert (found.asked, found.also, found.weight) == (QUESTION, (), 0.5)
    assert ENGLISH[1] in model.asked[0].messages[-1].content
    assert found.mark in model.asked[0].messages[0].content
    assert model.closed == 1


def test_what_was_not_good_enough_is_kept_with_its_place() -> None:
    found = answered(Scripted("."), How(options=Options(limit=2)))
    assert [(one.place, one.reason) for one in found.left_out][:3] == [(3, "rank"), (4, "rank"), (5, "rank")]


def test_what_does_not_fit_is_left_out() -> None:
    long = [f"{text} {'Bees and flowers and more of the same. ' * 20}" for text in ENGLISH]
    found = answered(Scripted(".", context_length=1500), How(options=Options(limit=6)), over=searcher(chunks(long)))
    assert 0 < len(found.passages) < 6
    assert {one.reason for one in found.left_out} == {"context"}
    assert found.limit is not None and found.tokens <= found.limit


def test_without_documents_the_model_is_asked_as_it_is() -> None:
    model = Scripted("I do not know.")
    found = answered(model, How(mode="none"))
    assert found.passages == () and model.asked == [ASKED]


def test_whole_documents_are_given_in_their_order() -> None:
    found = answered(Scripted("."), How(mode="whole"))
    assert [one.chunk.text for one in found.passages] == [one.chunk.text for one in whole_passages(chunks())]
    assert len(found.passages) == len(ENGLISH + FRENCH)
    only = How(mode="whole", options=Options(within=Filter(documents=("document-3",))))
    assert [one.chunk.document for one in answered(Scripted("."), only).passages] == ["document-3.txt"]


def test_whole_documents_that_do_not_fit_are_refused() -> None:
    with pytest.raises(WholeTooLong):
        answered(Scripted(".", context_length=600), How(mode="whole"))


def test_what_overlaps_is_given_once() -> None:
    import msgspec

    text = "One two three. Four five six. Seven eight."
    first = msgspec.structs.replace(chunk(0, text[:29], document="a"), start=0, end=29)
    second = msgspec.structs.replace(chunk(1, text[15:], document="a"), start=15, end=len(text))
    given = whole_passages([second, first])
    assert "".join(one.chunk.text for one in given) == text
    assert [(one.chunk.start, one.chunk.end) for one in given] == [(0, 29), (29, len(text))]


def test_the_question_is_made_to_stand_alone() -> None:
    conversation = ChatRequest(
        messages=(Message("user", QUESTION), Message("assistant", "They dance."), Message("user", "And how do they?"))
    )
    model = Scripted("How do bees tell where flowers are?", "So [1].")
    found = answered(model, How(rewrite=True), asked=conversation)
    assert found.asked == "How do bees tell where flowers are?"
    assert QUESTION in model.asked[0].messages[-1].content
    assert model.asked[1].messages[-1].content.endswith("And how do they?")  # the model answers what was asked


def test_a_first_question_is_not_rewritten() -> None:
    model = Scripted("So [1].")
    assert answered(model, How(rewrite=True)).asked == QUESTION
    assert len(model.asked) == 1


def test_other_wordings_are_searched_too() -> None:
    model = Scripted("1. Comment le boulanger fait-il le pain ?\n2. Which flowers do bees like?", "So [1].")
    found = answered(model, How(wordings=2, options=Options(limit=4)))
    assert found.also == ("Comment le boulanger fait-il le pain ?", "Which flowers do bees like?")
    assert FRENCH[5] in [one.chunk.text for one in found.passages]


def test_a_model_that_answers_instead_of_rewriting_is_not_believed() -> None:
    assert read_alone("They dance in the sun.", QUESTION) == QUESTION
    assert read_alone("", QUESTION) == QUESTION
    assert read_alone("x" * 500 + "?", QUESTION) == QUESTION
    assert (
        read_alone('"Standalone question: Where do wild bees find flowers?"', QUESTION)
        == "Where do wild bees find flowers?"
    )
    assert read_wordings(f"- {QUESTION}\n- No.\n- Why so?\n- Why so?", QUESTION, 3) == ("Why so?",)
    assert "last question" in alone([], QUESTION).messages[-1].content


def test_nothing_to_search_is_the_answers_error() -> None:
    with pytest.raises(NothingToSearch):
        answered(Scripted("."), How(options=Options(within=Filter(documents=("nowhere",)))))


def test_a_search_can_be_left() -> None:
    model, found = Scripted("."), threading.Event()

    def held() -> Searcher:
        found.wait(60)
        return searcher()

    grounded = Grounded(model, ground(held, model, How(), collection_id="c", french=False), lambda found: None)
    events = iter(grounded.stream(ASKED))
    assert isinstance(next(events), Idle)
    events.close()  # type: ignore[attr-defined]
    found.set()
    assert model.asked == []


def test_what_goes_wrong_in_the_thread_is_raised() -> None:
    def failing() -> None:
        raise WorkbenchError()

    with pytest.raises(WorkbenchError):
        list(working(failing))


def test_tokens_of_passages_have_their_own_origin() -> None:
    from core.rag.answer import _told_apart

    usage = Usage(prompt_tokens=100, generated_tokens=1, by_origin={"system": 20, "question": 80})
    event = _told_apart(Finished("stop", usage), 70)
    assert isinstance(event, Finished)
    assert event.usage.by_origin == {"system": 20, "question": 10, "documents": 70}
    assert sum(event.usage.by_origin.values()) == 100
    assert prompt.last_question(ASKED) == 0
