"""Whether a model fits this machine, and how its memory grows with the context.

The verdict compares what loading takes (core/gguf/memory.py, and `OVERHEAD` for the process) with one memory:

fits           no more than `EASY` of what is free now
tight          more than that, and less than the machine has without `RESERVE`: other programs may have to be closed,
               or the weights are read from the disk again and again
does not fit   more than that, or than local models may take here: loading it would be refused
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from core.gguf.header import GGUF
from core.gguf.memory import CELLS, MemoryEstimate
from core.models.local import model_settings
from core.models.local.model_settings import ModelSettings

Verdict = Literal["fits", "tight", "does not fit"]

EASY = 0.8
RESERVE = 0.1
"""Of all memory: for the system itself."""

OVERHEAD = 80_000_000
"""Bytes of a model's process besides: Python, llama.cpp, the vocabulary."""

POINTS = 32
_LONGEST = 131_072
"""Tokens of a curve, where a file does not say what its model was trained for."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One memory of this machine, bytes: the RAM, or that of a graphics card. `limit`: what models may take of it."""

    name: str
    total: int
    free: int
    limit: int | None = None

    @property
    def easy(self) -> int:
        """The most that fits."""
        return min(int(EASY * self.free), self.most)

    @property
    def most(self) -> int:
        """The most that is at least tight."""
        whole = int((1 - RESERVE) * self.total)
        return whole if self.limit is None else min(whole, self.limit)


@dataclass(frozen=True, slots=True)
class Machine:
    """`cards`: what nvidia-ml-py knows of; empty without it or without such a card."""

    ram: Memory
    cards: tuple[Memory, ...] = ()


def machine(*, limit: int | None = None, library: str = "pynvml") -> Machine:
    """This machine, now. `limit`: bytes of RAM that local models may take together; None: all there is. `library`: the
    module that knows the graphics cards, as NVIDIA's."""
    import psutil

    ram = psutil.virtual_memory()
    return Machine(Memory("RAM", int(ram.total), int(ram.available), limit), _cards(library))


def _cards(name: str) -> tuple[Memory, ...]:
    found: list[Memory] = []
    try:
        library = importlib.import_module(name)
        library.nvmlInit()
        for index in range(library.nvmlDeviceGetCount()):
            card = library.nvmlDeviceGetHandleByIndex(index)
            memory, model = library.nvmlDeviceGetMemoryInfo(card), library.nvmlDeviceGetName(card)
            model = model if isinstance(model, str) else model.decode("utf-8", errors="replace")
            found.append(Memory(model, int(memory.total), int(memory.free)))
    except Exception:  # no library, no driver, no card, a card that tells nothing: each raises one of its own
        return tuple(found)
    return tuple(found)


def verdict(needed: int, memory: Memory) -> Verdict:
    """What stands at the head of this module, for `needed` bytes (`OVERHEAD` not yet in them)."""
    whole = needed + OVERHEAD
    if whole <= memory.easy:
        return "fits"
    return "tight" if whole <= memory.most else "does not fit"


class Point(msgspec.Struct, frozen=True):
    """What loading takes with one context length, tokens and bytes."""

    context_length: int
    needed: MemoryEstimate


def curve(gguf: GGUF, settings: ModelSettings, *, longest: int | None = None) -> Sequence[Point]:
    """Memory against context length, from 256 tokens to `longest` (None: what the model was trained for)."""
    end = max((longest or gguf.context_length or _LONGEST) // CELLS, 1)
    steps = sorted({max(1, round(end ** (number / (POINTS - 1)))) for number in range(POINTS)})
    return [Point(step * CELLS, needed(gguf, settings, step * CELLS)) for step in steps]


def needed(gguf: GGUF, settings: ModelSettings, context_length: int) -> MemoryEstimate:
    """What loading takes with this context length, the other settings as they are."""
    return model_settings.memory_needed(gguf, msgspec.structs.replace(settings, context_length=context_length))


def longest_context(gguf: GGUF, settings: ModelSettings, memory: Memory, *, easily: bool = True) -> int:
    """The longest context, tokens, with which it fits (`easily`), or is at most tight; 0 where none does."""
    most = memory.easy if easily else memory.most
    return model_settings.context_that_fits(gguf, settings, budget=most - OVERHEAD)
