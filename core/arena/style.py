"""The ranking with the style of the answers taken out: what is left when neither length nor layout may win a vote.

A logistic regression of the votes on the two models and on how the answers differ in length, headings, lists and bold
(Chiang, Li and Frick, "Does style matter? Disentangling style and substance in Chatbot Arena", 2024): each difference
is (a − b) ÷ (a + b), by its root mean square. It is not centred, as theirs is: so that left and right can be swapped. A
ridge keeps few votes from saying too much of style. Intervals and the vote more of each model are those of rating.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from core.arena.rating import LEVELS, POINTS_OF, battle, estimates, prior_votes, usual_rounds
from core.arena.standings import Estimate, Ranking, counted, groups, ranking
from core.arena.votes import Side, Vote

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Element = Literal["length", "headings", "lists", "bold"]

RIDGE = 0.5
"""Of the style's coefficients: as if they were drawn around 0 with a variance of 2."""

FIXED = 1e-6
"""Of the models' strengths, whose sum within a group nothing else decides."""

ITERATIONS = 100
LONGEST_STEP = 2.0
"""From far away Newton's steps are too long for a logistic curve."""
PRECISION = 1e-6

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_MARKS: Mapping[Element, re.Pattern[str]] = {
    "headings": re.compile(r"^ {0,3}#{1,6}\s", re.MULTILINE),
    "lists": re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
}
ELEMENTS: tuple[Element, ...] = ("length", *_MARKS)


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What more of an element does to an answer's chance: `odds` of winning are multiplied by this for a difference of
    usual size, with its 95 % interval. 1: nothing.
    """

    element: Element
    odds: float
    low: float
    high: float


class Styled(msgspec.Struct, frozen=True):
    """`ranking` without the `effects` of style. `without_text`: votes that could not be used: their answers are not
    there to be looked at.
    """

    ranking: Ranking
    effects: tuple[Effect, ...]
    without_text: int


def marks(side: Side) -> dict[Element, int]:
    """How much of each element is in the answers of one side: characters, and marks of Markdown outside of code."""
    text = "\n\n".join(message.content for message in side.conversation if message.role == "assistant")
    plain = _CODE.sub("", text)
    counts: dict[Element, int] = {name: len(pattern.findall(plain)) for name, pattern in _MARKS.items()}
    return {"length": len(text), **counts}


def rank(votes: Sequence[Vote], *, rounds: int | None = None, seed: int = 0) -> Styled:
    """The ranking of the models in these votes, chosen beforehand (`rating.chosen`); `rounds` as there."""
    import numpy as np

    usable = [vote for vote in votes if vote.a.answer and vote.b.answer and vote.a.label != vote.b.label]
    missing = sum(not (vote.a.answer and vote.b.answer) for vote in votes)
    counts = counted(battle(vote) for vote in usable)
    if not counts:
        return Styled(Ranking(), (), missing)
    apart = groups(counts)
    models = [model for group in apart for model in group]
    regression = _Regression(usable, models, prior_votes(counts))
    found = regression.fit(regression.weights)
    random = np.random.default_rng(seed)
    drawn = np.array(
        [regression.fit(random.gamma(regression.weights), found) for _ in range(rounds or usual_rounds(counts))]
    )
    scores: dict[str, Estimate] = {}
    for group in apart:
        columns = [models.index(model) for model in group]
        scores |= estimates(group, found[columns], drawn[:, columns])
    return Styled(ranking(counts, scores), _effects(found[len(models) :], drawn[:, len(models) :]), missing)


def differences(votes: Sequence[Vote]) -> Floats:
    """(a − b) ÷ (a + b) of each element, votes × elements, by its root mean square; 0 where neither has any."""
    import numpy as np

    a, b = (
        np.array([list(marks(side).values()) for side in sides], dtype=float).reshape(len(votes), len(ELEMENTS))
        for sides in ([vote.a for vote in votes], [vote.b for vote in votes])
    )
    found = (a - b) / np.maximum(a + b, 1)
    usual = np.sqrt((found**2).mean(axis=0))
    scaled: Floats = found / np.where(usual > 0, usual, 1)
    return scaled


class _Regression:
    """Votes as rows, models and elements as columns. Below the votes stand those that each model has more."""

    def __init__(self, votes: Sequence[Vote], models: Sequence[str], prior: Mapping[tuple[str, str], float]) -> None:
        import numpy as np
        from scipy import sparse

        place = {model: number for number, model in enumerate(models)}
        pairs = [(place[vote.a.label], place[vote.b.label]) for vote in votes]
        pairs += [(place[winner], place[loser]) for winner, loser in prior]
        at = np.arange(len(pairs))
        winners, losers = (np.array(column) for column in zip(*pairs, strict=True))
        ones = np.ones(len(pairs))
        places = (np.append(at, at), np.append(winners, losers))
        who = sparse.csr_array((np.append(ones, -ones), places), shape=(len(pairs), len(models)))
        style = sparse.vstack([sparse.csr_array(differences(votes)), sparse.csr_array((len(prior), len(ELEMENTS)))])
        self._rows = sparse.hstack([who, style], format="csr")
        self._won = np.array([POINTS_OF[battle(vote).winner] for vote in votes] + [1.0] * len(prior))
        self._ridge = np.array([FIXED] * len(models) + [RIDGE] * len(ELEMENTS))
        self.weights: Floats = np.append(np.ones(len(votes)), list(prior.values()))

    def fit(self, weights: Floats, start: Floats | None = None) -> Floats:
        """θ of each model, then the coefficient of each element, in natural units: by Newton's method."""
        import numpy as np
        from scipy.special import expit

        rows, found = self._rows, np.zeros(len(self._ridge)) if start is None else start
        for _ in range(ITERATIONS):
            chance = expit(rows @ found)
            uphill = rows.T @ (weights * (self._won - chance)) - self._ridge * found
            spread = rows * (weights * chance * (1 - chance))[:, None]
            step = np.linalg.solve((rows.T @ spread).toarray() + np.diag(self._ridge), uphill)
            found = found + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
            if np.abs(step).max() < PRECISION:
                break
        return found


def _effects(found: Floats, drawn: Floats) -> tuple[Effect, ...]:
    import numpy as np

    lows, highs = np.exp(np.quantile(drawn, LEVELS, axis=0, method="weibull"))
    return tuple(
        Effect(element=element, odds=float(odds), low=float(min(low, odds)), high=float(max(high, odds)))
        for element, odds, low, high in zip(ELEMENTS, np.exp(found), lows, highs, strict=True)
    )
