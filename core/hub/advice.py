"""Which quantization suits this machine: does it fit, how fast will it write, which is recommended and why. Pure.

Fits: loaded with the default settings it takes at most `COMFORTABLE` of the memory that models may take. Tight: more of
it, or only with a shorter context. Where the header of one file of the repository was read, the KV cache and the
buffers are computed from it, as quantizations of one model differ in their weights alone; else they are estimated.

Tokens a second ≈ bytes read a second ÷ bytes read a token. A token reads all weights; of experts, those in use. Bytes
read a second: what a model is known to have managed here (its measured tokens/s × its bytes a token), else this
machine's memory bandwidth, which no model reaches quite and a small one, on few cores, by far not: then it is a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from core.errors import N_
from core.gguf.header import GGUF
from core.hub.values import Repository, Variant
from core.models.local import model_settings
from core.models.local.model_settings import ModelSettings

Verdict = Literal["fits", "tight", "does not fit"]

COMFORTABLE = 0.9
BESIDES = 1.15
"""What a model takes, to its weights, where no header could be read; a common ratio, no bound."""

LEAST_CONTEXT = 512
BEST_BITS = 6.7
"""Bits per weight above which hardly any quality is gained: Q6_K has 6.56."""

GOOD_BITS = 4.0
"""Bits per weight below which a model is noticeably worse than it was."""

QUICK = N_(
    "The largest that fits here and writes as fast as one reads, up to 6.7 bits per weight: more of them cost memory "
    "and speed, and hardly anything is gained."
)
FITTING = N_(
    "The largest that fits here, up to 6.7 bits per weight: more of them cost memory and speed, and hardly anything is "
    "gained."
)

READING_RATE = 6.0
"""Tokens a second that a person reads at; a model below it is waited for."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How many bytes of weights this machine reads a second. measured: by a model that wrote here (its name in
    `model`), not as a bound by the memory alone. at: seconds since 1970."""

    bytes_per_s: float
    measured: bool
    at: float | None = None
    model: str = ""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be expected of one variant here. None: unknown.

    needed: bytes with the default settings. longest_context: tokens, 0 where none fits. exact: from a header.
    tokens_per_s: at most, where the pace was not measured. reason: a msgid, of the recommended one only.
    """

    variant: Variant
    verdict: Verdict
    needed: int
    longest_context: int | None
    exact: bool
    bits_per_weight: float | None
    tokens_per_s: float | None
    recommended: bool = False
    reason: str = ""


def advise(repository: Repository, header: GGUF | None, *, budget: int, pace: Pace | None) -> list[Advice]:
    """One for each model among the variants, in their order. header: of any one of them; budget: bytes for models."""
    models = [one for one in repository.variants if one.kind == "model" and one.complete]
    parameters = _parameters(repository, header)
    found = [_one(variant, header, parameters, budget, pace) for variant in models]
    place, reason = _best(found, measured=pace is not None and pace.measured)
    return [
        msgspec.structs.replace(one, recommended=True, reason=reason) if number == place else one
        for number, one in enumerate(found)
    ]


def probe(repository: Repository) -> Variant | None:
    """The variant whose header is read for all: the smallest."""
    models = [one for one in repository.variants if one.kind == "model" and one.complete]
    return models[0] if models else None


def share_read(header: GGUF | None) -> float:
    """The share of a model's weights that one token reads: 1 but for a model with experts."""
    if header is None:
        return 1.0
    experts = header.number("expert_count") or 0
    used = max(header.per_layer("expert_used_count"), default=0)
    total = sum(tensor.n_bytes for tensor in header.tensors)
    if not 0 < used < experts or not total:
        return 1.0
    routed = sum(tensor.n_bytes for tensor in header.tensors if "_exps" in tensor.name)
    return (total - routed + routed * used / experts) / total


def _parameters(repository: Repository, header: GGUF | None) -> int | None:
    if header is not None and header.metadata.get("split.count", 0) in (0, 1) and header.parameters:
        return header.parameters
    return repository.found.parameters


def _one(variant: Variant, header: GGUF | None, parameters: int | None, budget: int, pace: Pace | None) -> Advice:
    if header is None:
        needed, longest = int(variant.size * BESIDES), None
        verdict: Verdict = "does not fit" if variant.size > budget else _verdict(needed, budget)
    else:
        defaults = ModelSettings()
        told = model_settings.memory_needed(header, defaults)
        needed = told.total - told.weights + variant.size
        longest = model_settings.context_that_fits(header, defaults, budget=budget - variant.size + told.weights)
        verdict = _verdict(needed, budget) if longest >= LEAST_CONTEXT or needed <= budget else "does not fit"
    return Advice(
        variant=variant,
        verdict=verdict,
        needed=needed,
        longest_context=longest,
        exact=header is not None,
        bits_per_weight=variant.bits_per_weight(parameters),
        tokens_per_s=pace.bytes_per_s / (variant.size * share_read(header)) if pace is not None else None,
    )


def _verdict(needed: int, budget: int) -> Verdict:
    return "fits" if needed <= budget * COMFORTABLE else "tight"


def _best(found: Sequence[Advice], *, measured: bool) -> tuple[int | None, str]:
    """The place of the recommended one, and why it is. measured: whether the speeds are more than a bound."""
    fitting = [(place, one) for place, one in enumerate(found) if one.verdict == "fits"]
    fitting = fitting or [(place, one) for place, one in enumerate(found) if one.verdict == "tight"]
    if not fitting:
        return None, ""
    sensible = [(place, one) for place, one in fitting if (one.bits_per_weight or BEST_BITS) <= BEST_BITS]
    sensible = sensible or fitting[:1]
    quick = [(place, one) for place, one in sensible if (one.tokens_per_s or READING_RATE) >= READING_RATE]
    good = [(place, one) for place, one in sensible if (one.bits_per_weight or GOOD_BITS) >= GOOD_BITS]
    if quick and max(quick, key=_size)[1] in [one for _, one in good]:
        return max(quick, key=_size)[0], QUICK if measured else FITTING
    if good:
        return min(good, key=_size)[0], N_(
            "The smallest with 4 bits per weight or more that fits here: larger ones would write slower than one reads."
        )
    return max(sensible, key=_size)[0], N_(
        "The largest that fits here. With less than 4 bits per weight it answers noticeably worse than the original: "
        "a smaller model with more bits is often better."
    )


def _size(one: tuple[int, Advice]) -> int:
    return one[1].variant.size
