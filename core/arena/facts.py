"""What votes tell of the models beside who won: size, speed, price, energy; and where one of two is far better in it.

Medians over the answers that were voted on. Energy measured and energy estimated are two figures, and never one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Literal

import msgspec

from core.arena.votes import Side, Vote

MUCH = 2.0
"""How many times less, or more, is worth a sentence."""

Kind = Literal["size", "parameters", "speed", "price", "energy_measured", "energy_estimated"]

LESS_IS_BETTER: Mapping[Kind, bool] = {
    "size": True,
    "parameters": True,
    "speed": False,
    "price": True,
    "energy_measured": True,
    "energy_estimated": True,
}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One model. None: unknown.

    `size`: bytes of its file; `parameters`: how many; `speed`: tokens a second while writing; `price`: of an answer, in
    `currency`, 0 for a model on this machine; `energy_measured`, `energy_estimated`: watt-hours an answer, the middle
    of its range.
    """

    size: float | None = None
    parameters: float | None = None
    speed: float | None = None
    price: float | None = None
    currency: str | None = None
    energy_measured: float | None = None
    energy_estimated: float | None = None

    def of(self, kind: Kind) -> float | None:
        """The figure of this kind."""
        value: float | None = getattr(self, kind)
        return value


class Advantage(msgspec.Struct, frozen=True):
    """`model` is `factor` times better than the other one in this; infinitely where it costs nothing."""

    model: str
    kind: Kind
    factor: float


def facts(votes: Iterable[Vote]) -> dict[str, Facts]:
    """By model, as rankings name it."""
    sides: dict[str, list[Side]] = {}
    for vote in votes:
        for side in (vote.a, vote.b):
            sides.setdefault(side.label, []).append(side)
    return {label: _of(found) for label, found in sides.items()}


def advantages(a: str, b: str, known: Mapping[str, Facts], *, factor: float = MUCH) -> list[Advantage]:
    """In what one of two is at least `factor` times better, where that is known of both."""
    mine, other = known.get(a, Facts()), known.get(b, Facts())
    found = [_advantage((a, mine), (b, other), kind) for kind in LESS_IS_BETTER]
    return [one for one in found if one is not None and one.factor >= factor]


def _advantage(one: tuple[str, Facts], two: tuple[str, Facts], kind: Kind) -> Advantage | None:
    """Which is better in this, and how much; None where that cannot be said."""
    ordered = sorted(((its.of(kind), name, its.currency) for name, its in (one, two)), key=lambda each: each[0] or 0)
    (low, least, currency), (high, most, other_currency) = ordered
    if low is None or not high:
        return None
    if kind == "price" and low and currency != other_currency:
        return None
    return Advantage(least if LESS_IS_BETTER[kind] else most, kind, high / low if low else math.inf)


def _of(sides: list[Side]) -> Facts:
    finished = [side.finished for side in sides if side.finished is not None]
    price, currency = _price(sides)
    energies = [side.energy for side in sides if side.energy is not None]
    return Facts(
        size=_middle(side.size_bytes for side in sides),
        parameters=_middle(side.parameters for side in sides),
        speed=_middle(one.timings.decode_rate for one in finished),
        price=price,
        currency=currency,
        energy_measured=_middle((one.low + one.high) / 2 for one in energies if one.measured),
        energy_estimated=_middle((one.low + one.high) / 2 for one in energies if not one.measured),
    )


def _price(sides: list[Side]) -> tuple[float | None, str | None]:
    """Of an answer, in the currency that most were paid in."""
    costs = [side.finished.cost for side in sides if side.finished is not None and side.finished.cost is not None]
    if not costs:
        return (0.0, None) if sides and all(side.local for side in sides) else (None, None)
    currency = Counter(cost.currency for cost in costs).most_common(1)[0][0]
    return _middle(cost.amount for cost in costs if cost.currency == currency), currency


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None
