"""What is in the KV cache: which sequence holds which tokens, and how much of a new prompt is there already.

The cache is unified: its cells are shared by all sequences, and copying the beginning of one to another costs no
memory and no time (`llama_memory_seq_cp`). A finished answer's sequence stays, idle: the next turn of that conversation
prefills only what is new, and so does another conversation that begins with the same system prompt. It is parked
(parking.py) when another request comes. Recurrent and hybrid models cannot drop the end of a sequence: for them only a
sequence that is the whole beginning of the prompt is taken over, and nothing is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import llama_cpp.llama_cpp as llama

from core.llamacpp import packing
from core.llamacpp.parking import WORTH_PARKING, Parked, ParkingLot

_NO_TOKEN = -1
"""Stands behind what is held where all of that is looked for: the last token of a prompt never is."""


@dataclass(eq=False)
class Kept:
    """One sequence id: the tokens whose keys and values are in the cache, in order, and whether a request uses it.
    `together`: how many of them, from the beginning, lie where they were read or packed (packing.py)."""

    id: int
    tokens: list[int] = field(default_factory=list)
    active: bool = False
    together: int = 0


T = TypeVar("T", Kept, Parked)


class Sequences:
    """The sequence ids of one context, and what is parked, at most `parked` tokens. Used by the decode thread alone."""

    def __init__(self, context: llama.llama_context_p, *, count: int, can_share: bool, parked: int) -> None:
        self._context = context
        self._memory = llama.llama_get_memory(context)
        self._all = [Kept(i) for i in range(count)]
        self._parked = ParkingLot(context, limit=parked)
        self._can_share = can_share

    def take(self, prompt: Sequence[int]) -> Kept | None:
        """A sequence for a prompt, holding as much of its beginning as was found (never all: the last token is always
        computed, for its logits). None when every id is in use. What is idle and not taken is parked."""
        idle = [k for k in self._all if not k.active]
        if not idle:
            return None
        held, shared = self._longest_prefix(idle, prompt)
        if self._can_share:
            held, shared = self._longest_prefix([*idle, *(k for k in self._all if k.active)], prompt)
        parked, parked_share = self._longest_prefix(self._parked, prompt)
        taken = held if held in idle and shared >= parked_share else None
        for other in idle:
            if other is not taken:
                self._park(other)
        if taken is not None:
            self._park_tail(taken, shared)
        else:
            taken = idle[0]
            if parked is None or parked_share <= shared or not self._restore(parked, taken, parked_share):
                self._share(held, taken, shared)
        taken.active = True
        taken.together = len(taken.tokens)
        return taken

    def _park_tail(self, kept: Kept, length: int) -> None:
        """Cuts a sequence, parked whole before where that loses something."""
        if len(kept.tokens) - length >= WORTH_PARKING:
            self._parked.park(kept.id, kept.tokens)
        self._cut(kept, length)

    def _restore(self, parked: Parked, target: Kept, shared: int) -> bool:
        if not self._parked.restore(parked, target.id):
            self._clear(target)
            return False
        target.tokens = list(parked.tokens)
        self._cut(target, shared)
        return True

    def _share(self, source: Kept | None, target: Kept, shared: int) -> None:
        if source is not None and source is not target:
            llama.llama_memory_seq_cp(self._memory, source.id, target.id, 0, shared)
            target.tokens = source.tokens[:shared]

    def release(self, kept: Kept) -> None:
        """The request is over; its tokens stay for the next turn."""
        kept.active = False

    def drop(self, kept: Kept, *, keep: int = 0) -> None:
        """Forgets a sequence's tokens but the first `keep` (all of them for a recurrent model)."""
        self._cut(kept, keep)

    @property
    def can_move(self) -> bool:
        """Whether all that is in use can be carried into another context."""
        return sum(len(kept.tokens) for kept in self._all if kept.active) <= self._parked.limit

    def move(self, reopened: Callable[[], llama.llama_context_p]) -> None:
        """Into another context of the same model, made in place of this one. What is in use goes along, but for a few
        tokens that are to be computed again; the rest is parked."""
        for kept in sorted(self._all, key=lambda kept: kept.active):  # what is in use last: the first parked go first
            self._parked.park(kept.id, kept.tokens)
        self._context = reopened()
        self._memory = llama.llama_get_memory(self._context)
        self._parked.move_to(self._context)
        for kept in self._all:
            held, kept.tokens = kept.tokens, []
            if kept.active and held:
                parked, shared = self._longest_prefix(self._parked, [*held, _NO_TOKEN])
                if parked is not None:
                    self._restore(parked, kept, shared)
                    kept.together = len(kept.tokens)

    def pack(self) -> None:
        """Lays together what answers in progress have written. What finds no place is to be computed again."""
        due = [k for k in self._all if k.active and len(k.tokens) - k.together >= packing.EVERY]
        lost = packing.pack(self._context, len(self._all), [(kept.id, kept.together) for kept in due]) if due else ()
        for kept in due:
            if kept.id in lost:
                del kept.tokens[kept.together :]
            kept.together = len(kept.tokens)

    def evict_idle(self) -> bool:
        """Gives the cells of an idle sequence back. False when there is none."""
        idle = next((k for k in self._all if not k.active and k.tokens), None)
        if idle is not None:
            self._park(idle)
        return idle is not None

    def _park(self, kept: Kept) -> None:
        if kept.tokens:
            self._parked.park(kept.id, kept.tokens)
            self._clear(kept)

    def _longest_prefix(self, among: Iterable[T], prompt: Sequence[int]) -> tuple[T | None, int]:
        best, longest = None, 0
        for each in among:
            shared = min(common_prefix(each.tokens, prompt), len(prompt) - 1)
            if shared > longest and (self._can_share or shared == len(each.tokens)):
                best, longest = each, shared
        return best, longest

    def _cut(self, kept: Kept, length: int) -> None:
        if length >= len(kept.tokens):
            return
        if length == 0 or not llama.llama_memory_seq_rm(self._memory, kept.id, length, -1):
            self._clear(kept)
            return
        del kept.tokens[length:]
        kept.together = min(kept.together, length)

    def _clear(self, kept: Kept) -> None:
        llama.llama_memory_seq_rm(self._memory, kept.id, -1, -1)
        kept.tokens, kept.together = [], 0


def common_prefix(a: Sequence[object], b: Sequence[object]) -> int:
    """Length of the longest common beginning, compared in halves (slices compare in C)."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
