"""Titles by the model in idle time: what is taken of what it writes, when it is asked, and when it gives way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core import titles
from core.chat import Asking
from core.messages import Message, Sampling
from core.settings import Settings
from core.titles import Titles, title_from
from core.workbench import Workbench, open_workbench
from tests.asking import GREEDY

ME = "person"
LONG = "Explain to a child in the first grade what a token of a language model is."
ITS_TITLE = "A token of a language model"
"""What the embedded model writes for it at temperature 0."""

IDLE_S = 0.3
PATIENCE_S = 60.0


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    opened = open_workbench(Settings(home=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def quick(workbench: Workbench) -> Iterator[Titles]:
    """The workbench's titles, without the seconds of patience."""
    model = workbench.chat_model
    made = Titles(workbench.conversations, workbench.library, workbench.answers, model, idle_s=IDLE_S)
    yield made
    made.close()


def asked(workbench: Workbench, question: str = LONG, **fields: object) -> str:
    """The id of a conversation with one whole answer."""
    asking = Asking(**({"sampling": GREEDY, "max_tokens": 8} | fields))  # type: ignore[arg-type]
    message = workbench.chat.ask(ME, None, question, asking)
    answer = workbench.chat.running(message)
    assert answer is not None and answer.wait(PATIENCE_S)
    return message.conversation_id


def settled(made: Titles) -> None:
    until(lambda: made.waiting == 0)


def until(condition: object, seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def title(workbench: Workbench, id: str) -> str:
    return workbench.conversations.get(ME, id).title


QUESTION = "Can you tell me how I could calm down my dog, who is afraid of thunder?"
ANSWER = "Stay calm yourself, close the shutters, and give your dog a quiet place."


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (" Calm down a dog", "Calm down a dog"),
        ('"Calm your dog"\n\nTitle: something else', "Calm your dog"),
        ("Title: **A dog afraid of thunder.**", "A dog afraid of thunder"),
        ("« Dog, thunder »", "Dog, thunder"),
        ("  dog \t and   thunder ", "Dog and thunder"),
        ("DOG: thunder", "DOG: thunder"),
        ("", None),
        ("\n", None),
        ('"" ** --', None),
        ("dog", None),
        ("Bonjour, je suis un chien", None),
        ("How to calm a terrified cat", None),
        ("Thunder thunder thunder", None),
        ("Can you tell me how I could calm down my dog", None),
        ("le thunder", None),
    ],
)
def test_a_title_is_taken_or_dropped(written: str, title: str | None) -> None:
    assert title_from(written, question=QUESTION, answer=ANSWER) == title


def test_a_capable_model_may_use_words_of_its_own() -> None:
    def made(text: str) -> str | None:
        return title_from(text, question=QUESTION, answer=ANSWER, own_words=2)

    assert made("Managing a dog's fear of thunder") == "Managing a dog's fear of thunder"
    assert made("Pets and storms") is None, "nothing of it was said"
    assert made("Managing pets: noise, fear, thunder") is None, "three of its own"


def test_accents_case_and_endings_do_not_matter() -> None:
    question = "Explique-moi la photosynthèse des végétaux comme à un élève de sixième"
    assert title_from("la Photosynthese du végétal", question=question, answer="du soleil") == (
        "La Photosynthese du végétal"
    )


@pytest.mark.model
def test_a_long_question_gets_a_title_and_keeps_it(workbench: Workbench, quick: Titles) -> None:
    id = asked(workbench)
    before = workbench.conversations.get(ME, id)
    assert before.title.startswith("Explain to a child")
    quick.wish(ME, id)
    settled(quick)
    after = workbench.conversations.get(ME, id)
    assert (after.title, after.updated_at) == (ITS_TITLE, before.updated_at)
    assert [entry.id for entry in workbench.library.untitled(ME)] == []
    assert len(workbench.runs.list(ME, limit=10)) == 1, "a title is no answer"


@pytest.mark.model
@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Bonjour, peux-tu m'aider à préparer un exposé sur les volcans d'Auvergne pour vendredi ?",
        "Corrige les fautes de ce texte et explique-les : « Les enfant joue dans le jardins avec leur chien »",
    ],
)
def test_first_words_stay_where_the_model_has_none_better(workbench: Workbench, quick: Titles, question: str) -> None:
    id = asked(workbench, question)
    first_words = title(workbench, id)
    quick.wish(ME, id)
    settled(quick)
    assert title(workbench, id) == first_words
    assert workbench.library.untitled(ME) == [], "it is not tried again"


@pytest.mark.model
def test_a_persons_title_is_never_replaced(workbench: Workbench, quick: Titles) -> None:
    id = asked(workbench)
    workbench.library.rename(ME, id, "Mine")
    quick.wish(ME, id)
    settled(quick)
    assert title(workbench, id) == "Mine"


@pytest.mark.model
def test_nothing_is_loaded_for_a_title(workbench: Workbench, quick: Titles) -> None:
    id = asked(workbench)
    first_words = title(workbench, id)
    workbench.shelf.close()
    quick.wish(ME, id)
    settled(quick)
    assert workbench.shelf.loaded() == [] and title(workbench, id) == first_words
    assert [entry.id for entry in workbench.library.untitled(ME)] == [id], "it gets one when the model is back"
    asked(workbench, "Hi!")
    quick.wish(ME, id)
    settled(quick)
    assert title(workbench, id) == ITS_TITLE


@pytest.mark.model
def test_it_waits_for_every_answer(workbench: Workbench, quick: Titles) -> None:
    id = asked(workbench)
    first_words = title(workbench, id)
    other = workbench.chat.ask(ME, None, "Tell me a long story.", Asking(sampling=Sampling(seed=1), max_tokens=4000))
    story = workbench.chat.running(other)
    assert story is not None
    quick.wish(ME, id)
    time.sleep(4 * IDLE_S)
    assert title(workbench, id) == first_words and quick.waiting == 1 and not story.ended
    story.stop()
    assert story.wait(PATIENCE_S)
    settled(quick)
    assert title(workbench, id) == ITS_TITLE


@pytest.mark.model
def test_it_gives_way_to_a_person_and_tries_again(
    workbench: Workbench, quick: Titles, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, right = asked(workbench), titles.request(LONG)
    story = (Message("user", "Write a very long story about a lighthouse keeper."),)
    endless = msgspec.structs.replace(right, messages=story, max_tokens=4000, stop=(), continue_last=False)
    requests = iter([endless, right])
    monkeypatch.setattr(titles, "request", lambda question: next(requests))
    quick.wish(ME, id)
    until(lambda: workbench.shelf.loaded()[0].answering == 1)
    asked(workbench, "Hello?")
    settled(quick)
    assert title(workbench, id) == ITS_TITLE and next(requests, None) is None


@pytest.mark.model
def test_what_is_gone_or_anothers_is_left_alone(workbench: Workbench, quick: Titles) -> None:
    id = asked(workbench)
    workbench.library.delete(ME, id)
    quick.wish(ME, id)
    quick.wish("somebody-else", "no-such")
    settled(quick)
    workbench.library.restore(ME, id)
    assert title(workbench, id).startswith("Explain")


@pytest.mark.model
def test_closing_ends_it_at_once(workbench: Workbench, quick: Titles) -> None:
    quick.wish(ME, asked(workbench))
    quick.close()
    assert not any(thread.name == "titles" and thread.is_alive() for thread in threading.enumerate())
    before = quick.waiting
    quick.wish(ME, "another")
    assert quick.waiting == before
