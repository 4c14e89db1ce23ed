"""What goes wrong on the Chat page: a red box with the cure, and nothing that was typed or had come is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.events import Prefill
from core.workbench import Workbench
from tests.e2e.serving import PATIENCE_S
from tests.pages.sitting import Sitting

pytestmark = pytest.mark.model

QUESTION = "What is the capital of France?"
DAMAGED = "Download the file again, from a source you trust, and compare its checksum."
PASTE = "All work and no play makes Jack a dull boy.\n" * 24_000
MISSING = "Pick a model from the list, or type the path of a GGUF file."


def empty(path: Path, _: Path) -> None:
    path.touch()


def text(path: Path, _: Path) -> None:
    path.write_text("These are not the weights you are looking for.\n" * 100)


def truncated(path: Path, smollm: Path) -> None:
    with smollm.open("rb") as whole:
        path.write_bytes(whole.read(20_000_000))


def missing(_: Path, __: Path) -> None:
    """Nothing is there."""


@pytest.mark.parametrize(
    ("make", "cure"), [(missing, MISSING), (empty, DAMAGED), (text, DAMAGED), (truncated, DAMAGED)]
)
def test_a_file_that_is_no_model(
    workbench: Workbench, smollm: Path, tmp_path: Path, make: Callable[[Path, Path], None], cure: str
) -> None:
    path = tmp_path / "typed_by_hand.gguf"
    make(path, smollm)
    page = Sitting(workbench).set(max_tokens=4, model=str(path))
    (said,) = page.errors()
    assert said.startswith(f"**{cure}**") and path.name in said
    page.ask(QUESTION)
    assert page.shown() == [QUESTION] and len(page.errors()) == 2
    assert page.id is None and page.opened() == [], "nothing is kept of a question that was not asked"
    page.set(model="smollm2-135m")
    assert page.shown() == [QUESTION]
    page.press("unsent-retry").answered()
    assert page.errors() == [] and page.shown() == [QUESTION, page.messages()[-1].content]
    assert page.messages()[-1].status == "complete"


def test_a_question_that_cannot_be_asked_is_let_go_when_another_is(workbench: Workbench) -> None:
    page = Sitting(workbench).set(max_tokens=2, model="nowhere.gguf").ask(QUESTION)
    page.set(model="smollm2-135m").ask("Another one.").answered()
    assert page.shown()[0] == "Another one."
    next(button for button in page.at.button if button.label == "New conversation").click()
    assert page.run().shown() == [] and page.errors() == []


def test_a_question_that_cannot_be_asked_stops_no_answer(workbench: Workbench) -> None:
    page = Sitting(workbench).set(temperature=0.0, max_tokens=2000)
    page.ask("Write a very long story about a lighthouse keeper.")
    story = page.answer()
    page.set(model="nowhere.gguf").ask(QUESTION)
    page.ask("   ")
    assert story is not None and not story.ended
    assert len(page.messages()) == 2 and page.shown()[-1] == QUESTION
    story.stop()
    assert page.answered().messages()[-1].status == "cut"


def test_asking_again_with_a_model_that_has_gone(workbench: Workbench) -> None:
    page = Sitting(workbench).set(max_tokens=2).ask(QUESTION).answered()
    page.set(model="nowhere.gguf").press("regenerate")
    assert len(page.errors()) == 2 and all(MISSING in error for error in page.errors())
    assert page.shown() == [QUESTION, page.messages()[-1].content]


@pytest.mark.parametrize("blank", [" ", "\n\t \u00a0"])
def test_a_blank_question(workbench: Workbench, blank: str) -> None:
    page = Sitting(workbench).ask(blank)
    assert page.errors() == ["**Type a question.**\n\nThere is nothing to answer: the question is empty."]
    assert page.id is None and page.shown() == []
    assert page.run().errors() == []


@pytest.mark.parametrize(
    "question", ["Salut 👩🏽‍🚀 !", "ما هي عاصمة فرنسا؟", "a\0b", "<script>alert(1)</script> ![x](http://x/y)"]
)
def test_a_question_is_shown_and_kept_as_it_was_typed(workbench: Workbench, question: str) -> None:
    page = Sitting(workbench).set(max_tokens=2).ask(question).answered()
    assert page.shown()[0] == question == page.messages()[0].content
    assert page.messages()[-1].status == "complete"


@pytest.mark.parametrize("policy", ["stop", "rolling"])
def test_a_megabyte_that_may_not_be_cut_is_refused_and_kept(workbench: Workbench, policy: str) -> None:
    page = Sitting(workbench).set(max_tokens=2, overflow=policy).ask(PASTE).answered()
    (said,) = page.errors()
    assert said.startswith("**Shorten the question") and "the model's context holds" in said
    question, answer = page.messages()
    assert question.content == PASTE and page.shown()[0] == PASTE.strip() and answer.status == "failed"
    page.ask("Shorter, then.").answered()
    assert page.messages()[-1].status == ("failed" if policy == "stop" else "complete")


def test_a_megabyte_whose_middle_may_be_cut_is_answered_and_that_is_said(workbench: Workbench) -> None:
    page = Sitting(workbench).set(max_tokens=2, overflow="truncate_middle").ask(PASTE)
    answer = page.answer()
    assert answer is not None
    next(event for event in answer.follow(timeout=PATIENCE_S) if isinstance(event, Prefill))
    answer.stop()  # reading four thousand tokens is slow, and is not what this is about
    page.answered()
    assert page.errors() == [] and page.messages()[0].content == PASTE
    assert any("The conversation did not fit: the model did not see" in caption for caption in page.captions())
