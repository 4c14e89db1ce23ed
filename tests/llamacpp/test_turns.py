"""How a turn's room for prompts is dealt out, and what is read once for several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llamacpp.turns import in_common, slices


@pytest.mark.parametrize(
    ("unread", "budget", "sizes"),
    [
        ([1000], 128, [128]),
        ([32] * 8, 128, [32, 32, 32, 32, 0, 0, 0, 0]),
        ([1000, 20, 30], 120, [70, 20, 30]),
        ([1000, 500, 30], 120, [40, 50, 30]),
        ([3, 100], 50, [3, 47]),
    ],
)
def test_short_prompts_are_read_whole_and_the_oldest_goes_on(unread: list[int], budget: int, sizes: list[int]) -> None:
    assert slices(unread, budget) == sizes


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=8), st.integers(16, 512))
def test_the_room_is_used_and_not_exceeded(unread: list[int], budget: int) -> None:
    sizes = slices(unread, budget)
    assert all(0 <= size <= left for size, left in zip(sizes, unread, strict=True))
    assert sum(sizes) == min(sum(unread), budget)
    assert sizes[0] >= min(unread[0], budget // len(unread))


@pytest.mark.parametrize(
    ("prompts", "held", "common"),
    [
        (["alone"], [0], [(0, 0)]),
        (["you are A", "you are B", "elsewhere"], [0, 0, 0], [(0, 0), (0, 8), (0, 0)]),
        (["you are A", "you are Bo", "you are Ben"], [4, 4, 4], [(0, 0), (0, 4), (1, 5)]),
        (["you are A", "you are B"], [4, 0], [(0, 0), (0, 0)]),
        (["you are A", "yes"], [3, 3], [(0, 0), (0, 0)]),
        (["same", "same", "same"], [0, 0, 0], [(0, 0), (0, 4), (0, 4)]),
    ],
)
def test_what_begins_alike_is_read_with_the_one_it_has_most_in_common_with(
    prompts: list[str], held: list[int], common: list[tuple[int, int]]
) -> None:
    assert in_common([list(map(ord, prompt)) for prompt in prompts], held) == common
