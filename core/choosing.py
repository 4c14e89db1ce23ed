"""Local or remote, small or large: which model fits, by what matters to a person and what was measured here.

Each model has five marks from 0 to 1, None where nothing is known:

latency          how long an answer of `TYPICAL_TOKENS` takes, from the medians of time to first token and decode rate:
                 1 at `QUICK_S` or less, 0 at `SLOW_S` or more, by the logarithm between
cost             of 1,000 answers, measured or from the list price: 1 where nothing is paid, else 0.9 at `CHEAP` dollars
                 or less and 0 at `DEAR` or more, by the logarithm between; another currency cannot be compared
confidentiality  1 on this machine, 0.6 on the local network, 0 where it leaves
capability       by the number of parameters, known or read from the name: 0 at `SMALL`, 1 at `LARGE`, by the logarithm.
                 It stands for what a model can do, and is no measurement of it
reliability      the share of answers that did not fail

A model's mark in all is their mean, weighted; one that is not known counts as 0.5. Knows no page; asks no model.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import msgspec

from core.models.base import ModelInfo
from core.models.remote.endpoint import whereabouts
from core.store.tally import Speed

Criterion = Literal["latency", "cost", "confidentiality", "capability", "reliability"]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)

TYPICAL_TOKENS = 200
TYPICAL_PROMPT = 500
"""Tokens of an answer, and of what is sent for one, where nothing was measured."""

QUICK_S, SLOW_S = 1.0, 60.0
CHEAP, DEAR = 0.01, 100.0
SMALL, LARGE = 1e8, 1e11
PRESSING = 4.0
"""How much more than the others a thing weighs that matters."""

_CONFIDENTIALITY = {"machine": 1.0, "network": 0.6, "away": 0.0}


class Money(msgspec.Struct, frozen=True):
    """An amount; `estimated` where it is made of list prices and not of what was paid."""

    amount: float
    currency: str
    estimated: bool = False


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One model's newest answers here: medians, tokens and seconds; what 1,000 such answers cost. None: unknown."""

    answers: int
    failures: int
    ttft_s: float | None = None
    decode_rate: float | None = None
    prompt_tokens: float | None = None
    generated_tokens: float | None = None
    cost_1000: Money | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A model, what is known of it, and its marks. `answer_s`: seconds for a typical answer.

    `parameters_by_name`: the number was read from the model's name.
    """

    info: ModelInfo
    measured: Measured | None
    answer_s: float | None
    cost_1000: Money | None
    parameters: int | None
    parameters_by_name: bool
    marks: dict[Criterion, float | None]
    mark: float

    def strengths(self, matters: Iterable[Criterion]) -> list[Criterion]:
        """What speaks for it, of what matters."""
        return [one for one in matters if (self.marks[one] or 0.0) >= 0.6]

    def weaknesses(self, matters: Iterable[Criterion]) -> list[Criterion]:
        """What speaks against it, of what matters."""
        return [one for one in matters if (mark := self.marks[one]) is not None and mark < 0.4]


def measured(speeds: Sequence[Speed], failures: Mapping[str, int]) -> dict[str, Measured]:
    """By model, from the figures of its answers and the number that failed."""
    by_model: dict[str, list[Speed]] = {id: [] for id in failures}
    for speed in speeds:
        by_model.setdefault(speed.model_id, []).append(speed)
    return {id: _measured(of_one, failures.get(id, 0)) for id, of_one in by_model.items()}


def choices(
    models: Iterable[ModelInfo], known: Mapping[str, Measured], matters: Iterable[Criterion] = ()
) -> list[Choice]:
    """The models, the best first; among equals those that were measured, then in the order given.

    matters: what weighs `PRESSING` times as much as the rest.
    """
    weights = {one: PRESSING if one in set(matters) else 1.0 for one in CRITERIA}
    made = [_choice(info, known.get(info.id), weights) for info in models]
    return sorted(made, key=lambda choice: (-choice.mark, choice.measured is None))


def _measured(speeds: Sequence[Speed], failures: int) -> Measured:
    return Measured(
        answers=len(speeds),
        failures=failures,
        ttft_s=_median(speed.ttft_s for speed in speeds),
        decode_rate=_median(speed.decode_rate for speed in speeds),
        prompt_tokens=_median(speed.prompt_tokens for speed in speeds),
        generated_tokens=_median(speed.generated_tokens for speed in speeds),
        cost_1000=_paid(speeds),
    )


def _paid(speeds: Sequence[Speed]) -> Money | None:
    """None where an answer's cost is unknown, or they were paid in several currencies."""
    costs = [speed.cost for speed in speeds if speed.cost is not None]
    currencies = {speed.currency for speed in speeds}
    if not costs or len(costs) < len(speeds) or len(currencies) != 1:
        return None
    return Money(1000 * statistics.fmean(costs), currencies.pop() or "USD")


def _choice(info: ModelInfo, known: Measured | None, weights: Mapping[Criterion, float]) -> Choice:
    answer_s, cost, parameters = _answer_s(known), _cost_1000(info, known), _parameters(info)
    asked = known.answers + known.failures if known else 0
    marks: dict[Criterion, float | None] = {
        "latency": _scaled(answer_s, QUICK_S, SLOW_S),
        "cost": _cost_mark(cost),
        "confidentiality": _CONFIDENTIALITY[_place(info)],
        "capability": None if parameters is None else _scaled(parameters, LARGE, SMALL),
        "reliability": known.answers / asked if known and asked else None,
    }
    weighed = sum(weights[one] * (0.5 if mark is None else mark) for one, mark in marks.items())
    return Choice(
        info=info,
        measured=known,
        answer_s=answer_s,
        cost_1000=cost,
        parameters=parameters,
        parameters_by_name=info.parameters is None and parameters is not None,
        marks=marks,
        mark=weighed / sum(weights.values()),
    )


def _place(info: ModelInfo) -> str:
    return "machine" if info.local else whereabouts(info.id)


def _answer_s(known: Measured | None) -> float | None:
    if known is None or known.ttft_s is None or not known.decode_rate:
        return None
    return known.ttft_s + TYPICAL_TOKENS / known.decode_rate


def _cost_1000(info: ModelInfo, known: Measured | None) -> Money | None:
    """What was paid, else by the list price; nothing for what this machine does itself."""
    if _place(info) == "machine":
        return Money(0.0, "USD")
    if known is not None and known.cost_1000 is not None:
        return known.cost_1000
    if info.price is None:
        return None
    sent = (known and known.prompt_tokens) or TYPICAL_PROMPT
    written = (known and known.generated_tokens) or TYPICAL_TOKENS
    amount = (sent * info.price.input + written * info.price.output) / 1000
    return Money(amount, info.price.currency, estimated=True)


def _cost_mark(cost: Money | None) -> float | None:
    if cost is None or (cost.amount and cost.currency != "USD"):
        return None
    return 0.9 * (_scaled(cost.amount, CHEAP, DEAR) or 0.0) if cost.amount else 1.0


def _parameters(info: ModelInfo) -> int | None:
    """As the model's file or its provider says; else as its name does ("llama-3.3-70b", "qwen3-30b-a3b"): the most."""
    if info.parameters is not None:
        return info.parameters
    named = re.findall(r"(?<![\w.])(\d{1,4}(?:\.\d+)?)(b|m)(?![a-z0-9])", info.name.lower())
    sizes = [float(number) * (1e9 if unit == "b" else 1e6) for number, unit in named]
    return int(max(sizes)) if sizes else None


def _scaled(value: float | None, best: float, worst: float) -> float | None:
    """1 at `best` or better, 0 at `worst` or worse, by the logarithm between."""
    if value is None:
        return None
    share = math.log(max(value, 1e-12) / worst) / math.log(best / worst)
    return min(max(share, 0.0), 1.0)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
