"""What several answers write, laid together in the KV cache.

Answers that are decoded together lie there by turns: the first token of each, then the second of each. One of them then
attends to cells that lie far apart, which a processor does not fetch ahead: eight answers of 256 tokens lost a quarter
of their rate by it on one with AVX2 and 32 MB of cache. So what is new of each is copied out every few tokens, and back
in as one piece, where there is one: 3 ms for 128 tokens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

import llama_cpp.llama_cpp as llama

EVERY = 16
"""Tokens of an answer that are laid together at a time."""


def pack(context: llama.llama_context_p, spare: int, ends: Iterable[tuple[int, int]]) -> set[int]:
    """Lays the end of each sequence together. ends: ids, and the position from which each is copied. spare: an id that
    holds nothing. Returns the ids whose end llama.cpp did not take back, and is no longer in the cache."""
    memory = llama.llama_get_memory(context)
    copies = []
    for sequence, start in ends:
        llama.llama_memory_seq_cp(memory, sequence, spare, start, -1)
        size = int(llama.llama_state_seq_get_size(context, spare))
        copy = (ctypes.c_ubyte * size)()
        whole = llama.llama_state_seq_get_data(context, copy, size, spare) == size
        llama.llama_memory_seq_rm(memory, spare, -1, -1)
        if whole and llama.llama_memory_seq_rm(memory, sequence, start, -1):
            copies.append((sequence, copy))
    lost = set()
    for sequence, copy in copies:
        if llama.llama_state_seq_set_data(context, copy, len(copy), spare):
            llama.llama_memory_seq_cp(memory, spare, sequence, -1, -1)
        else:
            lost.add(sequence)
        llama.llama_memory_seq_rm(memory, spare, -1, -1)
    return lost
