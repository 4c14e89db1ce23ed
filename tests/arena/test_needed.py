"""The votes that are said to be needed part two models, and one fewer does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arena import rating
from core.arena.needed import MOST, Interval, votes_needed
from core.arena.rating import Battle

numbers = st.floats(1, 500)


@given(gap=numbers, down=numbers, up=numbers, votes=st.tuples(st.integers(1, 2000), st.integers(1, 2000)))
def test_so_many_narrow_the_intervals_until_they_part(
    gap: float, down: float, up: float, votes: tuple[int, int]
) -> None:
    upper = Interval(1000 + gap, 1000 + gap - down, 2000, votes[0])
    lower = Interval(1000, 0, 1000 + up, votes[1])

    def reach(more: int) -> float:
        return sum(half * (n / (n + more)) ** 0.5 for half, n in ((down, votes[0]), (up, votes[1])))

    needed = votes_needed(upper, lower)
    if needed is None:
        assert reach(MOST) >= gap * 0.999999
    else:
        assert reach(needed) < gap * 1.000001
        assert needed == 0 or reach(needed - 1) >= gap * 0.999999


def test_equal_scores_are_never_parted() -> None:
    assert votes_needed(Interval(1000, 950, 1050, 40), Interval(1000, 950, 1050, 40)) is None


@pytest.mark.parametrize(("wins", "losses"), [(14, 8), (30, 22)])
def test_more_votes_like_those_decide_about_then(wins: int, losses: int) -> None:
    def battles(times: float) -> list[Battle]:
        return [Battle("x", "y", "a")] * round(wins * times) + [Battle("x", "y", "b")] * round(losses * times)

    (undecided,) = rating.rank(battles(1)).undecided
    assert undecided.needed is not None
    whole = (wins + losses + undecided.needed) / (wins + losses)
    assert rating.rank(battles(0.7 * whole)).undecided != ()
    assert rating.rank(battles(1.4 * whole)).undecided == ()
