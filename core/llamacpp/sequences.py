"""What is in the KV cache: which sequence holds which tokens, and how much of a new prompt is there already.

The cache is unified: its cells are shared by all sequences, and copying the beginning of one to another costs no
memory and no time (`llama_memory_seq_cp`). A finished answer's sequence is kept, idle, until its id or its cells are
needed: the next turn of that conversation prefills only what is new, and so does another conversation that begins
with the same system prompt. Recurrent and hybrid models cannot drop the end of a sequence: for them only a sequence
that is the whole beginning of the prompt is taken over, and nothing is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import llama_cpp.llama_cpp as llama


@dataclass
class Kept:
    """One sequence id: the tokens whose keys and values are in the cache, in order, and whether a request uses it."""

    id: int
    tokens: list[int] = field(default_factory=list)
    active: bool = False
    last_used: int = 0


class Sequences:
    """The sequence ids of one context. Used by the decode thread alone."""

    def __init__(self, context: llama.llama_context_p, *, count: int, can_share: bool) -> None:
        self._memory = llama.llama_get_memory(context)
        self._all = [Kept(i) for i in range(count)]
        self._can_share = can_share
        self._clock = 0

    def take(self, prompt: Sequence[int]) -> Kept | None:
        """A sequence for a prompt, holding as much of its beginning as was found (never all: the last token is always
        computed, for its logits). None when every id is in use."""
        best, shared = self._longest_prefix(prompt)
        if best is not None and not best.active and self._worth_taking(best, shared):
            self._cut(best, shared)
            return self._use(best)
        target = self._free(other_than=best)
        if target is None:
            if best is None or best.active:
                return None
            self._cut(best, shared)
            return self._use(best)
        self._clear(target)
        if best is not None and self._can_share and shared:
            llama.llama_memory_seq_cp(self._memory, best.id, target.id, 0, shared)
            target.tokens = best.tokens[:shared]
        return self._use(target)

    def release(self, kept: Kept) -> None:
        """The request is over; its tokens stay for the next turn."""
        kept.active = False

    def drop(self, kept: Kept, *, keep: int = 0) -> None:
        """Forgets a sequence's tokens but the first `keep` (all of them for a recurrent model)."""
        self._cut(kept, keep)

    def evict_idle(self) -> bool:
        """Gives the cells of the idle sequence that was used longest ago back. False when there is none."""
        idle = [k for k in self._all if not k.active and k.tokens]
        if not idle:
            return False
        self._clear(min(idle, key=lambda k: k.last_used))
        return True

    def _longest_prefix(self, prompt: Sequence[int]) -> tuple[Kept | None, int]:
        best, longest = None, 0
        for kept in self._all:
            shared = common_prefix(kept.tokens, prompt)
            shared = min(shared, len(prompt) - 1)
            if not self._can_share and (kept.active or shared < len(kept.tokens)):
                continue
            if shared > longest or (shared == longest > 0 and best is not None and best.active and not kept.active):
                best, longest = kept, shared
        return best, longest

    def _worth_taking(self, kept: Kept, shared: int) -> bool:
        # What follows the shared part would be lost: another conversation that only has the same system prompt
        # is copied from instead.
        return not self._can_share or 2 * shared >= len(kept.tokens)

    def _free(self, other_than: Kept | None) -> Kept | None:
        idle = [k for k in self._all if not k.active and k is not other_than]
        return min(idle, key=lambda k: (bool(k.tokens), k.last_used), default=None)

    def _cut(self, kept: Kept, length: int) -> None:
        if length >= len(kept.tokens):
            return
        if length == 0 or not llama.llama_memory_seq_rm(self._memory, kept.id, length, -1):
            self._clear(kept)
            return
        del kept.tokens[length:]

    def _clear(self, kept: Kept) -> None:
        llama.llama_memory_seq_rm(self._memory, kept.id, -1, -1)
        kept.tokens = []

    def _use(self, kept: Kept) -> Kept:
        self._clock += 1
        kept.active, kept.last_used = True, self._clock
        return kept


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common beginning, compared in halves (slices compare in C)."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
