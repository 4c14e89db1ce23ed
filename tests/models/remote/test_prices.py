"""What tokens cost: by the list, and never 0 where nobody knows."""

from __future__ import annotations

import importlib.metadata
import socket
import subprocess
import sys

import pytest

from core.events import Cost, Usage
from core.models.base import Price
from core.models.remote import presets, prices
from core.models.remote.presets import Preset

PRICE = Price(input=2.0, output=10.0, cached_input=0.5, currency="EUR", as_of="2026-11-04")
USAGE = Usage(prompt_tokens=1000, generated_tokens=100)


def preset(id: str) -> Preset:
    found = presets.get(id)
    assert found is not None
    return found


def test_tokens_times_their_prices() -> None:
    assert prices.cost(PRICE, USAGE) == Cost(amount=0.003, currency="EUR", as_of="2026-11-04")


def test_tokens_from_the_cache_are_at_their_own_price() -> None:
    cached = Usage(prompt_tokens=1000, generated_tokens=100, cached_tokens=900)
    (known,) = [prices.cost(PRICE, cached)]
    assert known is not None and known.amount == pytest.approx(0.00165)
    dear = prices.cost(Price(input=2.0, output=10.0), cached)
    assert dear is not None and dear.amount == pytest.approx(0.003), "a cache of unknown price is as dear as the rest"


def test_what_nobody_knows_is_no_zero_and_what_is_free_is_one() -> None:
    assert prices.cost(None, USAGE) is None
    free = prices.cost(Price(input=0.0, output=0.0), USAGE)
    assert free is not None and free.amount == 0.0


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("openai", "gpt-4o-mini"),
        ("gemini", "models/gemini-2.5-flash"),
        ("anthropic", "claude-sonnet-4-5"),
        ("mistral", "mistral-small-latest"),
        ("openrouter", "openai/gpt-4o"),
    ],
)
def test_models_that_are_on_the_list(id: str, name: str) -> None:
    price = prices.of(preset(id), name)
    assert price is not None and 0 < price.input < price.output and price.currency == "USD"
    assert price.cached_input is not None and price.cached_input < price.input
    assert price.as_of == prices.AS_OF[importlib.metadata.version("genai-prices")]


def test_models_that_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prices.of(None, "gpt-4o") is None
    assert prices.of(preset("ollama"), "gpt-4o") is None, "on this machine nothing is paid"
    assert prices.of(preset("openai"), "gpt-99-imaginary") is None
    assert prices.of(preset("perplexity"), "sonar") is None, "it is paid by the request too"


def test_every_provider_that_is_named_is_on_the_list() -> None:
    from genai_prices.data import providers

    listed = {provider.id for provider in providers}
    assert {row.prices for row in presets.all() if row.prices} <= listed


def test_nothing_is_asked_of_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    prices._listed.cache_clear()
    assert prices.of(preset("openai"), "gpt-4o") is not None


def test_the_list_is_read_in_when_a_price_is_asked_for() -> None:
    program = "import sys, core.workbench; print('genai_prices' in sys.modules, 'keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
