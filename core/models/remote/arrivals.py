"""Whether an answer was streamed, told by when its pieces came. Knows no network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

TOGETHER_S = 0.005
"""Pieces that come closer together are one arrival."""

SHORT = 60
"""Characters. An answer of fewer is over too soon to be judged."""

QUICK_S = 0.25
"""Seconds from the request to the last piece; what is over sooner is as good as streamed, however it came."""

AT_ONCE = 2
STREAMED = 4
SMALLEST_SHARE = 0.05


class Judged(msgspec.Struct, frozen=True):
    """How an answer came: in how many arrivals, over which share of the time from the request to its last piece.

    `streamed`: None where it cannot be said.
    """

    arrivals: int
    share: float
    streamed: bool | None


def judged(pieces: Sequence[float], *, characters: int) -> Judged:
    """Whether an answer of so many characters was streamed; `pieces`: the seconds from the request to each of them.

    It was, where it came in `STREAMED` arrivals or more over at least `SMALLEST_SHARE` of the time. It was not, where
    a long answer came in `AT_ONCE` arrivals or fewer: what is held back on the way comes all at once, at the end.
    """
    arrivals = sum(later - earlier > TOGETHER_S for earlier, later in pairwise(pieces)) + bool(pieces)
    share = (pieces[-1] - pieces[0]) / pieces[-1] if pieces and pieces[-1] > 0 else 0.0
    if characters < SHORT or not pieces or pieces[-1] < QUICK_S:
        return Judged(arrivals, share, None)
    if arrivals <= AT_ONCE:
        return Judged(arrivals, share, False)
    return Judged(arrivals, share, True if arrivals >= STREAMED and share >= SMALLEST_SHARE else None)
