"""What servers say of a model beside its name, as values of ours; None for what is missing, of another type or absurd.

Knows no network. `entry` is one object of a list of models, as JSON decodes it. The fields are those of llama.cpp's
server (tools/server/README.md), vLLM (`max_model_len`), OpenRouter (https://openrouter.ai/docs/models), Groq
(`context_window`), Together (https://docs.together.ai/reference/models-1), Mistral
(https://docs.mistral.ai/api/endpoint/models), Hugging Face's router (https://huggingface.co/docs/inference-providers)
and LM Studio (https://lmstudio.ai/docs/api/rest-api).
"""

from __future__ import annotations

import math
import time
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from core.models.base import Price

SHORTEST_CONTEXT = 64
"""Tokens. A server that claims less has no question that fits: it is taken as not having said."""

LONGEST_CONTEXT = 1 << 30
LARGEST_COUNT = 1 << 60
LONGEST_WORD = 40

DEAREST = 100_000.0
"""US dollars for a million tokens; above it the number is no price."""

DAY_S = 86_400
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC).timestamp()

MODALITIES = ("text", "image", "audio", "video", "file")

_CONTEXT = ("meta.n_ctx", "max_model_len", "context_length", "context_window", "max_context_length")
"""What the server was started with first; what the model was trained for (`meta.n_ctx_train`) may be more."""

_MODALITIES = ("architecture.input_modalities", "input_modalities", "supported_input_modalities")


class _Pricing(msgspec.Struct, frozen=True):
    """Where a list has its prices. `tokens`: how many its number is for. `free`: whether 0 says free, or nothing."""

    input: str
    output: str
    cached: str
    tokens: int
    free: bool


_PRICING = (
    _Pricing("prompt", "completion", "input_cache_read", 1, free=True),  # OpenRouter
    _Pricing("input", "output", "cached_input", 1_000_000, free=False),  # Together
)


def at(entry: Any, path: str) -> Any:
    """What stands at a dotted path of keys, or of places in a list: `data.0.owned_by`. None where there is nothing."""
    for key in path.split("."):
        if isinstance(entry, list) and key.isdigit():
            entry = entry[int(key)] if int(key) < len(entry) else None
        else:
            entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def count(entry: Any, *paths: str, least: int = 1, most: int = LARGEST_COUNT) -> int | None:
    """The first whole number from `least` to `most` at one of the paths."""
    found = (at(entry, path) for path in paths)
    return next((n for n in found if isinstance(n, int) and not isinstance(n, bool) and least <= n <= most), None)


def word(entry: Any, *paths: str) -> str | None:
    """The first short text on one line at one of the paths."""
    found = (at(entry, path) for path in paths)
    return next(
        (t for t in found if isinstance(t, str) and t.strip() and t.isprintable() and len(t) <= LONGEST_WORD), None
    )


def context(entry: Any, *paths: str) -> int | None:
    """The first context length that can be one, in tokens, at one of the paths."""
    return count(entry, *paths, least=SHORTEST_CONTEXT, most=LONGEST_CONTEXT)


def context_length(entry: dict[str, Any]) -> int | None:
    """Tokens. Where a router names several providers of the model, what each of them takes."""
    if (length := context(entry, *_CONTEXT)) is not None:
        return length
    lengths = [length for one in _providers(entry) if (length := context(one, "context_length"))]
    return min(lengths, default=None)


def price(entry: dict[str, Any]) -> Price | None:
    """The list price of today. A price of 0 is believed only where the list says 0 for every unit that it has."""
    pricing = entry.get("pricing")
    if not isinstance(pricing, dict):
        return None
    for names in _PRICING:
        paid = _amount(pricing, names.input, names), _amount(pricing, names.output, names)
        if paid[0] is None or paid[1] is None or not _believed(pricing, paid, names):
            continue
        cached = _amount(pricing, names.cached, names)
        return Price(input=paid[0], output=paid[1], cached_input=cached, as_of=_today().isoformat())
    return None


def modalities(entry: dict[str, Any]) -> tuple[str, ...]:
    """What the model takes; empty where the list does not say."""
    said = next((value for path in _MODALITIES if isinstance(value := at(entry, path), list)), None)
    if said is not None:
        return tuple(one for one in MODALITIES if one in said)
    if isinstance(vision := at(entry, "capabilities.vision"), bool):
        return ("text", "image") if vision else ("text",)
    return ()


def tools(entry: dict[str, Any]) -> bool | None:
    """Whether the model can call tools."""
    if isinstance(named := entry.get("supported_parameters"), list):
        return "tools" in named
    if isinstance(can := at(entry, "capabilities.function_calling"), bool):
        return can
    if isinstance(named := entry.get("capabilities"), list):
        return "tool_use" in named
    said = [one["supports_tools"] for one in _providers(entry) if isinstance(one.get("supports_tools"), bool)]
    return any(said) if said else None


def released(entry: dict[str, Any]) -> str | None:
    """The day of `created`, ISO 8601. None for the last one: many servers put the time there, by their own clock."""
    created = count(entry, "created")
    if created is None or not EARLIEST <= created < time.time() - DAY_S:
        return None
    return datetime.fromtimestamp(created, UTC).date().isoformat()


def _providers(entry: dict[str, Any]) -> list[dict[str, Any]]:
    named = entry.get("providers")
    return [one for one in named if isinstance(one, dict)] if isinstance(named, list) else []


def _amount(pricing: dict[str, Any], name: str, names: _Pricing) -> float | None:
    """US dollars for a million tokens. OpenRouter writes its numbers as text, and −1 where the price varies."""
    said = pricing.get(name)
    try:
        amount = float(said) * 1_000_000 / names.tokens if isinstance(said, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return round(amount, 6) if not isinstance(said, bool) and 0 <= amount <= DEAREST else None


def _believed(pricing: dict[str, Any], paid: tuple[float | None, float | None], names: _Pricing) -> bool:
    if any(paid):
        return True
    others = [_amount(pricing, name, names) for name in pricing]
    return names.free and not any(others)


def _today() -> date:
    return datetime.now(UTC).date()
