"""How well a ranking finds what it should: recall@k, MRR, nDCG@k, as `trec_eval` and `ir_measures` define them.

recall@k          relevant documents among the first k ÷ all relevant ones
MRR               1 ÷ rank of the first relevant document, 0 where none is found
nDCG@k            Σ grade ÷ log2(1 + rank) over the first k ÷ the same of the best order there is (Järvelin and
                  Kekäläinen 2002, linear gain)

Grades above 0 are relevant. A question of which nothing was found counts as 0.
Intervals: percentile bootstrap over the questions, the same each time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from core.late import np

NAMES = ("ndcg@10", "recall@5", "recall@10", "mrr")

ROUNDS = 2000
SHARE = 0.95


class Interval(msgspec.Struct, frozen=True):
    """A mean over questions, and between what it lies in 95 of 100 resamplings of them."""

    mean: float
    low: float
    high: float


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """recall@k. ranking: documents, the best first, none twice. grades: of the documents that matter."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int]) -> float:
    """1 ÷ rank of the first relevant document."""
    return next((1 / rank for rank, one in enumerate(ranking, start=1) if grades.get(one, 0) > 0), 0.0)


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """nDCG@k."""
    best = _gain(sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k])
    return _gain([max(grades.get(one, 0), 0) for one in ranking[:k]]) / best if best else 0.0


def of(ranking: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    """All of `NAMES`, of one question."""
    return {
        "ndcg@10": ndcg(ranking, grades, 10),
        "recall@5": recall(ranking, grades, 5),
        "recall@10": recall(ranking, grades, 10),
        "mrr": reciprocal_rank(ranking, grades),
    }


def interval(values: Sequence[float], *, rounds: int = ROUNDS, seed: int = 0) -> Interval:
    """The mean of at least one value, with its interval."""
    numbers = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(numbers), (rounds, len(numbers)))
    low, high = np.quantile(numbers[drawn].mean(axis=1), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return Interval(float(numbers.mean()), float(low), float(high))


def difference(one: Sequence[float], other: Sequence[float], *, rounds: int = ROUNDS, seed: int = 0) -> Interval:
    """How much better the first does than the second on the same questions, resampled together."""
    return interval([a - b for a, b in zip(one, other, strict=True)], rounds=rounds, seed=seed)


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(1 + rank) for rank, grade in enumerate(grades, start=1))
