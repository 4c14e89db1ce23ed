"""Whether a model fits the memory with given settings, before it is loaded; and how long its context may be.

Headers and results are kept for as long as a file does not change, as a page asks with every click. Thread-safe.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from core.errors import ModelNotFound
from core.gguf import reader
from core.gguf.header import GGUF
from core.gguf.memory import MemoryEstimate
from core.models.local import model_settings
from core.models.local.model_settings import ModelSettings


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes and tokens. `default_context`: the context length where the settings name none; `trained_context`: what the
    model was trained for, None unknown; `longest_context`: the longest that fits `budget`, 0 where none does."""

    needed: MemoryEstimate
    budget: int
    default_context: int
    trained_context: int | None
    layers: int | None
    longest_context: int

    @property
    def fits(self) -> bool:
        """Whether it can be loaded into an otherwise empty memory."""
        return self.needed.total <= self.budget


def fit(path: Path, settings: ModelSettings, *, budget: int) -> Fit:
    """The fit of the GGUF model at `path`. Raises `ModelNotFound` or `ModelFileInvalid`."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        raise ModelNotFound(model=path.name) from None
    return _fit(path, status.st_size, status.st_mtime_ns, settings, budget)


@lru_cache(maxsize=256)
def _fit(path: Path, size: int, changed: int, settings: ModelSettings, budget: int) -> Fit:
    gguf = _header(path, size, changed)
    return Fit(
        needed=model_settings.memory_needed(gguf, settings),
        budget=budget,
        default_context=model_settings.context_length(ModelSettings(), trained=gguf.context_length),
        trained_context=gguf.context_length,
        layers=gguf.block_count,
        longest_context=model_settings.context_that_fits(gguf, settings, budget=budget),
    )


@lru_cache(maxsize=8)
def _header(path: Path, size: int, changed: int) -> GGUF:
    """The key is the file as it was when it was read."""
    return reader.read(path)
