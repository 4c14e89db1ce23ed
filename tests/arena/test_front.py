"""The front is what nothing dominates; facts are medians, and what is unknown is not compared."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from core.arena.facts import Advantage, Facts, advantages, facts
from core.arena.front import Point, front
from core.arena.votes import Side, Vote
from core.events import Cost, Energy, Finished, Timings, Usage

points = st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8)


def dominates(one: Point, other: Point, *, less: bool) -> bool:
    better = one[0] <= other[0] if less else one[0] >= other[0]
    return better and one[1] >= other[1] and one != other


@given(points=points, less=st.booleans())
def test_the_front_is_what_nothing_dominates(points: dict[str, Point], less: bool) -> None:
    expected = {
        name
        for name, point in points.items()
        if not any(dominates(other, point, less=less) for other in points.values())
    }
    found = front(points, less_is_better=less)
    assert set(found) == expected
    assert [points[name][0] for name in found] == sorted(points[name][0] for name in found)


def answered(
    label: str, *, rate: float, cost: Cost | None = None, energy: Energy | None = None, **known: object
) -> Side:
    usage = Usage(prompt_tokens=1, generated_tokens=9)
    finished = Finished("stop", usage, Timings(decode_rate=rate), cost)
    return Side(label=label, finished=finished, energy=energy, **known)  # type: ignore[arg-type]


def test_facts_are_medians_and_measured_energy_is_not_mixed_with_an_estimate() -> None:
    measured = Energy(low=1.0, high=3.0, measured=True, method="RAPL")
    estimated = Energy(low=10.0, high=30.0, measured=False, method="EcoLogits")
    votes = [
        Vote(id=str(number), at=0, choice="a", a=side, b=Side(label="elsewhere"))
        for number, side in enumerate(
            (
                answered("here", rate=10, local=True, size_bytes=500, energy=measured),
                answered("here", rate=30, local=True, size_bytes=500, energy=estimated),
                answered("here", rate=90, local=True, size_bytes=500),
            )
        )
    ]
    found = facts(votes)
    assert found["here"] == Facts(size=500, speed=30, price=0, energy_measured=2, energy_estimated=20)
    assert found["elsewhere"] == Facts()


def test_price_is_in_the_commonest_currency() -> None:
    sides = [
        answered("m", rate=1, cost=Cost(amount=amount, currency=currency))
        for amount, currency in [(2.0, "EUR"), (4.0, "EUR"), (90.0, "USD")]
    ]
    found = facts(Vote(id=str(n), at=0, choice="a", a=side, b=Side(label="o")) for n, side in enumerate(sides))
    assert (found["m"].price, found["m"].currency) == (3.0, "EUR")


def test_only_what_is_far_better_and_known_of_both_is_told() -> None:
    known = {
        "x": Facts(size=100, speed=50, price=1.0, currency="EUR", energy_measured=1.0),
        "y": Facts(size=400, speed=90, price=9.0, currency="USD", energy_estimated=9.0),
    }
    assert advantages("x", "y", known) == [Advantage("x", "size", 4.0)]
    assert advantages("y", "x", known, factor=1.5) == [Advantage("x", "size", 4.0), Advantage("y", "speed", 1.8)]
    assert advantages("x", "nobody", known) == []


def test_what_costs_nothing_is_cheaper_in_any_currency() -> None:
    known = {"here": Facts(price=0.0), "there": Facts(price=0.01, currency="USD"), "also here": Facts(price=0.0)}
    assert advantages("there", "here", known) == [Advantage("here", "price", math.inf)]
    assert advantages("here", "also here", known) == []
