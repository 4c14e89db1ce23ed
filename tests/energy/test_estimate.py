"""Estimates: as EcoLogits' own entry point makes them, for whom, and what is never estimated."""

from __future__ import annotations

import logging
import math
import subprocess
import sys

import msgspec
import pytest
from ecologits.tracers.utils import llm_impacts

from core import energy
from core.energy import estimate
from core.energy.words import sentences
from core.events import Energy, Finished, Timings, Usage
from core.models.base import ModelInfo
from core.models.remote import presets

USAGE = Usage(prompt_tokens=900, generated_tokens=300)
TIMINGS = Timings(end_to_end_s=4.0)


def model(preset: str, name: str, **known: object) -> ModelInfo:
    found = presets.get(preset)
    assert found is not None
    return ModelInfo(
        id=f"{found.url(resource='school', project='school')}#{name}",
        name=name,
        provider=found.name,
        local=False,
        **known,
    )  # type: ignore[arg-type]


def elsewhere(url: str, parameters: int | None = 8_000_000_000) -> ModelInfo:
    return ModelInfo(id=f"{url}#m", name="m", provider="somebody", local=False, parameters=parameters)


def estimated(info: ModelInfo, usage: Usage = USAGE, timings: Timings = TIMINGS) -> Energy:
    found = energy.estimated(info, usage, timings)
    assert found is not None and not found.measured
    return found


@pytest.mark.parametrize(
    ("preset", "name", "provider", "known_as"),
    [
        ("openai", "gpt-4o", "openai", "gpt-4o"),
        ("azure", "gpt-4o", "openai", "gpt-4o"),
        ("anthropic", "claude-haiku-4-5", "anthropic", "claude-haiku-4-5"),
        ("gemini", "models/gemini-3.5-flash", "google_genai", "gemini-3.5-flash"),
        ("vertex", "google/gemini-3.5-flash", "google_genai", "gemini-3.5-flash"),
        ("mistral", "ministral-3b-2512", "mistralai", "ministral-3b-2512"),
        ("cohere", "command-r7b-12-2024", "cohere", "command-r7b-12-2024"),
        ("huggingface", "google/gemma-2-9b", "huggingface_hub", "google/gemma-2-9b"),
        ("huggingface", "google/gemma-2-9b:nebius", "huggingface_hub", "google/gemma-2-9b"),
    ],
)
def test_a_model_of_the_table_is_estimated_as_ecologits_does(
    preset: str, name: str, provider: str, known_as: str
) -> None:
    theirs = llm_impacts(provider, known_as, USAGE.generated_tokens, 4.0).energy
    assert theirs is not None
    ours = estimated(model(preset, name))
    low, high = getattr(theirs.value, "min", theirs.value), getattr(theirs.value, "max", theirs.value)
    assert (ours.low, ours.high) == (pytest.approx(low * 1000), pytest.approx(high * 1000))
    assert ours.method == "EcoLogits 0.11.3"


def test_a_published_model_of_an_unknown_host_has_the_span_of_all_data_centres() -> None:
    hub, host = estimated(model("huggingface", "google/gemma-2-9b")), estimated(model("together", "google/gemma-2-9b"))
    assert host.low == hub.low
    assert host.high > hub.high
    assert estimate.PUES in host.assumptions


def test_a_makers_model_behind_another_host_is_known_by_its_maker() -> None:
    known = estimated(model("openrouter", "openai/gpt-4o:free"))
    assert known.values["active_low"] == 44 and known.values["active_high"] == 132
    assert estimate.GUESSED in known.assumptions


def test_the_formula_is_the_published_one() -> None:
    """https://ecologits.ai/latest/methodology/llm_inference/, written out for 8 billion parameters on one GPU."""
    a_token_wh = 1.1665273170451914e-06 * math.exp(-0.011205921025579175 * 64) * 8 + 4.052928146734005e-05
    server_wh = 4.0 / 3600 * 1200 * (1 / 8) / 64
    computers_wh = server_wh + 300 * a_token_wh
    known = estimated(elsewhere("https://models.example.org/v1"), timings=TIMINGS)
    assert known.low == pytest.approx(1.09 * computers_wh)
    assert known.high == pytest.approx(1.20 * computers_wh)
    assert estimate.LISTED in known.assumptions


def test_twice_the_tokens_take_about_twice_the_energy() -> None:
    info = model("openai", "gpt-4o")
    once, twice = (
        estimated(info, msgspec.structs.replace(USAGE, generated_tokens=count), Timings()) for count in (1000, 2000)
    )
    assert twice.low / once.low == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize(
    "info",
    [
        ModelInfo(id="/models/a.gguf", name="a", provider="this machine", local=True, parameters=8_000_000_000),
        ModelInfo(id="route:1", name="a route", provider="a route", local=False, parameters=8_000_000_000),
        elsewhere("http://localhost:8000/v1"),
        elsewhere("http://192.168.1.20:8000/v1"),
        elsewhere("https://models.example.org/v1", parameters=None),
        elsewhere("https://models.example.org/v1", parameters=0),
        model("openai", "gpt-unheard-of"),
        model("deepseek", "deepseek-chat"),
        model("groq", "google/gemma-2-9b", parameters=9_000_000_000),
        model("cerebras", "google/gemma-2-9b"),
    ],
    ids=lambda info: info.id,
)
def test_what_cannot_be_estimated_is_unknown(info: ModelInfo) -> None:
    assert energy.estimated(info, USAGE, TIMINGS) is None


def test_an_answer_without_a_token_is_not_estimated() -> None:
    assert energy.estimated(model("openai", "gpt-4o"), Usage(prompt_tokens=9, generated_tokens=0), TIMINGS) is None


def test_every_mapped_preset_is_one_and_so_is_every_provider() -> None:
    ids = {preset.id for preset in presets.all()}
    assert ids >= estimate.PROVIDERS.keys() | estimate.NO_GRAPHICS_PROCESSORS
    from ecologits.model_repository import Providers

    theirs = {provider.value for provider in Providers}
    assert theirs >= {*estimate.PROVIDERS.values(), *estimate.MAKERS.values(), estimate.PUBLISHED}


def test_measured_goes_before_estimated_and_the_two_are_told_apart() -> None:
    info = model("openai", "gpt-4o")
    measured = Energy(low=0.04, high=0.04, measured=True, method="RAPL (package-0)")
    assert energy.of(info, Finished("stop", USAGE, TIMINGS, energy=measured)) is measured
    assert energy.of(info, Finished("stop", USAGE, TIMINGS)) == estimated(info)


def test_of_a_kept_answer_the_models_id_is_enough() -> None:
    end = Finished("stop", USAGE, TIMINGS)
    assert energy.of_kept("https://api.openai.com/v1#gpt-4o", end) == estimated(model("openai", "gpt-4o"))
    for id in (None, "", "embedded", "/models/a.gguf", "route:1", "https://api.openai.com/v1", "https://[#x"):
        assert energy.of_kept(id, end) is None
    measured = Energy(low=0.04, high=0.04, measured=True, method="RAPL (package-0)")
    assert energy.of_kept("embedded", msgspec.structs.replace(end, energy=measured)) is measured


def test_what_is_assumed_is_said_with_its_numbers() -> None:
    said = " ".join(sentences(estimated(model("anthropic", "claude-opus-4-7")), "en"))
    assert "Between 67 and 200 billion parameters" in said
    assert "H100" in said and "1.09 to 1.14 times" in said
    counted = msgspec.structs.replace(USAGE, estimated=True)
    assert len(estimated(model("openai", "gpt-4o"), counted).assumptions) == 6


def test_an_energy_is_read_again_as_it_was_written() -> None:
    known = estimated(model("openai", "gpt-4o"))
    assert msgspec.json.decode(msgspec.json.encode(known), type=Energy) == known


def test_estimating_changes_no_client_and_no_logger() -> None:
    program = (
        "import logging, sys\n"
        "from core import energy\n"
        "from core.events import Finished, Timings, Usage\n"
        "assert 'ecologits' not in sys.modules\n"
        "end = Finished('stop', Usage(prompt_tokens=1, generated_tokens=9))\n"
        "assert energy.of_kept('https://api.openai.com/v1#gpt-4o', end)\n"
        "assert 'ecologits' in sys.modules\n"
        "print(logging.getLoggerClass().__name__, 'openai' in sys.modules, 'wrapt' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == ([logging.Logger.__name__, "False", "False"], "")
