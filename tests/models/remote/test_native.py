"""What local servers say in their own API: read where it makes sense, and harmless where it does not."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from core import errors
from core.models.remote import native, presets
from core.models.remote.endpoint import Endpoint, Timeouts, endpoint
from core.models.remote.native import Details, describe
from tests.models.remote.conftest import KEY
from tests.models.remote.playing import Playing, recorded
from tests.models.remote.strangers import NOT_HTTP, hold, living

TIMEOUTS = Timeouts(connect_s=5.0, read_s=10.0)
ODD: list[Any] = [None, [], {}, "text", 7, True, [None], [[]], [7], {"models": 5}, {"data": {}}, {"data": [None, 5]}]


def at(url: str) -> Endpoint:
    return endpoint(f"{url}/v1", KEY, provider="Here", timeouts=TIMEOUTS)


def details(kind: str, name: str, answers: dict[str, dict[str, Any]] | None = None) -> Details:
    with Playing(kind, answers=answers) as server:
        found = describe(at(server.url), presets.get(kind), name)
        assert server.asked
        assert {headers["host"] for _, _, headers in server.asked} == {f"127.0.0.1:{server.port}"}
    return found


def test_ollama() -> None:
    assert details("ollama", "llama3.2:latest") == Details(
        context_length=4096,
        trained_context=131_072,
        quantization="Q4_K_M",
        parameters=3_212_749_888,
        size_bytes=2_019_393_189,
        loaded=True,
        tools=True,
        modalities=("text",),
    )


def test_ollama_when_the_model_is_not_loaded() -> None:
    idle = {"/api/ps": {"json": {"models": []}}}
    found = details("ollama", "llama3.2", idle)
    assert (found.context_length, found.loaded) == (8192, False), "what its own settings say"
    assert found.size_bytes == 2_019_393_189, "the tag of a name without one is latest"
    shown = recorded("ollama")["answers"]["POST /api/show"]["json"] | {
        "parameters": 'stop  "x"',
        "capabilities": ["vision"],
    }
    found = details("ollama", "llama3.2", idle | {"POST /api/show": {"json": shown}})
    assert (found.context_length, found.trained_context) == (None, 131_072)
    assert (found.tools, found.modalities) == (False, ("text", "image"))


def test_an_older_ollama_writes_its_numbers_as_words() -> None:
    refused = {"status": 404, "json": {"error": "model not found"}}
    found = details("ollama", "llava:13b", {"POST /api/show": refused, "/api/ps": refused})
    assert (found.parameters, found.quantization, found.size_bytes) == (13_000_000_000, "Q4_0", 8_011_256_494)
    assert (found.loaded, found.tools, found.context_length) == (None, None, None)


def test_lm_studio() -> None:
    loaded = details("lmstudio", "meta-llama-3.1-8b-instruct")
    assert loaded == Details(
        context_length=8192,
        trained_context=131_072,
        quantization="Q4_K_M",
        loaded=True,
        tools=True,
        modalities=("text",),
    )
    other = details("lmstudio", "qwen2-vl-7b-instruct")
    assert (other.context_length, other.trained_context, other.loaded) == (None, 32_768, False)
    assert other.modalities == ("text", "image")
    assert details("lmstudio", "another") == Details()


def test_llama_cpp() -> None:
    assert details("llamacpp", "smol.gguf") == Details(
        context_length=4096,
        trained_context=8192,
        quantization="Q8_0",
        parameters=134_515_008,
        size_bytes=144_811_008,
        slots=4,
        busy=1,
        chat_template=True,
        tools=True,
        modalities=("text",),
    )
    props = recorded("llamacpp")["answers"]["/props"]["json"]
    quiet = {
        "/slots": {"status": 501, "json": {"error": {"message": "This server does not support slots endpoint."}}},
        "/props": {"json": props | {"chat_template": "", "modalities": {"vision": True, "audio": True}}},
    }
    found = details("llamacpp", "smol.gguf", quiet)
    assert (found.busy, found.chat_template, found.modalities) == (None, False, ("text", "image", "audio"))


def test_the_model_s_name_arrives_whole() -> None:
    with Playing("llamacpp") as server:
        describe(at(server.url), presets.get("llamacpp"), "org/a b?c&d#é")
        asked = [path for _, path, _ in server.asked if path.startswith("/props")]
    assert asked == ["/props?model=org%2Fa%20b%3Fc%26d%23%C3%A9"]


@pytest.mark.parametrize("kind", ["ollama", "lmstudio", "llamacpp"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_whatever_it_says_is_harmless(kind: str, value: Any) -> None:
    answers = {path: {"json": value} for path in recorded(kind)["answers"]}
    assert details(kind, "x", answers).context_length is None


@pytest.mark.parametrize(
    "length", [1, 0, -5, 1 << 40, 4096.5, "4096", True, None, [4096]], ids=lambda value: repr(value)[:12]
)
def test_a_context_that_can_be_none(length: object) -> None:
    shown = {"model_info": {"llama.context_length": length}, "details": {"quantization_level": "Q4\n0"}}
    loaded = {"models": [{"name": "x", "context_length": length}]}
    found = details("ollama", "x", {"POST /api/show": {"json": shown}, "/api/ps": {"json": loaded}})
    assert (found.context_length, found.trained_context, found.quantization) == (None, None, None)
    props = {"/props": {"json": {"default_generation_settings": {"n_ctx": length}, "total_slots": -1}}}
    found = details("llamacpp", "x", props)
    assert (found.context_length, found.slots) == (None, None)


def test_too_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "LIMIT", 10_000)
    shown = recorded("ollama")["answers"]["POST /api/show"]["json"] | {"license": "x" * 100_000}
    found = details("ollama", "llama3.2", {"POST /api/show": {"json": shown}})
    assert (found.trained_context, found.size_bytes) == (None, 2_019_393_189)


def test_without_an_api_of_its_own_nothing_is_asked() -> None:
    with Playing("vllm") as server:
        assert describe(at(server.url), presets.get("vllm"), "Qwen/Qwen3-8B") == Details()
        assert describe(at(server.url), None, "Qwen/Qwen3-8B") == Details()
        assert server.asked == []


def test_ten_thousand_models() -> None:
    listed = [{"id": f"model-{number}", "max_context_length": 4096} for number in range(10_000)]
    found = details("lmstudio", "model-9999", {"/api/v0/models": {"json": {"data": listed}}})
    assert found.trained_context == 4096


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        with pytest.raises(errors.ProviderUnreachable):
            describe(at(f"http://127.0.0.1:{taken.getsockname()[1]}"), presets.get("ollama"), "x")


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "LIMIT_S", 0.3)
    with living(hold) as port, pytest.raises(errors.ProviderTimedOut):
        describe(at(f"http://127.0.0.1:{port}"), presets.get("ollama"), "x")


@pytest.mark.parametrize("name", sorted(NOT_HTTP))
def test_what_is_no_model_server_gives_nothing_or_a_provider_error(name: str) -> None:
    with living(NOT_HTTP[name]) as port:
        try:
            found = describe(at(f"http://127.0.0.1:{port}"), presets.get("llamacpp"), "x")
        except errors.ProviderError as error:
            assert error.advice()
        else:
            assert found.context_length is None
