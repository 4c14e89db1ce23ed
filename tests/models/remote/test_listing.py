"""Lists of models: what stands beside the names is taken where it makes sense, and is unknown where it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import errors
from core.models.base import ModelInfo, Price
from core.models.remote import entries, listing
from core.models.remote.endpoint import Timeouts, endpoint
from tests.models.remote.playing import Playing, recorded

TIMEOUTS = Timeouts(connect_s=5.0, read_s=30.0)
ODD: list[Any] = [None, "", "much", [], {}, {"a": 1}, -1, 1e400, float("nan"), True, [[]], "9" * 5000]


def listed(answer: Any) -> dict[str, ModelInfo]:
    with Playing(answers={"/v1/models": {"json": answer}}) as server:
        there = endpoint(f"{server.url}/v1", provider="Here", timeouts=TIMEOUTS)
        return {one.info.name: one.info for one in listing.models(there)}


def of(name: str) -> dict[str, ModelInfo]:
    return listed(recorded(name)["answers"]["/v1/models"]["json"])


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_openrouter() -> None:
    day = today()
    infos = of("openrouter")
    gemma = infos["google/gemma-3-27b-it"]
    assert gemma.price is not None
    assert (gemma.price.input, gemma.price.output, gemma.price.cached_input) == (0.1, 0.2, 0.025)
    assert gemma.price.currency == "USD" and day <= (gemma.price.as_of or "") <= today()
    assert (gemma.context_length, gemma.modalities, gemma.tools) == (131_072, ("text", "image"), True)
    free = infos["google/gemma-3-27b-it:free"]
    assert free.price is not None and (free.price.input, free.price.output) == (0.0, 0.0)
    assert free.tools is False
    assert infos["openrouter/auto"].price is None, "−1: it varies"
    assert infos["acme/painter"].price is None, "0 a token, but not nothing"


def test_together() -> None:
    infos = of("together")
    llama = infos["meta-llama/Llama-3.3-70B-Instruct-Turbo"]
    assert llama.price is not None and (llama.price.input, llama.price.output) == (0.88, 0.88)
    assert llama.context_length == 131_072
    assert infos["acme/on-request"].price is None, "0 does not say that it is free"


def test_groq_mistral_and_hugging_face() -> None:
    assert of("groq")["llama-3.3-70b-versatile"].context_length == 131_072
    small = of("mistral")["mistral-small-latest"]
    assert (small.context_length, small.modalities, small.tools) == (131_072, ("text", "image"), True)
    assert of("mistral")["mistral-embed"].tools is False
    oss = of("huggingface")["openai/gpt-oss-120b"]
    assert (oss.context_length, oss.tools, oss.modalities, oss.price) == (65_536, True, ("text",), None)


def test_llama_cpp() -> None:
    info = of("llamacpp")["smol.gguf"]
    assert (info.context_length, info.quantization) == (4096, "Q8_0")
    assert (info.parameters, info.size_bytes) == (134_515_008, 144_811_008)
    assert (info.price, info.modalities, info.tools) == (None, (), None)


def test_the_day_of_release_is_that_of_providers_and_not_of_servers_here() -> None:
    assert of("openrouter")["google/gemma-3-27b-it"].released is None, "this one is played on this machine"
    entry = recorded("openrouter")["answers"]["/v1/models"]["json"]["data"][0]
    there = endpoint("https://openrouter.ai/api/v1", provider="OpenRouter", timeouts=TIMEOUTS)
    assert listing._listed(there, entry).info.released == "2025-03-12"


@pytest.mark.parametrize(
    ("created", "day"),
    [
        (1_741_818_122, "2025-03-12"),
        (0, None),
        (1, None),
        (-5, None),
        (1_741_818_122_000, None),
        (1 << 62, None),
        ("1741818122", None),
        (True, None),
        (1_741_818_122.5, None),
        (None, None),
    ],
)
def test_a_day_that_can_be_none(created: object, day: str | None) -> None:
    assert entries.released({"created": created}) == day


@pytest.mark.parametrize("hours", [0, 5, 23, -5, -24 * 400])
def test_the_time_of_the_answer_by_whatever_clock_is_no_release(hours: int) -> None:
    there = datetime.now(UTC) - timedelta(hours=hours)
    assert entries.released({"created": int(there.timestamp())}) is None


FIELDS = (
    *(
        "pricing",
        "architecture",
        "supported_parameters",
        "capabilities",
        "providers",
        "created",
        "meta",
        "input_modalities",
    ),
    *("max_model_len", "context_length", "context_window", "max_context_length", "quantization", "owned_by"),
)


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_whatever_stands_in_a_field_is_harmless(value: Any) -> None:
    info = listed({"data": [{"id": "x"} | dict.fromkeys(FIELDS, value)]})["x"]
    assert info.price is None and info.context_length is None and info.released is None
    assert info.modalities == ()
    nested = {"pricing": {"prompt": value, "completion": value, "input": value, "output": value}}
    assert listed({"data": [{"id": "x"} | nested]})["x"].price is None
    inner = {"architecture": {"input_modalities": value}, "meta": {"n_ctx": value}, "providers": [value, {"x": value}]}
    assert listed({"data": [{"id": "x"} | inner]})["x"].context_length is None


@pytest.mark.parametrize("price", ["Infinity", "-Infinity", "NaN", "-0.1", "1", 1e9, "0x10", "free", "", None])
def test_a_price_that_is_none(price: object) -> None:
    assert entries.price({"pricing": {"prompt": "0.000001", "completion": price}}) is None


def test_a_price_with_one_side_free_is_one() -> None:
    price = entries.price({"pricing": {"prompt": "0", "completion": "0.000001"}})
    assert price is not None
    assert (price.input, price.output) == (0.0, 1.0)
    assert isinstance(price, Price)


@pytest.mark.parametrize("length", [1, 63, 1 << 31])
def test_a_context_of_one_token_is_not_believed(length: int) -> None:
    assert (
        listed({"data": [{"id": "x", "context_length": length, "max_model_len": length}]})["x"].context_length is None
    )


def test_one_list_has_ten_thousand_models_and_no_more() -> None:
    data = [{"id": f"model-{number}", "context_length": 4096, "created": number} for number in range(10_500)]
    infos = listed({"data": data})
    assert list(infos) == [f"model-{number}" for number in range(listing.MOST)]


def test_a_list_as_long_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"data": [{"id": f"model-{number}", "description": "x" * 1000} for number in range(100)]}
    monkeypatch.setattr(listing, "LIMIT", len(json.dumps(data)))
    assert len(listed(data)) == 100
    monkeypatch.setattr(listing, "LIMIT", len(json.dumps(data)) - 1)
    with pytest.raises(errors.AnswerMalformed, match="too much"):
        listed(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("a.c.1.d", 2),
        ("a.c.5.d", None),
        ("a.b.x", None),
        ("z", None),
        ("a.c.x", None),
        ("a.c", [0, {"d": 2}]),
    ],
)
def test_what_stands_at_a_path(path: str, value: object) -> None:
    assert entries.at({"a": {"b": 1, "c": [0, {"d": 2}]}}, path) == value
