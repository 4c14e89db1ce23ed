"""How much of each prompt that waits one turn reads, and what several of them have in common and is read once."""

from __future__ import annotations

from collections.abc import Sequence

from core.llamacpp.sequences import common_prefix


def slices(unread: Sequence[int], budget: int) -> list[int]:
    """How many tokens of each prompt a turn reads; `unread`: what is left of each, the oldest first.

    The oldest has its even share, so that short ones that keep coming never pass it over for good. The rest goes to
    those that need least: of several, most are answered sooner, and the last one no later.
    """
    sizes = [0] * len(unread)
    sizes[0] = min(unread[0], max(budget // len(unread), 1))
    budget -= sizes[0]
    for place in sorted(range(len(unread)), key=lambda place: unread[place] - sizes[place]):
        more = min(unread[place] - sizes[place], max(budget, 0))
        sizes[place] += more
        budget -= more
    return sizes


def in_common(prompts: Sequence[Sequence[int]], held: Sequence[int]) -> list[tuple[int, int]]:
    """For each prompt the earlier one with which it has the most unread tokens in common, and how many these are.

    held: how many tokens of each the cache holds. Only prompts of which it holds the same tokens can be read as one:
    a token of several sequences is computed once for all of them. (0, 0): no other begins as this one does.
    """
    found = []
    for place, prompt in enumerate(prompts):
        begun = [at for at in range(place) if held[at] == held[place]]
        common = [(max(common_prefix(prompts[at], prompt) - held[place], 0), -at) for at in begun]
        most, at = max(common, default=(0, 0))
        found.append((-at, most) if most else (0, 0))
    return found
