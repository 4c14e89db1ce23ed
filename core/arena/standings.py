"""What a ranking says: a row for each model, which models were never compared, and which pairs are still undecided.

Frozen values and how they are put together from estimates; how those are made is for rating.py and style.py. Models
between which no chain of votes leads are in different groups: they are ranked apart, and nothing is said across.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import msgspec

from core.arena.needed import Interval, decided, votes_needed

PRIOR_BATTLES = 2
"""Battles with the mean result that the shrunk score begins with, as Compar'IA's personal ranking does."""


class Battle(msgspec.Struct, frozen=True):
    """One vote as rankings see it; an answer as bad as the other is a tie. `weight`: how many votes it counts for."""

    a: str
    b: str
    winner: Literal["a", "b", "tie"]
    weight: float = 1.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One model. `score` with its 95 % interval `low`–`high`: on the Elo scale, 1000 the mean of its group.

    `best`, `worst`: the places in the group that the intervals leave open (`needed.places`). `shrunk`: the share of
    points (a win 1, a tie ½), drawn to the mean of all models as long as there are few battles: (points + 2·m) ÷
    (battles + 2). `group`: its index in `Ranking.groups`.
    """

    model: str
    score: float
    low: float
    high: float
    battles: int
    wins: int
    losses: int
    ties: int
    shrunk: float
    best: int
    worst: int
    group: int


class Undecided(msgspec.Struct, frozen=True):
    """Two models of a group whose intervals overlap; `a` has the higher score. `needed`: how many more votes between
    the two would part them if they stay as far apart as they are; None where no number that anybody casts would.
    """

    a: str
    b: str
    needed: int | None


class Ranking(msgspec.Struct, frozen=True):
    """`rows` by group, the highest score first; `groups`: their models, the group with the most battles first."""

    rows: tuple[Row, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    undecided: tuple[Undecided, ...] = ()


class Estimate(NamedTuple):
    """A score and its interval, on the Elo scale."""

    score: float
    low: float
    high: float


class Tally(msgspec.Struct):
    """What became of one model's battles."""

    wins: int = 0
    losses: int = 0
    ties: int = 0

    @property
    def battles(self) -> int:
        return self.wins + self.losses + self.ties

    @property
    def points(self) -> float:
        """A win is 1, a tie ½."""
        return self.wins + self.ties / 2


def counted(battles: Iterable[Battle]) -> Counter[Battle]:
    """How often each battle was fought. One of a model with itself says nothing, and is left out."""
    return Counter(battle for battle in battles if battle.a != battle.b)


def tallies(counts: Mapping[Battle, int]) -> dict[str, Tally]:
    """By model, sorted by name, so that nothing depends on the order of the votes."""
    found = {model: Tally() for model in sorted({name for one in counts for name in (one.a, one.b)})}
    for battle, count in counts.items():
        if battle.winner == "tie":
            found[battle.a].ties += count
            found[battle.b].ties += count
        else:
            winner, loser = (battle.a, battle.b) if battle.winner == "a" else (battle.b, battle.a)
            found[winner].wins += count
            found[loser].losses += count
    return found


def groups(counts: Mapping[Battle, int]) -> list[list[str]]:
    """The models in groups that no vote connects, the group with the most battles first; each sorted by name."""
    tally = tallies(counts)
    parent = {model: model for model in tally}

    def root(model: str) -> str:
        while parent[model] != model:
            parent[model] = parent[parent[model]]
            model = parent[model]
        return model

    for battle in counts:
        parent[root(battle.a)] = root(battle.b)
    found: dict[str, list[str]] = {}
    for model in tally:
        found.setdefault(root(model), []).append(model)
    return sorted(found.values(), key=lambda group: (-sum(tally[model].battles for model in group), group))


def ranking(counts: Mapping[Battle, int], estimates: Mapping[str, Estimate]) -> Ranking:
    """The whole of it; `estimates` has one for each model."""
    tally = tallies(counts)
    mean = sum(one.points / one.battles for one in tally.values()) / len(tally) if tally else 0.0
    rows: list[Row] = []
    undecided: list[Undecided] = []
    apart = groups(counts)
    for number, group in enumerate(apart):
        ordered = sorted(group, key=lambda model: (-estimates[model].score, model))
        intervals = [Interval(*estimates[model], votes=tally[model].battles) for model in ordered]
        rows += [
            _row(model, number, tally[model], interval, intervals, mean)
            for model, interval in zip(ordered, intervals, strict=True)
        ]
        undecided += _undecided(ordered, intervals)
    return Ranking(tuple(rows), tuple(map(tuple, apart)), tuple(undecided))


def _row(model: str, group: int, tally: Tally, own: Interval, others: Sequence[Interval], mean: float) -> Row:
    return Row(
        model=model,
        score=own.score,
        low=own.low,
        high=own.high,
        battles=tally.battles,
        wins=tally.wins,
        losses=tally.losses,
        ties=tally.ties,
        shrunk=(tally.points + PRIOR_BATTLES * mean) / (tally.battles + PRIOR_BATTLES),
        best=1 + sum(other.low > own.high for other in others),
        worst=len(others) - sum(other.high < own.low for other in others),
        group=group,
    )


def _undecided(ordered: Sequence[str], intervals: Sequence[Interval]) -> list[Undecided]:
    pairs = combinations(zip(ordered, intervals, strict=True), 2)
    return [
        Undecided(a, b, votes_needed(upper, lower)) for (a, upper), (b, lower) in pairs if not decided(upper, lower)
    ]
