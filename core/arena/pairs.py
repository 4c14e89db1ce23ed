"""Who met whom how often, and with what result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core.arena.standings import Battle

POINTS = {"a": (1.0, 0.0), "b": (0.0, 1.0), "tie": (0.5, 0.5)}


class Pairs(NamedTuple):
    """Square tables by `models`. `counts[i][j]`: battles of the two. `shares[i][j]`: what share of the points i won
    against j, a tie ½; None where they never met, as nobody meets itself.
    """

    models: tuple[str, ...]
    counts: list[list[int]]
    shares: list[list[float | None]]


def pairs(battles: Iterable[Battle], models: Sequence[str]) -> Pairs:
    """The tables of these models, in this order; battles with others are left out."""
    place = {model: number for number, model in enumerate(models)}
    counts = [[0] * len(models) for _ in models]
    points = [[0.0] * len(models) for _ in models]
    for one in battles:
        if one.a in place and one.b in place and one.a != one.b:
            a, b = place[one.a], place[one.b]
            won, lost = POINTS[one.winner]
            points[a][b] += won
            points[b][a] += lost
            counts[a][b] += 1
            counts[b][a] += 1
    shares = [
        [point / count if count else None for point, count in zip(row, times, strict=True)]
        for row, times in zip(points, counts, strict=True)
    ]
    return Pairs(tuple(models), counts, shares)
