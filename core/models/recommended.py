"""Sampling values to begin with: those that a model's makers recommend, and three presets of ours. No streamlit.

A model's own come from its GGUF metadata (the keys `general.sampling.*` of llama.cpp, gguf-py/gguf/constants.py) and,
for what those leave open, from the Hub's `generation_config.json` lying beside the file. What makes no sense there (no
number, out of range) is ignored: a recommendation is no reason for an error.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.errors import N_, WorkbenchError
from core.gguf import reader
from core.messages import Sampling
from core.models.local.limits import RANGES

Source = Literal["gguf", "generation_config"]
"""Where a value stands: the model's file, or the card's file beside it."""

CARD = "generation_config.json"
MAX_CARD = 1 << 20
"""Bytes of a card that are read."""

MAX_TEMPERATURE = 2.0
"""What is above is no recommendation, though llama.cpp would take it."""

FREE = frozenset({"seed", "logit_bias", "dry_sequence_breakers"})
"""Fields that a preset says nothing of."""

_GGUF = {
    "general.sampling.temp": "temperature",
    "general.sampling.top_k": "top_k",
    "general.sampling.top_p": "top_p",
    "general.sampling.min_p": "min_p",
    "general.sampling.xtc_probability": "xtc_probability",
    "general.sampling.xtc_threshold": "xtc_threshold",
    "general.sampling.penalty_last_n": "repeat_last_n",
    "general.sampling.penalty_repeat": "repeat_penalty",
    "general.sampling.mirostat": "mirostat",
    "general.sampling.mirostat_tau": "mirostat_tau",
    "general.sampling.mirostat_eta": "mirostat_eta",
}
_CARD = {
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "repetition_penalty": "repeat_penalty",
}
_RANGES = RANGES | {"temperature": (0.0, MAX_TEMPERATURE)}


@dataclass(frozen=True, slots=True)
class Recommended:
    """A model's own values by field of `Sampling`, and where each stands."""

    values: Mapping[str, float]
    sources: Mapping[str, Source]

    @property
    def sampling(self) -> Sampling:
        """The defaults, with these values in their place."""
        return msgspec.structs.replace(Sampling(), **self.values)


@dataclass(frozen=True, slots=True)
class Preset:
    """Values to begin with. name, help: msgids."""

    name: str
    help: str
    sampling: Sampling

    def differences(self, sampling: Sampling) -> list[str]:
        """The fields in which a sampling differs from it; what a preset says nothing of does not count."""
        names = [name for name in Sampling.__struct_fields__ if name not in FREE]
        return [name for name in names if getattr(sampling, name) != getattr(self.sampling, name)]


BALANCED = Preset(N_("Balanced"), N_("llama.cpp's defaults: some variety, and the improbable cut."), Sampling())
PRESETS = (
    BALANCED,
    Preset(
        N_("Precise"),
        N_("The most probable token each time: for facts, code and comparisons."),
        Sampling(temperature=0.0),
    ),
    Preset(
        N_("Creative"),
        N_("Rare words get a chance, and min-p keeps the sense: for stories and ideas."),
        # A high temperature with min-p alone, as its authors use it (Nguyen and others, 2024).
        Sampling(temperature=1.2, top_k=0, top_p=1.0, min_p=0.1),
    ),
)


def presets(own: Recommended | None) -> tuple[Preset, ...]:
    """Ours, after the model's own where it has any."""
    if own is None:
        return PRESETS
    return (Preset(N_("Model's own"), N_("What the model's makers recommend."), own.sampling), *PRESETS)


def nearest(offered: Sequence[Preset], sampling: Sampling) -> Preset:
    """The preset that differs in the fewest fields, the first of them where several do."""
    return min(offered, key=lambda preset: len(preset.differences(sampling)))


def recommended(path: Path | str) -> Recommended | None:
    """The values that a GGUF file and the card beside it recommend; None where there are none, or no such file.

    Read again only when one of the two files has changed.
    """
    path = Path(path)
    card = path.with_name(CARD) if path.name else path
    return _read(path, card, _state(path), _state(card))


@functools.lru_cache(maxsize=256)
def _read(path: Path, card: Path, _path_state: object, _card_state: object) -> Recommended | None:
    try:
        metadata = reader.read_one(path).metadata
    except WorkbenchError:
        return None
    from_card = _usable((_CARD[key], value) for key, value in _card(card).items() if key in _CARD)
    from_gguf = _usable((_GGUF[key], value) for key, value in metadata.items() if key in _GGUF)
    if not from_card and not from_gguf:
        return None
    sources: dict[str, Source] = dict.fromkeys(from_card, "generation_config")
    return Recommended(from_card | from_gguf, sources | dict.fromkeys(from_gguf, "gguf"))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _card(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > MAX_CARD:
            return {}
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return card if isinstance(card, dict) else {}


def _usable(found: Iterable[tuple[str, Any]]) -> dict[str, float]:
    """The values that are numbers of their field's kind and within its range."""
    return {name: _typed(name, value) for name, value in found if _fits(name, value)}


def _fits(name: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if name == "mirostat":
        return value in (0, 2) and isinstance(value, int)
    low, high = _RANGES[name]
    if isinstance(low, int) and not isinstance(value, int):
        return False
    return low <= value <= high and math.isfinite(value)


def _typed(name: str, value: float) -> float:
    """A 32-bit 0.6 is 0.6000000238418579, and JSON writes 1 for 1.0."""
    whole = name == "mirostat" or isinstance(_RANGES[name][0], int)
    return value if whole else float(f"{value:.6g}")
