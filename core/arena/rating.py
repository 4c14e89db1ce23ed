"""Votes in, a ranking with its doubts out: Bradley–Terry by evalica, with bootstrapped 95 % intervals.

The model: A beats B with probability σ(θ_A − θ_B), a tie is half a win for each (Bradley and Terry, Biometrika 39,
1952; fitted as by Newman, JMLR 24, 2023). A score is 1000 + 400·θ ÷ ln 10, with θ centred on its group: who is 400
points ahead wins 10 to 1, as on Elo's scale (Elo, "The Rating of Chessplayers", 1978). By evalica, because its core is
compiled (100,000 votes over 100 models take 0.04 s), its estimates are those of the literature, and it is kept.

The intervals are a Bayesian bootstrap (Rubin, The Annals of Statistics 9, 1981): every round weighs every vote anew,
with an exponential draw. Votes with the same models and result are alike, so that their weights are drawn together, as
one gamma draw with their number as its shape: a round costs the pairs of models and not the votes.

Each model has one vote more than were cast, half won and half lost among the models that it met, as often as it met
them; weighed anew like the others. Between two models that is Jeffreys' prior, whose intervals for a share hold what
they promise with few votes (Brown, Cai and DasGupta, Statistical Science 16, 2001); the plain bootstrap does not: of a
model that won ten times in ten, every resample says the same. So a model that always wins has a finite score and a
wide interval, and one whose votes all were ties is not called certain. Simulated, the intervals hold the true score
in 92 to 96 of 100 cases (tests/arena/test_rating.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from core.arena.standings import Battle, Estimate, Ranking, Row, Undecided, counted, groups, ranking, tallies
from core.arena.votes import Source, Vote

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = [
    "Battle",
    "Ranking",
    "Row",
    "Undecided",
    "Voters",
    "battle",
    "battles",
    "chosen",
    "estimates",
    "prior_votes",
    "rank",
]

Voters = Literal["people", "class", "judge"]
"""Who voted: people one by one (or they came with a file), a class together, judging models."""

SOURCES: Mapping[Voters, tuple[Source, ...]] = {
    "people": ("duel", "import"),
    "class": ("classroom",),
    "judge": ("judge",),
}
PERSONS: tuple[Voters, ...] = ("people", "class")
"""Judges are never counted with people unless somebody says so."""

CENTRE = 1000.0
POINTS = 400 / math.log(10)
"""Points of the Elo scale for one natural unit of θ."""

POINTS_OF = {"a": 1.0, "b": 0.0, "tie": 0.5}
"""What the first of a battle gets of its one point."""

ROUNDS, ROUNDS_OF_MANY, MANY = 1000, 200, 20
"""The ends of an interval are drawn themselves: from 200 rounds it holds 95 ± 1.6 %, from 1000 it is ± 0.7 %."""

LEVELS = (0.025, 0.975)
ITERATIONS = 1000
PRECISION = 1e-6
FITTED_AT_ONCE = 100
"""Models in one call of evalica, whose matrix has the square of it."""
LEAST = 1e-9
"""Weight below which a draw is taken for this one, so that no strength is 0."""


def chosen(
    votes: Iterable[Vote],
    *,
    category: str | None = None,
    language: str | None = None,
    voter: str | None = None,
    voters: Sequence[Voters] = PERSONS,
) -> list[Vote]:
    """The votes of a category, in a language, of a voter, where given; without judges unless they are asked for."""
    sources = {source for one in voters for source in SOURCES[one]}
    wanted = {"category": category, "language": language, "voter": voter}
    given = [(name, value) for name, value in wanted.items() if value is not None]
    return [
        vote for vote in votes if vote.source in sources and all(getattr(vote, name) == value for name, value in given)
    ]


def battles(
    votes: Iterable[Vote],
    *,
    category: str | None = None,
    language: str | None = None,
    voter: str | None = None,
    voters: Sequence[Voters] = PERSONS,
) -> list[Battle]:
    """The chosen votes as battles."""
    found = chosen(votes, category=category, language=language, voter=voter, voters=voters)
    return [battle(vote) for vote in found]


def battle(vote: Vote) -> Battle:
    """One vote as a battle: both good and both bad are ties."""
    return Battle(vote.a.label, vote.b.label, vote.choice if vote.choice in ("a", "b") else "tie")


def rank(battles: Iterable[Battle], *, rounds: int | None = None, seed: int = 0) -> Ranking:
    """The ranking of all models in these battles. The same battles in any order, rounds and seed give the same one.

    rounds: of the bootstrap; None takes `ROUNDS`, or `ROUNDS_OF_MANY` where there are many models.
    """
    import numpy as np

    counts, random = counted(battles), np.random.default_rng(seed)
    rounds = rounds or usual_rounds(counts)
    found: dict[str, Estimate] = {}
    for group in groups(counts):
        table = _Table(group, counts)
        drawn = table.fit(np.array([table.drawn(random) for _ in range(rounds)]))
        found |= estimates(group, table.fit(table.cast()[None])[0], drawn)
    return ranking(counts, found)


def estimates(models: Sequence[str], strengths: Floats, drawn: Floats) -> dict[str, Estimate]:
    """Of one group: θ of its models, and of every round (rounds × models), as scores with their intervals.

    The interval's ends are the draws' quantiles k ÷ (rounds + 1), which do not lean inwards where rounds are few.
    """
    import numpy as np

    scores = CENTRE + POINTS * (strengths - strengths.mean())
    spread = CENTRE + POINTS * (drawn - drawn.mean(axis=1, keepdims=True))
    lows, highs = np.quantile(spread, LEVELS, axis=0, method="weibull")
    return {
        model: Estimate(float(score), float(min(low, score)), float(max(high, score)))
        for model, score, low, high in zip(models, scores, lows, highs, strict=True)
    }


def usual_rounds(counts: Mapping[Battle, int]) -> int:
    """As many as take a moment, for these models."""
    return ROUNDS if len(tallies(counts)) <= MANY else ROUNDS_OF_MANY


def prior_votes(counts: Mapping[Battle, int]) -> dict[tuple[str, str], float]:
    """The vote more that each model has, by winner and loser: of a pair that met, its share of what both have fought,
    half won and half lost. Sorted by the names.
    """
    met: dict[tuple[str, str], int] = {}
    fought: dict[str, int] = {}
    for one, count in counts.items():
        for pair in ((one.a, one.b), (one.b, one.a)):
            met[pair] = met.get(pair, 0) + count
            fought[pair[0]] = fought.get(pair[0], 0) + count
    return {pair: met[pair] * (1 / fought[pair[0]] + 1 / fought[pair[1]]) / 4 for pair in sorted(met)}


class _Table:
    """The battles of one group. A row is a pair of models that met, in one of its two orders: what the first won.

    A cell is all battles with the same models, result and weight: it gives points to its row, and the rest to the
    row of the other order.
    """

    def __init__(self, models: Sequence[str], counts: Mapping[Battle, int]) -> None:
        import numpy as np

        place = {model: number for number, model in enumerate(models)}
        cells = sorted(
            (place[one.a], place[one.b], POINTS_OF[one.winner], one.weight, count)
            for one, count in counts.items()
            if one.a in place
        )
        first, second, share, weight, count = (np.array(column) for column in zip(*cells, strict=True))
        size = len(models)
        rows, place_of = np.unique(np.append(first * size + second, second * size + first), return_inverse=True)
        self._size, self._first, self._second = size, rows // size, rows % size
        self._there, self._back = np.split(place_of, 2)
        self._share, self._weight, self._count = share, weight, count.astype(float)
        prior = prior_votes({one: count for one, count in counts.items() if one.a in place})
        self._prior: Floats = np.array(
            [prior[models[a], models[b]] for a, b in zip(self._first, self._second, strict=True)]
        )

    def cast(self) -> Floats:
        """The points of each row, as the votes were cast."""
        return self._points(self._count) + self._prior

    def drawn(self, random: np.random.Generator) -> Floats:
        """The same, every vote weighed anew."""
        return self._points(random.gamma(self._count)) + random.gamma(self._prior)

    def _points(self, counts: Floats) -> Floats:
        weights, rows = counts * self._weight, len(self._first)
        return _summed(self._there, weights * self._share, rows) + _summed(
            self._back, weights * (1 - self._share), rows
        )

    def fit(self, points: Floats) -> Floats:
        """θ in natural units, rounds × models, by the points of each row, rounds × rows.

        Small tables are fitted side by side, as groups that never met: a call costs more than a few models do.
        """
        import numpy as np

        at_once = max(FITTED_AT_ONCE // self._size, 1)
        return np.concatenate([self._fit(points[at : at + at_once]) for at in range(0, len(points), at_once)])

    def _fit(self, points: Floats) -> Floats:
        import evalica
        import numpy as np

        shift = self._size * np.arange(len(points))[:, None]
        fitted = evalica.bradley_terry(
            (self._first + shift).ravel().tolist(),
            (self._second + shift).ravel().tolist(),
            [evalica.Winner.X] * points.size,
            weights=np.maximum(points, LEAST).ravel().tolist(),
            tolerance=PRECISION,
            limit=ITERATIONS,
        )
        strengths = np.asarray(fitted.scores.sort_index(), dtype=np.float64)
        return np.log(strengths).reshape(len(points), self._size)


def _summed(places: npt.NDArray[np.intp], values: Floats, size: int) -> Floats:
    """The sum of the values at each place from 0 to size."""
    import numpy as np

    return np.bincount(places, values, size).astype(np.float64)
