"""What an answer costs: list prices, and tokens times them. Sends nothing: prices come with the package, not from it.

The list is genai-prices (the pydantic team, MIT): prices by provider, with their tiers and the day they begin, checked
by hand against the providers' pages; litellm's list is as long but comes with all of litellm, and the others are of
one person. What an endpoint says of its own prices goes before it (see entries.py). A price that is not known is None
and never 0; of a price in tiers it is the lowest. Reading the list in takes half a second, once.
"""

from __future__ import annotations

import functools
import importlib.metadata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.events import Cost, Usage
from core.models.base import Price
from core.models.remote.presets import Preset

AS_OF = {"0.2.3": "2026-11-04"}
"""The newest day that a version of genai-prices says it was checked on."""

MILLION = 1_000_000


def of(preset: Preset | None, name: str) -> Price | None:
    """The list price of a provider's model, by the name that the provider gives it; None where the list has none."""
    return _listed(preset.prices, name) if preset is not None and preset.prices is not None else None


def cost(price: Price | None, usage: Usage) -> Cost | None:
    """What these tokens cost; None where the price is not known. Tokens from the cache are at their own price."""
    if price is None:
        return None
    cached = price.input if price.cached_input is None else price.cached_input
    fresh = max(usage.prompt_tokens - usage.cached_tokens, 0)
    amount = fresh * price.input + usage.cached_tokens * cached + usage.generated_tokens * price.output
    return Cost(amount=amount / MILLION, currency=price.currency, as_of=price.as_of)


@functools.lru_cache(maxsize=10_000)
def _listed(provider: str, name: str) -> Price | None:
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, model = get_snapshot().find_provider_model(name.removeprefix("models/"), None, provider, None)
    except LookupError:
        return None
    prices = model.get_prices(datetime.now(UTC))
    if prices.requests_kcount:  # paid by the request as well, which no price of tokens can say
        return None
    fresh, written = _number(prices.input_mtok), _number(prices.output_mtok)
    if fresh is None or written is None:
        return None
    return Price(input=fresh, output=written, cached_input=_number(prices.cache_read_mtok), as_of=_as_of())


def _number(price: Any) -> float | None:
    """A price as a number; of one in tiers the first."""
    amount = getattr(price, "base", price)
    return float(amount) if isinstance(amount, Decimal) else None


@functools.cache
def _as_of() -> str | None:
    return AS_OF.get(importlib.metadata.version("genai-prices"))
