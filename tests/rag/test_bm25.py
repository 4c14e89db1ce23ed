from __future__ import annotations

import math

import numpy as np

from core.rag.bm25 import K1, B, Bm25
from tests.rag.corpora import ENGLISH, FRENCH


def test_the_passage_that_says_it_is_first_in_both_languages() -> None:
    index = Bm25(ENGLISH + FRENCH)
    assert index.languages == ("en", "fr")
    assert int(np.argmax(index.scores("Where do bees find flowers?"))) == 1
    assert int(np.argmax(index.scores("Comment le pain est-il fait par les boulangers ?"))) == 11
    assert int(np.argmax(index.scores("cheval camargue"))) == 7


def test_scores_are_those_of_the_formula() -> None:
    texts = ("lava lava basalt", "basalt cools", "spruce")
    index = Bm25(texts)
    lengths, average = (3, 2, 1), 2.0

    def expected(frequency: int, holding: int, length: int) -> float:
        idf = math.log(1 + (3 - holding + 0.5) / (holding + 0.5))
        return idf * frequency / (frequency + K1 * (1 - B + B * length / average))

    scores = index.scores("lava basalt")
    assert math.isclose(scores[0], expected(2, 1, lengths[0]) + expected(1, 2, lengths[0]), rel_tol=1e-5)
    assert math.isclose(scores[1], expected(1, 2, lengths[1]), rel_tol=1e-5)
    assert scores[2] == 0


def test_a_passage_scored_as_it_stands_has_the_score_of_the_index() -> None:
    texts = ENGLISH + FRENCH
    index = Bm25(texts)
    for question in ("the strings of a violin", "les veines bleues du fromage", "steam steam engine"):
        scores = index.scores(question)
        again = [index.score_of(question, text, number) for number, text in enumerate(texts)]
        assert np.allclose(scores, again, rtol=1e-4, atol=1e-5)


def test_what_is_in_no_passage_scores_nothing() -> None:
    assert not Bm25(ENGLISH).scores("xylophone").any()
    assert not Bm25(ENGLISH).scores("the of and").any()
    assert not Bm25(ENGLISH).scores("").any()


def test_nothing_indexed_is_no_failure() -> None:
    assert Bm25([]).scores("bees").shape == (0,)
    assert not Bm25(["", "…"]).scores("bees").any()


def test_a_document_has_one_language() -> None:
    # The second passage alone tells no language; its document does, so its words are stemmed as the question's.
    texts = (
        "Les chevaux sont dans la prairie et ils y restent.",
        "Naissances, naissances",
        "The bees are in the hive.",
    )
    index = Bm25(texts, ["a", "a", "b"])
    assert index.scores("naissance")[1] > 0
