"""Retrievers measured on questions whose answers' places are known. No model is asked; only questions are embedded.

dense      vectors alone
bm25       keywords alone
hybrid     both, weighted as the collection calibrates itself: no label is looked at
hybrid_rrf both, by reciprocal ranks
rerank     hybrid, its best candidates read by a cross-encoder, where there is one
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from core.rag import measures, question_sets
from core.rag.measures import NAMES, Interval
from core.rag.question_sets import Question
from core.rag.rerank import Reranker
from core.rag.retrieve import Options, Searcher
from core.rag.values import Hit

DEPTH = 100
"""Passages of a ranking that are looked at."""

RETRIEVERS: dict[str, Options] = {
    "dense": Options(method="dense", limit=DEPTH),
    "bm25": Options(method="bm25", limit=DEPTH),
    "hybrid": Options(method="hybrid", limit=DEPTH),
    "hybrid_rrf": Options(method="hybrid", fusion="rrf", limit=DEPTH),
    "rerank": Options(method="hybrid", limit=DEPTH, candidates=DEPTH),
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One question with one retriever. `found`: the best passages; `rank`: of the first right one, None: not found."""

    question: Question
    scores: dict[str, float]
    rank: int | None
    found: tuple[Hit, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A retriever. `means`: by measure (`NAMES`); `rows`: a question each, in their order.

    `seconds`: median time of a search, without embedding the question.
    """

    name: str
    means: dict[str, Interval]
    rows: tuple[Row, ...]
    seconds: float

    def values(self, measure: str) -> list[float]:
        """Of each question."""
        return [row.scores[measure] for row in self.rows]


SHOWN = 5
"""Passages that are kept of each question, to be looked at."""


def evaluate(
    searcher: Searcher,
    questions: Sequence[Question],
    retrievers: Mapping[str, Options] | None = None,
    *,
    reranker: Reranker | None = None,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> list[Measured]:
    """Each retriever on all questions. Without `retrievers` all of them, `rerank` where there is a reranker.

    step: told how many searches of how many are done; what it raises ends the work. Raises `NothingToSearch`.
    """
    chosen = retrievers or {name: of for name, of in RETRIEVERS.items() if name != "rerank" or reranker is not None}
    total, done = len(chosen) * len(questions), 0
    places = question_sets.Places(searcher.chunks)
    grades = [places.grades(question) for question in questions]
    known = _Remembered(searcher, [question.text for question in questions])
    found = []
    for name, options in chosen.items():
        rows, took = [], []
        for question, graded in zip(questions, grades, strict=True):
            step(done, total)
            began = time.perf_counter()
            hits = known.search(question.text, options, reranker if name == "rerank" else None)
            took.append(time.perf_counter() - began)
            rows.append(_row(question, graded, hits))
            done += 1
        means = {measure: measures.interval([row.scores[measure] for row in rows]) for measure in NAMES}
        seconds = sorted(took)[len(took) // 2]
        found.append(Measured(name=name, means=means, rows=tuple(rows), seconds=seconds))
    step(total, total)
    return found


def described(measured: Sequence[Measured], questions: int) -> dict[str, Any]:
    """For programs: {"retrievers": {name: {measure: mean}}, "intervals": …, "queries"}."""
    return {
        "retrievers": {one.name: {name: of.mean for name, of in one.means.items()} for one in measured},
        "intervals": {one.name: {name: [of.low, of.high] for name, of in one.means.items()} for one in measured},
        "queries": questions,
    }


def ranking(hits: Sequence[Hit], *, by_passage: bool) -> list[str]:
    """What was found, the best first, none twice: a document stands where its best passage does."""
    return list(dict.fromkeys(question_sets.key(hit.chunk, by_passage=by_passage) for hit in hits))


def _row(question: Question, graded: Mapping[str, int], hits: Sequence[Hit]) -> Row:
    ranked = ranking(hits, by_passage=question_sets.narrow(question))
    rank = next((place for place, one in enumerate(ranked, start=1) if graded.get(one, 0) > 0), None)
    return Row(question=question, scores=measures.of(ranked, graded), rank=rank, found=tuple(hits[:SHOWN]))


class _Remembered:
    """A searcher that embeds the questions once, together."""

    def __init__(self, searcher: Searcher, texts: Sequence[str]) -> None:
        asked = list(dict.fromkeys(texts))
        vectors = searcher.embed(asked) if asked and searcher.chunks else ()
        self._vectors = dict(zip(asked, vectors, strict=False))
        self._searcher = searcher

    def search(self, text: str, options: Options, reranker: Reranker | None) -> list[Hit]:
        vector = self._vectors.get(text)
        return self._searcher.search(text, options, reranker=reranker, vector=vector)
