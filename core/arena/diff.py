"""Two texts word by word: what both say, and what only one does. Any two texts, in bounded time.

Words are compared without the spaces between them; punctuation marks are words of their own, and so is each character
of a script that writes none between its words. Which words stand for each other is found as `difflib` does (Ratcliff
and Obershelp, 1988: the longest run in common, then the same to its left and to its right), but breadth first and with
a limit: of texts that would take minutes, the parts that are not reached in time count as different.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import accumulate

import msgspec

LIMIT = 1_500_000
"""Comparisons of two words at most: about a second."""

_WORDS = re.compile(r"\A\s+\Z|(?:\A\s+)?(?:[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|\w+|[^\w\s])\s*")


class Piece(msgspec.Struct, frozen=True):
    """A run of words with the spaces after them. `same`: the other text says it too, at this place."""

    text: str
    same: bool


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Both texts in pieces, which joined are the texts.

    `alike`: words in common, each counted twice, ÷ words of both texts, 0 … 1; 1 for two empty ones. `whole`: False
    where the limit was reached before all was compared.
    """

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    alike: float
    whole: bool


def difference(left: str, right: str, *, limit: int = LIMIT) -> Difference:
    """What the two have in common, and what not."""
    ours, theirs = _WORDS.findall(left), _WORDS.findall(right)
    runs, whole = _runs([word.strip() for word in ours], [word.strip() for word in theirs], limit)
    shared = sum(size for _, _, size in runs)
    total = len(ours) + len(theirs)
    return Difference(
        left=_pieces(ours, [(begin, size) for begin, _, size in runs]),
        right=_pieces(theirs, [(begin, size) for _, begin, size in runs]),
        alike=2 * shared / total if total else 1.0,
        whole=whole,
    )


def common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many words, or characters, both begin with."""
    pairs = zip(left, right, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(left), len(right)))


def _runs(left: Sequence[str], right: Sequence[str], limit: int) -> tuple[list[tuple[int, int, int]], bool]:
    """(begin left, begin right, length) of what is in common, ascending; and whether the limit was kept."""
    head = common(left, right)
    tail = common(left[head:][::-1], right[head:][::-1])
    found = [(0, 0, head), (len(left) - tail, len(right) - tail, tail)]
    matcher = SequenceMatcher(None, left, right)
    places: dict[str, list[int]] = matcher.b2j  # type: ignore[attr-defined]  # documented, and not in typeshed
    # costs[i]: word pairs that are looked at for the first i words.
    costs = [0, *accumulate(1 + len(places.get(word, ())) for word in left)]
    waiting = deque([(head, len(left) - tail, head, len(right) - tail)])
    while waiting:
        begin, end, other_begin, other_end = waiting.popleft()
        if begin == end or other_begin == other_end:
            continue
        limit -= costs[end] - costs[begin]
        if limit < 0:
            return sorted(run for run in found if run[2]), False
        at, other_at, size = matcher.find_longest_match(begin, end, other_begin, other_end)
        if size:
            found.append((at, other_at, size))
            waiting.append((begin, at, other_begin, other_at))
            waiting.append((at + size, end, other_at + size, other_end))
    return sorted(run for run in found if run[2]), True


def _pieces(words: Sequence[str], runs: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    pieces, at = [], 0
    for begin, size in [*runs, (len(words), 0)]:
        pieces.append(Piece("".join(words[at:begin]), False))
        pieces.append(Piece("".join(words[begin : begin + size]), True))
        at = begin + size
    return tuple(piece for piece in pieces if piece.text)
