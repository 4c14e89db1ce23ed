from __future__ import annotations

import random

import ir_measures
import pytest
from ir_measures import RR, R, nDCG

from core.rag import measures
from core.rag.evaluate import described, evaluate, ranking
from core.rag.question_sets import Expected, Question
from core.rag.retrieve import Options
from tests.rag.corpora import ENGLISH, FRENCH, chunk, chunks, searcher


def question(text: str, *places: Expected, id: str = "q") -> Question:
    return Question(id=id, text=text, expected=places)


ASKED = (
    question("Where do bees find flowers?", Expected(document="document-1"), id="1"),
    question("Comment le boulanger fait-il le pain ?", Expected(document="document-11.txt"), id="2"),
    question("What is a violin made of?", Expected(document="document-4"), Expected(document="document-2"), id="3"),
    question("xylophone", Expected(document="not there"), id="4"),
)


def test_measures_agree_with_ir_measures() -> None:
    drawing = random.Random(8)
    documents = [f"d{n}" for n in range(60)]
    qrels, rankings = {}, {}
    for number in range(80):
        chosen = drawing.sample(documents, drawing.randint(1, 9))
        qrels[f"q{number}"] = {one: drawing.choice([0, 1, 1, 2, 3]) for one in chosen} | {chosen[0]: 1}
        rankings[f"q{number}"] = drawing.sample(documents, drawing.randint(0, 40))
    run = {q: {one: 1000.0 - at for at, one in enumerate(found)} for q, found in rankings.items()}
    theirs = ir_measures.iter_calc([nDCG @ 10, R @ 5, R @ 10, RR], qrels, run)
    names = {nDCG @ 10: "ndcg@10", R @ 5: "recall@5", R @ 10: "recall@10", RR: "mrr"}
    compared = 0
    for value in theirs:
        ours = measures.of(rankings[value.query_id], qrels[value.query_id])[names[value.measure]]
        assert ours == pytest.approx(value.value, abs=1e-6)
        compared += 1
    assert compared >= 4 * sum(map(bool, rankings.values()))


def test_means_agree_with_ir_measures() -> None:
    measured = evaluate(searcher(), ASKED)
    places = {one.id: {place.document.removesuffix(".txt"): 1 for place in one.expected} for one in ASKED}
    for one in measured:
        run = {
            row.question.id: {name: -float(at) for at, name in enumerate(_whole(row.question, one.name))}
            for row in one.rows
        }
        theirs = ir_measures.calc_aggregate([nDCG @ 10, R @ 5, R @ 10, RR], places, run)
        for name, value in {"ndcg@10": nDCG @ 10, "recall@5": R @ 5, "recall@10": R @ 10, "mrr": RR}.items():
            assert one.means[name].mean == pytest.approx(theirs[value], abs=1e-6)


def _whole(asked: Question, retriever: str) -> list[str]:
    from core.rag.evaluate import RETRIEVERS

    return ranking(searcher().search(asked.text, RETRIEVERS[retriever]), by_passage=False)


def test_every_retriever_is_measured_and_what_failed_can_be_seen() -> None:
    measured = {one.name: one for one in evaluate(searcher(), ASKED)}
    assert list(measured) == ["dense", "bm25", "hybrid", "hybrid_rrf"]
    rows = measured["hybrid"].rows
    assert [row.rank for row in rows[:2]] == [1, 1]
    assert rows[3].rank is None and rows[3].scores == dict.fromkeys(measures.NAMES, 0.0)
    assert rows[0].found[0].chunk.text == ENGLISH[1]
    assert measured["bm25"].values("mrr")[0] == 1.0


def test_it_is_described_for_programs() -> None:
    told = described(evaluate(searcher(), ASKED), len(ASKED))
    assert set(told) == {"retrievers", "intervals", "queries"} and told["queries"] == 4
    assert set(told["retrievers"]["dense"]) == {"ndcg@10", "recall@5", "recall@10", "mrr"}
    low, high = told["intervals"]["hybrid"]["ndcg@10"]
    assert low <= told["retrievers"]["hybrid"]["ndcg@10"] <= high


def test_chosen_retrievers_alone_are_measured_and_it_says_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    measured = evaluate(searcher(), ASKED, {"mine": Options(method="bm25")}, step=lambda *at: told.append(at))
    assert [one.name for one in measured] == ["mine"]
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_passages_count_where_a_page_is_expected() -> None:
    passages = [chunk(n, text, document="book", page=n + 1) for n, text in enumerate(ENGLISH)]
    finder = searcher(passages)
    right = question("bees and flowers", Expected(document="book.txt", page=2))
    wrong = question("bees and flowers", Expected(document="book", page=5))
    (measured,) = evaluate(finder, [right, wrong], {"bm25": Options(method="bm25", limit=1)})
    assert [row.scores["mrr"] for row in measured.rows] == [1.0, 0.0]


def test_a_reranker_is_measured_beside_the_others() -> None:
    class Backwards:
        def scores(self, question: str, texts: list[str]) -> object:
            import numpy as np

            return -np.arange(len(texts), dtype=np.float32)[::-1]

    names = [one.name for one in evaluate(searcher(), ASKED[:1], reranker=Backwards())]  # type: ignore[arg-type]
    assert names[-1] == "rerank"


def test_intervals_hold_the_mean_and_are_the_same_each_time() -> None:
    values = [0.0, 1.0, 0.5, 1.0, 1.0, 0.3]
    found = measures.interval(values)
    assert found.low < found.mean < found.high
    assert found == measures.interval(values)
    assert measures.interval([0.4]) == measures.Interval(0.4, 0.4, 0.4)
    better = measures.difference([1.0, 1.0, 0.9], [0.2, 0.1, 0.3])
    assert better.low > 0


def test_a_document_stands_where_its_best_passage_does() -> None:
    passages = [chunk(0, ENGLISH[1], document="a"), chunk(1, ENGLISH[1] + " Bees.", document="a"), *chunks(FRENCH)[2:4]]
    hits = searcher(passages).search("bees", Options(limit=10))
    assert ranking(hits, by_passage=False)[0] == "a"
    assert len(ranking(hits, by_passage=False)) == len(set(ranking(hits, by_passage=False)))
