"""The rows of presets.toml, each of them, and which addresses are theirs."""

from __future__ import annotations

import pytest

from core.errors import AddressInvalid
from core.models.remote import presets
from core.models.remote.body import EXTENSIONS
from core.models.remote.endpoint import checked_url, whereabouts
from core.models.remote.presets import Preset

ISSUE = (
    "ollama lmstudio llamacpp llamafile jan gpt4all localai textgenwebui openwebui anythingllm vllm foundrylocal "
    "koboldcpp dockermodelrunner lemonade openai anthropic gemini mistral deepseek xai cohere alibaba moonshot ai21 "
    "liquid huggingface groq openrouter together fireworks replicate perplexity nvidia cerebras sambanova nebius "
    "scaleway ovhcloud ollamacloud github azure vertex albert"
)
SENT = EXTENSIONS | {
    *("temperature", "top_p", "seed", "logit_bias", "presence_penalty", "frequency_penalty", "max_tokens"),
    *("stop", "logprobs", "response_format", "stream_options", "tools"),
}
"""Parameters that body.py may send."""

ROWS = presets.all()


def filled(preset: Preset) -> str:
    return preset.url(**dict.fromkeys(preset.placeholders, "mine"))


def test_all_are_there_once() -> None:
    assert [preset.id for preset in ROWS] == ISSUE.split()
    assert len({preset.name for preset in ROWS}) == len(ROWS)


@pytest.mark.parametrize("preset", ROWS, ids=lambda preset: preset.id)
class TestEach:
    def test_its_address_can_be_used(self, preset: Preset) -> None:
        assert checked_url(filled(preset)) == filled(preset)
        away = preset.kind != "machine"
        assert whereabouts(preset.base_url) == ("away" if away else "machine")
        assert preset.base_url.startswith("https://" if away else "http://localhost:")

    def test_it_says_where_more_is_to_be_read(self, preset: Preset) -> None:
        assert preset.docs.startswith("https://")
        assert bool(preset.key_page and preset.key_variable and preset.country) == (preset.kind != "machine")
        assert (preset.key_page or "https://").startswith("https://")

    def test_its_ports_are_those_of_this_machine(self, preset: Preset) -> None:
        assert bool(preset.ports) == (preset.kind == "machine")
        assert not preset.ports or preset.base_url.startswith(f"http://localhost:{preset.ports[0]}/")

    def test_its_quirks_are_parameters_that_are_sent(self, preset: Preset) -> None:
        refused = preset.unsupported.union(*(quirk.unsupported for quirk in preset.quirks))
        assert refused <= SENT
        assert preset.takes <= EXTENSIONS
        assert not refused & preset.takes

    def test_its_address_is_known_to_be_its_own(self, preset: Preset) -> None:
        if preset.kind != "machine":
            assert presets.of(filled(preset)) == preset
            assert presets.of(filled(preset) + "/other") == preset

    def test_what_it_says_is_a_sentence(self, preset: Preset) -> None:
        assert all(text.endswith(".") for text in (preset.free_tier, preset.caution) if text)


def test_a_server_on_this_machine_is_told_where_no_other_has_its_port() -> None:
    for host in ("localhost", "127.0.0.1", "[::1]"):
        found = presets.of(f"http://{host}:11434/v1")
        assert found is not None and found.id == "ollama"
    assert presets.of("http://localhost:8080/v1") is None, "three servers listen there"
    assert presets.of("http://localhost:11434/other") is None
    assert presets.of("http://192.168.1.5:11434/v1") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://api.openai.com.example.org/v1",
        "https://example.org/api.openai.com/v1",
        "https://evil.example.org/.openai.azure.com/openai/v1",
        "https://a.b.openai.azure.com/openai/v1",
        "https://.openai.azure.com/openai/v1",
    ],
)
def test_no_other_host_is_a_provider_s(url: str) -> None:
    assert presets.of(url) is None


def test_an_address_of_one_s_own_is_filled_in() -> None:
    azure = presets.get("azure")
    assert azure is not None and azure.placeholders == ("resource",)
    assert azure.url(resource=" my-place ") == "https://my-place.openai.azure.com/openai/v1"
    assert not azure.own_host, "whose the key is, is not told by the address"
    for text in ("", "evil.example.org/", "a b", "x.y"):
        with pytest.raises(AddressInvalid, match="filled in"):
            checked_url(azure.url(resource=text))


def test_what_some_models_refuse_is_left_out_for_them_alone() -> None:
    openai, mistral = presets.get("openai"), presets.get("mistral")
    assert openai is not None and mistral is not None
    assert openai.left_out("gpt-4o") == {"max_tokens"}
    assert "temperature" in openai.left_out("o3-mini") & openai.left_out("gpt-5.2")
    assert "seed" in mistral.left_out("mistral-small-latest")


def test_an_unknown_id_is_nobody_s() -> None:
    assert presets.get("nobody") is None and presets.get(None) is None
