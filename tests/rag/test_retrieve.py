from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.errors import NothingToSearch
from core.rag import fusion, mmr
from core.rag.fusion import Floats
from core.rag.retrieve import Filter, Options, Searcher
from tests.rag.corpora import ENGLISH, FRENCH, chunk, chunks, embed, searcher

QUESTION = "What shows the direction of the sun to bees?"


def test_min_max_scales_to_one_and_equal_scores_decide_nothing() -> None:
    assert fusion.min_max(np.array([2.0, 4.0, 3.0])).tolist() == [0, 1, 0.5]
    assert fusion.min_max(np.array([5.0, 5.0])).tolist() == [1, 1]
    assert fusion.min_max(np.array([0.0, 0.0])).tolist() == [0, 0]
    assert fusion.min_max(np.array([])).tolist() == []


def test_reciprocal_ranks_add_up() -> None:
    one, other = np.array([1, 2, 0]), np.array([2, 0, 1])
    found = fusion.reciprocal_rank([one, other])
    assert found.tolist() == pytest.approx([1 / 61 + 1 / 62, 1 / 62, 1 / 61])


def test_best_are_in_order_and_of_equal_ones_the_first() -> None:
    scores = np.array([1.0, 3.0, 2.0, 3.0, 0.0, 2.0])
    assert fusion.best(scores, 3).tolist() == [1, 3, 2]
    assert fusion.best(scores, 99).tolist() == [1, 3, 2, 5, 0, 4]
    assert fusion.best(scores, 0).tolist() == []


@pytest.mark.parametrize("method", ["dense", "bm25", "hybrid"])
def test_every_method_finds_the_passage(method: str) -> None:
    hits = searcher().search(QUESTION, Options(method=method, limit=3))  # type: ignore[arg-type]
    assert hits[0].chunk.text == ENGLISH[1]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].ranks[method] == 1  # type: ignore[index]


def test_a_hit_knows_its_scores_and_ranks_at_every_stage() -> None:
    hit = searcher(weight=0.25).search(QUESTION, Options(limit=1))[0]
    assert set(hit.scores) == set(hit.ranks) == {"dense", "bm25", "hybrid"}
    assert hit.score == hit.scores["hybrid"] == pytest.approx(1.0)  # first in both
    assert hit.scores["dense"] == pytest.approx(float(embed([QUESTION])[0] @ embed([ENGLISH[1]])[0]), abs=1e-5)


def test_the_weight_decides_between_vectors_and_keywords() -> None:
    finder = searcher(weight=1.0)
    assert [h.chunk.id for h in finder.search("cheval", Options(limit=4))] == [
        h.chunk.id for h in finder.search("cheval", Options(limit=4, method="dense"))
    ]
    # Vectors made of whole words do not know that "cheval" and "chevaux" are one; stems do.
    assert finder.search("cheval", Options(limit=1, weight=0.0))[0].chunk.text == FRENCH[1]


def test_candidates_of_keywords_have_their_similarity_too() -> None:
    near = searcher()
    asked: list[int] = []

    def nearest(vector: Floats, number: int) -> Sequence[tuple[str, float]]:
        asked.append(number)
        return [("chunk-0", 0.9), ("gone", 0.8)]  # an index that knows little, and something that is no more

    finder = Searcher(near.chunks, near.vectors, embed, nearest=nearest, weight=0.5)
    hits = finder.search(QUESTION, Options(limit=20))
    assert asked == [100]
    exact = {hit.chunk.id: hit.scores["dense"] for hit in near.search(QUESTION, Options(limit=20))}
    assert hits and all(hit.scores["dense"] == pytest.approx(exact[hit.chunk.id], abs=1e-6) for hit in hits)
    assert {hit.chunk.id for hit in hits if "bm25" in hit.ranks} | {"chunk-0"} == {hit.chunk.id for hit in hits}


def test_conditions_hold() -> None:
    passages = [chunk(n, text, document="book", page=n + 1) for n, text in enumerate(ENGLISH)]
    passages += [chunk(n + 10, text, document="livre") for n, text in enumerate(FRENCH)]
    finder = searcher(passages)
    within = Filter(documents=("livre",))
    assert {hit.chunk.document_id for hit in finder.search(QUESTION, Options(within=within, limit=50))} == {"livre"}
    pages = Filter(documents=("book.txt",), first_page=2, last_page=3)
    assert {hit.chunk.page for hit in finder.search(QUESTION, Options(within=pages, limit=50))} == {2, 3}
    with pytest.raises(NothingToSearch):
        finder.search(QUESTION, Options(within=Filter(documents=("nowhere",))))


def test_nothing_to_search_is_said() -> None:
    with pytest.raises(NothingToSearch):
        Searcher([], np.empty((0, 8), np.float32), embed).search("anything")
    assert searcher().search("  ") == []


def test_several_wordings_find_what_each_finds() -> None:
    hits = searcher().search("bees and flowers", Options(limit=4), also=("le pain du boulanger",))
    assert {ENGLISH[1], FRENCH[5]} <= {hit.chunk.text for hit in hits}


def test_a_reranker_has_the_last_word() -> None:
    class Longest:
        def scores(self, question: str, texts: Sequence[str]) -> Floats:
            assert question == QUESTION
            return np.array([len(text) for text in texts], np.float32)

    hits = searcher().search(QUESTION, Options(limit=3), reranker=Longest())
    lengths = [len(hit.chunk.text) for hit in hits]
    assert lengths == sorted(lengths, reverse=True)
    assert [hit.ranks["rerank"] for hit in hits] == [1, 2, 3]
    assert hits[0].score == hits[0].scores["rerank"] == lengths[0]


def test_diversity_leaves_out_what_was_said_already() -> None:
    twice = [*ENGLISH[:3], ENGLISH[1] + " Again.", ENGLISH[1] + " Once more."]
    finder = searcher(chunks(twice))
    plain = finder.search(QUESTION, Options(limit=3))
    assert sum("Bees" in hit.chunk.text for hit in plain) == 3
    diverse = finder.search(QUESTION, Options(limit=3, diversity=0.7))
    assert "Bees" in diverse[0].chunk.text
    assert sum("Bees" in hit.chunk.text for hit in diverse) == 1
    assert [hit.ranks["mmr"] for hit in diverse] == [1, 2, 3]


def test_no_diversity_keeps_the_order() -> None:
    scores = np.array([0.1, 0.9, 0.5])
    taken, worths = mmr.order(scores, np.eye(3, dtype=np.float32), 2, diversity=0.0)
    assert taken == [1, 2]
    assert worths == [1.0, 0.5]


def test_headings_are_read_by_keyword_search() -> None:
    import msgspec

    headed = [
        msgspec.structs.replace(one, headings=("Apiculture",)) if n == 1 else one for n, one in enumerate(chunks())
    ]
    assert searcher(headed).search("apiculture", Options(method="bm25"))[0].chunk.text == ENGLISH[1]


def test_a_question_in_another_language_finds_nothing_by_keywords_and_says_so() -> None:
    english = searcher(chunks(ENGLISH))
    assert english.search("Où les abeilles trouvent-elles le miel ?", Options(method="bm25")) == []
    hits = english.search("Où les abeilles trouvent-elles le miel ?", Options(limit=3))
    assert len(hits) == 3 and all("bm25" not in hit.ranks for hit in hits)


@pytest.mark.parametrize("question", ["\0", "☃☃☃", "a" * 20_000, "x' OR 1=1 --", "\ud800"])
def test_odd_questions_are_searched_like_others(question: str) -> None:
    assert len(searcher().search(question, Options(limit=2))) == 2
