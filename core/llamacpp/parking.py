"""Sequences that nobody is answering in, kept outside the KV cache.

Without flash attention every token attends to every cell up to the last one in use, whoever's it is: four finished
conversations left in the cache cost a fifth one 40 % of its tokens a second. Copying one out or back in costs a
hundredth of what prefilling it would. What was parked longest ago goes when there are too many tokens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import llama_cpp.llama_cpp as llama

from core.llamacpp import kv_state
from core.llamacpp.kv_state import State

WORTH_PARKING = 16
"""Tokens; fewer are as quickly computed again."""


@dataclass(frozen=True, eq=False)
class Parked:
    """A sequence's tokens, and llama.cpp's own copy of what the cache held for them."""

    tokens: list[int]
    state: State


class ParkingLot:
    """The parked sequences of one context, `limit` tokens at most. Used by the decode thread alone."""

    def __init__(self, context: llama.llama_context_p, *, limit: int) -> None:
        self._context = context
        self.limit = limit
        self._all: list[Parked] = []

    def park(self, sequence: int, tokens: list[int]) -> None:
        """Copies a sequence out of the cache, where it stays as it is. Replaces what is parked of its beginning."""
        if not WORTH_PARKING <= len(tokens) <= self.limit:
            return
        size = int(llama.llama_state_seq_get_size(self._context, sequence))
        state = (ctypes.c_ubyte * size)()
        if not llama.llama_state_seq_get_data(self._context, state, size, sequence):
            return
        self._all = [p for p in self._all if p.tokens != tokens[: len(p.tokens)]]
        self._all.append(Parked(list(tokens), state))
        while sum(len(parked.tokens) for parked in self._all) > self.limit:
            del self._all[0]

    def move_to(self, context: llama.llama_context_p) -> None:
        """Into another context of the same model, with the other layout of the cache. What cannot be turned goes."""
        self._context = context
        turned = [(parked.tokens, kv_state.turned(parked.state)) for parked in self._all]
        self._all = [Parked(tokens, state) for tokens, state in turned if state is not None]

    def restore(self, parked: Parked, sequence: int) -> bool:
        """Copies it into an empty sequence of the cache. False when there is no room."""
        size = len(parked.state)
        return bool(llama.llama_state_seq_set_data(self._context, parked.state, size, sequence))

    def __iter__(self) -> Iterator[Parked]:
        return iter(self._all)
