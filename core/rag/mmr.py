"""Diversity: maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.late import np
from core.rag.fusion import Floats, min_max

if TYPE_CHECKING:
    from numpy.typing import NDArray


def order(scores: Floats, vectors: Floats, number: int, *, diversity: float) -> tuple[list[int], list[float]]:
    """Places of at most `number` of them, and what each was worth when it was taken.

    scores: relevance, the greater the better. vectors: a unit vector a row. diversity: 0 keeps the order by score;
    1 asks only that a passage is unlike those before it. The most relevant one is always the first.
    """
    relevance = min_max(scores)
    similarity = np.zeros(len(scores), np.float64)
    left = np.ones(len(scores), bool)
    taken: list[int] = []
    worths: list[float] = []
    while left.any() and len(taken) < number:
        share = diversity if taken else 0.0
        worth = (1 - share) * relevance - share * similarity
        one = int(np.argmax(np.where(left, worth, -np.inf)))
        taken.append(one)
        worths.append(float(worth[one]))
        left[one] = False
        nearness: NDArray[np.float64] = (vectors @ vectors[one]).astype(np.float64)
        similarity = np.maximum(similarity, nearness)
    return taken, worths
