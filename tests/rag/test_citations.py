from __future__ import annotations

import pytest

from core.rag.citations import Cited, Citing, cited, judged, numbers_in, pieces
from tests.rag.corpora import ENGLISH, FRENCH, embed
from tests.rag.test_prompt import grounding

ANSWER = "Bees dance [1]. Lava becomes basalt [2, 3]."


def test_citations_are_found() -> None:
    assert pieces(ANSWER, 3) == [
        "Bees dance ",
        Cited("[1]", (1,)),
        ". Lava becomes basalt ",
        Cited("[2, 3]", (2, 3)),
        ".",
    ]
    assert cited(ANSWER, 3) == (1, 2, 3)


@pytest.mark.parametrize("size", range(1, 12))
def test_pieces_of_any_size_give_the_same_citations(size: int) -> None:
    citing = Citing(3)
    found: list[str | Cited] = []
    for at in range(0, len(ANSWER), size):
        found += citing.feed(ANSWER[at : at + size])
    found += citing.end()
    assert [one for one in found if isinstance(one, Cited)] == [
        one for one in pieces(ANSWER, 3) if isinstance(one, Cited)
    ]
    assert "".join(one if isinstance(one, str) else one.text for one in found) == ANSWER


def test_what_is_no_passage_is_text() -> None:
    assert pieces("See [7] and [x] and [", 3) == ["See [7] and [x] and ", "["]
    assert cited("[0] [4] [999]", 3) == ()


def test_ranges_are_written_out() -> None:
    assert numbers_in("1–3, 5") == (1, 2, 3, 5)
    assert numbers_in("3-1") == (3, 1)
    assert len(numbers_in("1-999")) <= 22


def test_sentences_are_held_against_what_they_cite() -> None:
    given = grounding(ENGLISH[1], ENGLISH[3])
    answer = (
        "Bees dance to tell where flowers are [1]. Lava that cools quickly becomes basalt [1]. "
        "Keepers live in the old lighthouse. The moon is made of green cheese [2]. Yes."
    )
    found = judged(answer, given)
    assert [one.verdict for one in found] == ["supported", "weak", "uncited", "weak", "unjudged"]
    assert found[1].closest == 2  # the passage that does say so
    (said,) = judged("Bees dance to tell where flowers are.", given)
    assert (said.verdict, said.said_by) == ("uncited", 1)
    assert [one.said_by for one in found] == [None] * 5
    assert [answer[one.start : one.end] for one in found] == [one.text for one in found]


def test_that_it_is_not_there_needs_no_support() -> None:
    (found,) = judged("Cela ne figure pas dans les documents.", grounding(FRENCH[0], french=True))
    assert found.verdict == "unjudged"


def test_numbers_that_there_are_not_are_named() -> None:
    (found,) = judged("The violin has four strings [1][9].", grounding(ENGLISH[4]))
    assert (found.numbers, found.unknown, found.verdict) == ((1,), (9,), "supported")


def test_similar_vectors_support_where_words_do_not() -> None:
    given = grounding("The violin has four strings. Other things are said here too.")
    answer = "Strings: the violin has four, four, four strings indeed [1]."
    (by_words,) = judged(answer, given)
    (compared,) = judged("A fiddle owns quartets of cords [1].", given, embed)
    assert by_words.similarity is None and by_words.verdict == "supported"
    assert compared.verdict == "weak" and compared.similarity is not None and compared.similarity < 0.7

    def alike(texts: object) -> object:
        import numpy as np

        return np.ones((len(list(texts)), 1), np.float32)  # type: ignore[call-overload]

    (rescued,) = judged("A fiddle owns quartets of cords [1].", given, alike)  # type: ignore[arg-type]
    assert (rescued.verdict, rescued.similarity) == ("supported", 1.0)
