"""Whether a model fits: the curve is the estimate, the verdict is what it says, and a real process stays below."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gguf import reader
from core.models.local import model_settings, room
from core.models.local.engine import Engine
from core.models.local.model_settings import ModelSettings
from core.models.local.room import Memory
from tests.asking import request
from tests.conftest import loaded

GB = 10**9


def test_the_curve_is_the_estimate_at_each_length(smollm: Path) -> None:
    gguf = reader.read(smollm)
    settings = ModelSettings(kv_type="q8_0", parallel=2)
    points = room.curve(gguf, settings)
    lengths = [point.context_length for point in points]
    assert (lengths[0], lengths[-1]) == (256, 8192) and lengths == sorted(set(lengths))
    for point in points:
        asked = ModelSettings(kv_type="q8_0", parallel=2, context_length=point.context_length)
        assert point.needed == model_settings.memory_needed(gguf, asked)
    assert room.curve(gguf, settings, longest=100)[0].context_length == 256


@given(needed=st.integers(0, 64 * GB), total=st.integers(1 * GB, 64 * GB), used=st.floats(0, 1))
def test_the_verdict_is_what_it_says(needed: int, total: int, used: float) -> None:
    memory = Memory("RAM", total, int(total * (1 - used)))
    said = room.verdict(needed, memory)
    whole = needed + room.OVERHEAD
    assert (said == "fits") == (whole <= 0.8 * memory.free)
    assert (said == "does not fit") == (whole > 0.9 * total)


def test_more_than_models_may_take_does_not_fit() -> None:
    """Loading it would be refused, however much is free."""
    memory = Memory("RAM", 16 * GB, 16 * GB, 4 * GB)
    assert room.verdict(4 * GB - room.OVERHEAD, memory) == "fits"
    assert room.verdict(4 * GB - room.OVERHEAD + 1, memory) == "does not fit"


def test_the_longest_context_is_where_the_verdict_changes(smollm: Path) -> None:
    gguf, settings = reader.read(smollm), ModelSettings()
    memory = Memory("RAM", 320_000_000, 320_000_000)
    easy = room.longest_context(gguf, settings, memory)
    hard = room.longest_context(gguf, settings, memory, easily=False)
    assert 0 < easy < hard < 8192
    for length, inside, outside in ((easy, "fits", "tight"), (hard, "tight", "does not fit")):
        assert room.verdict(room.needed(gguf, settings, length).total, memory) == inside
        assert room.verdict(room.needed(gguf, settings, length + 256).total, memory) == outside
    assert room.longest_context(gguf, settings, Memory("RAM", GB // 20, GB // 20)) == 0


def test_this_machine_is_known() -> None:
    machine = room.machine()
    assert machine.ram.total == psutil.virtual_memory().total and 0 < machine.ram.free <= machine.ram.total


class Card:
    """What NVIDIA's library says of a card with 8 GB."""

    total, free, used = 8 * GB, 5 * GB, 3 * GB


def library(cards: int) -> ModuleType:
    """A library of the same names, for a machine that has so many cards; the last of them tells nothing."""
    module = ModuleType("graphics")
    vars(module).update(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: cards + 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda card: Card if card < cards else 1 / 0,
        nvmlDeviceGetName=lambda card: (b"Card %d" % card) if card else "Card zero",
    )
    return module


def test_graphics_cards_are_what_their_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphics", library(2))
    found = room.machine(library="graphics").cards
    assert found == (Memory("Card zero", 8 * GB, 5 * GB), Memory("Card 1", 8 * GB, 5 * GB))
    assert room.machine(library="no_such_library").cards == ()


@pytest.mark.model
@pytest.mark.skipif(not Path("/proc").exists(), reason="reads a process' private memory as Linux tells it")
def test_a_loaded_model_takes_what_was_estimated(smollm: Path) -> None:
    """The whole process against the whole estimate: weights read into memory, the whole KV cache written to."""
    settings = ModelSettings(context_length=2048, parallel=1, mmap=False, threads=1)
    estimate = room.needed(reader.read(smollm), settings, 2048)
    engine = loaded(Engine(smollm, name="SmolLM2", settings=settings))
    try:
        for _ in engine.stream(request("word " * 300, max_tokens=2, ignore_end=True)):
            pass
        taken = psutil.Process(engine.pid).memory_full_info().uss
    finally:
        engine.close()
    assert estimate.total < taken < 1.15 * (estimate.total + room.OVERHEAD)
