"""Which two models meet in a blind duel: by chance, by their sizes, or one model in two quantizations.

Knows models by their `ModelInfo` alone; the chance is the caller's `random.Random`. A size that is not known is not
guessed: by sizes, such a model is not drawn, and `unsized` counts them. Two that have met seldom are the likelier.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

from core.arena.votes import Pairing, Vote
from core.errors import NoPair, NoPairOfSizes, TooFewModels
from core.models.base import ModelInfo
from core.models.routes import is_route

Pair = tuple[ModelInfo, ModelInfo]
Met = Mapping[frozenset[str], int]
"""How often two models, by their ids, have been voted on."""

SMALL = 8_000_000_000
"""Parameters of a small model, at most: in four bits it fits the memory of a laptop. Where only the file's size is
known, as many bytes: with eight bits a parameter they are the same."""

UNLIKE = 4.0
"""Sizes are unlike from this factor on, and alike below it."""

SAME_COUNT = 0.05
"""Two files of one model may differ by this share of their parameters: providers round them."""


def pair(models: Sequence[ModelInfo], pairing: Pairing, *, chance: random.Random, met: Met | None = None) -> Pair:
    """Two of these models, in an order that chance decides as well.

    Chatbot Arena draws a pair in proportion to how much one more vote would narrow its interval, which for equal
    variances is 1/√n − 1/√(n + 1) after n votes (Chiang et al. 2024, arXiv:2403.04132, section 5); n + 1 here stands
    for n, so that a pair without votes has a weight. Raises `TooFewModels`, `NoPair` or `NoPairOfSizes`.
    """
    found = pairs(models, pairing)
    if not found:
        raise _none(models, pairing)
    votes = met or {}
    weights = [_narrowing(votes.get(frozenset((one.id, other.id)), 0)) for one, other in found]
    (drawn,) = chance.choices(found, weights)
    return drawn if chance.random() < 0.5 else drawn[::-1]


def pairs(models: Sequence[ModelInfo], pairing: Pairing) -> list[Pair]:
    """All that could be drawn so; of `chosen`, any two."""
    fits = _FITS[pairing]
    return [(one, other) for one, other in combinations(drawable(models), 2) if fits(one, other)]


def drawable(models: Iterable[ModelInfo]) -> list[ModelInfo]:
    """Those that can be in a duel, each once: a route says whom it asks, and is none of them."""
    return list({model.id: model for model in models if not is_route(model.id)}.values())


def unsized(models: Iterable[ModelInfo]) -> int:
    """How many of them have no known size."""
    return sum(model.parameters is None and model.size_bytes is None for model in drawable(models))


def met(votes: Iterable[Vote]) -> Met:
    """How often each two models have been voted on."""
    return Counter(frozenset((vote.a.model_id, vote.b.model_id)) for vote in votes)


def is_small(model: ModelInfo) -> bool | None:
    """Whether it has at most `SMALL` parameters, or bytes where only those are known; None unknown."""
    size = model.parameters if model.parameters is not None else model.size_bytes
    return None if size is None else size <= SMALL


def ratio(one: ModelInfo, other: ModelInfo) -> float | None:
    """How many times as large the larger of the two is, by parameters, else by bytes; None where they are unknown."""
    for sizes in ((one.parameters, other.parameters), (one.size_bytes, other.size_bytes)):
        known = [size for size in sizes if size]
        if len(known) == 2:
            return max(known) / min(known)
    return None


def same_model(one: ModelInfo, other: ModelInfo) -> bool:
    """Whether both are the same model, perhaps in two quantizations: by name and number of parameters."""
    if base_name(one) != base_name(other):
        return False
    counts = [model.parameters for model in (one, other) if model.parameters]
    return len(counts) < 2 or max(counts) - min(counts) <= SAME_COUNT * max(counts)


def base_name(model: ModelInfo) -> str:
    """The name without owner and quantization, in small letters and digits: "smollm2135minstruct".

    Files are called after their quantization (`-Q4_K_M.gguf`), and so are the models that Ollama lists (`:8b-q4_0`).
    """
    name = model.name.rpartition("/")[2].lower().removesuffix(".gguf")
    return re.sub(r"[^a-z0-9]", "", _QUANTIZATION.sub("", name))


_QUANTIZATION = re.compile(
    r"(?<![a-z0-9])(?:ud[-_.])?(?:i?q\d(?:[-_.]\w{1,3}){0,3}|tq\d[-_.]0|b?f16|fp16|f32|mxfp4)(?![a-z0-9])"
)


def _alike(one: ModelInfo, other: ModelInfo) -> bool:
    factor = ratio(one, other)
    both_small = is_small(one) is True and is_small(other) is True
    return both_small and factor is not None and factor < UNLIKE and not same_model(one, other)


def _unlike(one: ModelInfo, other: ModelInfo) -> bool:
    factor = ratio(one, other)
    return (is_small(one) is True or is_small(other) is True) and factor is not None and factor >= UNLIKE


def _quantizations(one: ModelInfo, other: ModelInfo) -> bool:
    both = (one.quantization or "").upper(), (other.quantization or "").upper()
    return all(both) and both[0] != both[1] and bool(one.parameters and other.parameters) and same_model(one, other)


_FITS: dict[Pairing, Callable[[ModelInfo, ModelInfo], bool]] = {
    "random": lambda one, other: True,
    "chosen": lambda one, other: True,
    "small_small": _alike,
    "small_big": _unlike,
    "quantizations": _quantizations,
}


def _narrowing(votes: int) -> float:
    return float((votes + 1) ** -0.5 - (votes + 2) ** -0.5)


def _none(models: Sequence[ModelInfo], pairing: Pairing) -> TooFewModels | NoPair:
    there = len(drawable(models))
    if there < 2:
        return TooFewModels(count=there)
    if pairing in ("small_small", "small_big") and (unknown := unsized(models)):
        return NoPairOfSizes(unknown=unknown)
    return NoPair()
