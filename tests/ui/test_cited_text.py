from __future__ import annotations

from core.rag.citations import judged
from pages.ui.cited_text import drawable
from pages.ui.cited_text.component import marked
from tests.rag.corpora import ENGLISH
from tests.rag.test_prompt import grounding

GIVEN = grounding(*ENGLISH[:2])


def text_of(answer: str) -> str:
    return marked(answer, judged(answer, GIVEN), len(GIVEN.passages))


def test_citations_of_passages_that_there_are_become_marks() -> None:
    answer = "The lighthouse of Cordouan stands at the mouth of the Gironde [1, 2]. See [9]."
    assert text_of(answer) == (
        "The lighthouse of Cordouan stands at the mouth of the Gironde \ue0101\ue011\ue0102\ue011. See [9]."
    )


def test_what_nothing_supports_has_a_flag() -> None:
    assert text_of("The moon is made of green cheese.").endswith("cheese.\ue012uncited\ue013")
    assert text_of("The moon is made of green cheese [2].").endswith(".\ue012weak\ue013")


def test_a_passage_that_says_it_uncited_is_named() -> None:
    assert text_of("Bees dance to tell each other where flowers are.").endswith("\ue012found\ue013\ue0102\ue011")


def test_an_answer_cannot_bring_marks_of_its_own() -> None:
    assert "\ue010" not in text_of("Press \ue0101\ue011 or \ue012weak\ue013 here.").split("here.")[0]


def test_formulas_are_left_to_streamlit() -> None:
    assert drawable("It costs 5 euros.")
    assert not drawable("$x^2$") and not drawable("\\(x\\)")
