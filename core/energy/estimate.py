"""What an answer from a data centre takes of electricity, by EcoLogits' method and its table of models.

EcoLogits (MPL-2.0) fits the energy of a token to the parameters at work for it, from measurements on NVIDIA H100, and
adds the server around the accelerators and the data centre around the server:
https://ecologits.ai/latest/methodology/llm_inference/. Only its formula and its table are used: no client is
instrumented, nothing is sent. Reading the table in takes a fifth of a second, once.

Estimated is what its table has (a provider's own models, the published models of a host), and a model whose endpoint
says how many parameters it has. Unknown stays: this machine and its network, which are no data centre; hosts that
compute on something else than graphics processors; every other model. Where the electricity comes from changes the
emissions, which are not told here, and not the energy.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import N_
from core.events import Energy, Timings, Usage
from core.models.base import ModelInfo
from core.models.remote import presets
from core.models.remote.address import whereabouts
from core.models.remote.connections import is_remote

if TYPE_CHECKING:
    from ecologits.model_repository import Model

PROVIDERS = {
    "openai": "openai",
    "azure": "openai",
    "anthropic": "anthropic",
    "gemini": "google_genai",
    "vertex": "google_genai",
    "mistral": "mistralai",
    "cohere": "cohere",
    "huggingface": "huggingface_hub",
}
"""Preset → EcoLogits' provider. DeepSeek, xAI, Alibaba, Moonshot, AI21 and Liquid AI are none of its providers."""

MAKERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google_genai",
    "mistralai": "mistralai",
    "cohere": "cohere",
}
"""What stands before the slash in the name of a host's model → EcoLogits' provider."""

PUBLISHED = "huggingface_hub"
"""EcoLogits' provider of published models, by their names on the Hugging Face Hub."""

NO_GRAPHICS_PROCESSORS = frozenset({"groq", "cerebras", "sambanova"})
"""Presets of hosts with processors of their own, of which EcoLogits' measurements say nothing."""

UNPUBLISHED = "model-arch-not-released"

ONE_SIZE = N_("{active_low} billion parameters are at work for each token.")
SIZES = N_("Between {active_low} and {active_high} billion parameters are at work for each token.")
TABLED = N_("The number of parameters is the published one.")
GUESSED = N_("The makers do not publish the number of parameters: it is EcoLogits’ own estimate.")
LISTED = N_(
    "The endpoint says how many parameters the model has. All of them are taken to be at work for each token; a "
    "mixture of experts takes less."
)
HARDWARE = N_("It runs with 16 bits a parameter on NVIDIA H100 graphics processors, for 64 requests at a time.")
ONE_PUE = N_("The data centre takes {pue_low} times what its computers take (PUE).")
PUES = N_("The data centre takes {pue_low} to {pue_high} times what its computers take (PUE).")
LEFT_OUT = N_("Reading the prompt, training the model and the network are not in it.")
COUNT_ESTIMATED = N_("The number of tokens is an estimate too.")


@dataclass(frozen=True)
class _Size:
    """Parameters in billions, each a number or a `RangeValue`; tokens a second and seconds to the first token where
    EcoLogits knows them; how the parameters are known."""

    active: Any
    total: Any
    source: str
    tps: float | None = None
    ttft: float | None = None


def estimated(info: ModelInfo, usage: Usage, timings: Timings) -> Energy | None:
    """The electricity that an answer of a remote model takes, as EcoLogits estimates it; None where it cannot."""
    if not is_remote(info.id) or not usage.generated_tokens:
        return None
    base_url = info.id.partition("#")[0]
    preset = presets.of(base_url)
    host = preset.id if preset else ""
    if whereabouts(base_url) != "away" or host in NO_GRAPHICS_PROCESSORS:
        return None
    size = _tabled(host, info.name) or _listed(info)
    return _energy(size, _pue(host), usage, timings) if size is not None else None


def _energy(size: _Size, pue: Any, usage: Usage, timings: Timings) -> Energy:
    _import()
    from ecologits import __version__
    from ecologits.impacts.llm import compute_llm_impacts

    impacts = compute_llm_impacts(
        model_active_parameter_count=size.active,
        model_total_parameter_count=size.total,
        output_token_count=usage.generated_tokens,
        request_latency=timings.end_to_end_s,
        tps=size.tps,
        ttft=size.ttft,
        datacenter_pue=pue,
        # These make emissions and water of the energy, and have no part in it.
        datacenter_wue=0.0,
        if_electricity_mix_adpe=0.0,
        if_electricity_mix_pe=0.0,
        if_electricity_mix_gwp=0.0,
        if_electricity_mix_wue=0.0,
    )
    low, high = _ends(impacts.energy.value)
    active, added = _ends(size.active), _ends(pue)
    return Energy(
        low=low * 1000,
        high=high * 1000,
        measured=False,
        method=f"EcoLogits {__version__}",
        assumptions=(
            ONE_SIZE if active[0] == active[1] else SIZES,
            size.source,
            HARDWARE,
            ONE_PUE if added[0] == added[1] else PUES,
            LEFT_OUT,
            *([COUNT_ESTIMATED] if usage.estimated else []),
        ),
        values={"active_low": active[0], "active_high": active[1], "pue_low": added[0], "pue_high": added[1]},
    )


def _tabled(host: str, name: str) -> _Size | None:
    """What EcoLogits' table has of a model, by the name that its host gives it."""
    model = next((found for key in _keys(host, name) if (found := _model(*key)) is not None), None)
    if model is None:
        return None
    from ecologits.model_repository import ParametersMoE

    parameters = model.architecture.parameters
    mixture = parameters if isinstance(parameters, ParametersMoE) else None
    return _Size(
        active=mixture.active if mixture else parameters,
        total=mixture.total if mixture else parameters,
        source=GUESSED if any(warning.code == UNPUBLISHED for warning in model.warnings) else TABLED,
        tps=model.deployment.tps if model.deployment else None,
        ttft=model.deployment.ttft if model.deployment else None,
    )


def _keys(host: str, name: str) -> list[tuple[str, str]]:
    """Under which (provider, name) a model may stand in the table. `name:free`, `name:groq` say how it is served."""
    name = name.partition(":")[0]
    maker, _, short = name.rpartition("/")
    provider = PROVIDERS.get(host)
    if provider not in (None, PUBLISHED):
        return [(provider, short)]
    return [(PUBLISHED, name), *([(MAKERS[maker], short)] if maker in MAKERS else [])]


@functools.lru_cache(maxsize=1000)
def _model(provider: str, name: str) -> Model | None:
    _import()
    from ecologits.model_repository import models

    return models.find_model(provider=provider, model_name=name)


def _listed(info: ModelInfo) -> _Size | None:
    """What the endpoint itself says of a model."""
    if not info.parameters or info.parameters < 0:
        return None
    billions = info.parameters / 1e9
    return _Size(active=billions, total=billions, source=LISTED)


def _pue(host: str) -> Any:
    """The power usage effectiveness of a host's data centre: a number or a `RangeValue`, that of all that EcoLogits
    knows where it does not know this one."""
    _import()
    from ecologits.tracers.utils import PROVIDER_CONFIG_MAP
    from ecologits.utils.range_value import RangeValue

    if host in PROVIDERS:
        return PROVIDER_CONFIG_MAP[PROVIDERS[host]].datacenter_pue
    all = [end for one in PROVIDER_CONFIG_MAP.values() for end in _ends(one.datacenter_pue)]
    return RangeValue(min=min(all), max=max(all))


def _ends(value: Any) -> tuple[float, float]:
    """The lowest and the highest of a number or a `RangeValue`."""
    return float(getattr(value, "min", value)), float(getattr(value, "max", value))


@functools.cache
def _import() -> None:
    """Imports EcoLogits, which makes its own class that of all loggers to come; they are not its."""
    kind = logging.getLoggerClass()
    try:
        import ecologits.tracers.utils  # noqa: F401
    finally:
        logging.setLoggerClass(kind)
