"""Two rankings into one: weighted sums of scores scaled to 0 … 1, or reciprocal ranks. NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from core.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


RRF_K = 60
"""Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009."""

Floats: TypeAlias = "NDArray[np.floating]"


def min_max(scores: Floats) -> Floats:
    """Scaled so that the least is 0 and the greatest 1. Equal ones are all 1, or all 0 where they are nothing: either
    way they decide nothing."""
    if not scores.size:
        return scores.astype(np.float64)
    low, high = float(scores.min()), float(scores.max())
    if high <= low:
        return np.full(scores.shape, 1.0 if high > 0 else 0.0)
    return (scores.astype(np.float64) - low) / (high - low)


def weighted(dense: Floats, keywords: Floats, weight: float) -> Floats:
    """`weight · dense + (1 − weight) · keywords`, each min–max scaled over these candidates. weight: 0 … 1."""
    return weight * min_max(dense) + (1 - weight) * min_max(keywords)


def reciprocal_rank(ranks: Sequence[Floats | NDArray[np.integer]], *, k: int = RRF_K) -> Floats:
    """The sum of 1 ÷ (k + rank) over the rankings. Ranks count from 1; 0 is not ranked and adds nothing."""
    total = np.zeros(len(ranks[0]), np.float64)
    for one in ranks:
        total += np.where(one > 0, 1.0 / (k + one.astype(np.float64)), 0.0)
    return total


def ranks(scores: Floats) -> NDArray[np.int64]:
    """The rank of each, from 1, the greatest first; of equal ones the first."""
    order = np.argsort(-scores, kind="stable")
    found = np.empty(len(scores), np.int64)
    found[order] = np.arange(1, len(scores) + 1)
    return found


def best(scores: Floats, number: int) -> NDArray[np.int64]:
    """The places of the `number` greatest, the greatest first; of equal ones the first."""
    number = min(number, len(scores))
    if number <= 0:
        return np.empty(0, np.int64)
    if number >= len(scores):
        return np.argsort(-scores, kind="stable").astype(np.int64)
    least = np.partition(scores, len(scores) - number)[len(scores) - number]
    above = np.flatnonzero(scores > least)
    level = np.flatnonzero(scores == least)[: number - len(above)]
    chosen = np.concatenate([above, level])
    return chosen[np.lexsort((chosen, -scores[chosen]))].astype(np.int64)
