"""How many more votes would part two models whose intervals overlap. Knows numbers, and no votes."""

from __future__ import annotations

import math
from typing import NamedTuple

MOST = 10_000
"""More votes between two models than this nobody casts."""


class Interval(NamedTuple):
    """A score with its 95 % interval, and how many votes it comes from."""

    score: float
    low: float
    high: float
    votes: int


def decided(upper: Interval, lower: Interval) -> bool:
    """Whether one is ahead of the other: the intervals do not overlap.

    Stricter than a test of the difference: two intervals of 95 % that only touch part their scores at about 99.5 %
    (Schenker and Gentleman, "On Judging the Significance of Differences by Examining the Overlap Between Confidence
    Intervals", The American Statistician 55, 2001).
    """
    return upper.low > lower.high


def votes_needed(upper: Interval, lower: Interval) -> int | None:
    """How many votes between the two would part their intervals, if their scores stay where they are.

    An interval narrows with the root of its votes: with x more, the halves that face each other reach
    (u − u.low)·√(n_u ÷ (n_u + x)) and (l.high − l)·√(n_l ÷ (n_l + x)) from the scores u ≥ l, and x is the least number
    for which they add up to less than u − l. From the estimate's variance ∝ 1 ÷ votes (Agresti, "Categorical Data
    Analysis", 3rd ed., 2013, section 11.6 for Bradley–Terry). 0 when they are apart; None above MOST.
    """

    def apart(more: int) -> bool:
        down = (upper.score - upper.low) * math.sqrt(upper.votes / (upper.votes + more))
        up = (lower.high - lower.score) * math.sqrt(lower.votes / (lower.votes + more))
        return down + up < upper.score - lower.score

    if apart(0):
        return 0
    if not apart(MOST):
        return None
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if apart(middle) else (middle, high)
    return high
