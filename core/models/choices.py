"""In which order a route asks its models, and why each: rules and figures in, choices out. Asks nothing.

The reasons are English sentences with {placeholders}; their values are words or plain numbers (`amount`, `rate`,
`seconds`, `answers`), for whoever shows them to translate and to write as a language does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.errors import N_
from core.events import Usage
from core.messages import ChatRequest
from core.metrics import estimated_tokens
from core.models import tasks
from core.models.base import ModelInfo
from core.models.remote import prices
from core.models.remote.endpoint import whereabouts
from core.models.routes import ByTask, Cheapest, Fastest, LocalFirst, RemoteFirst, Rule

TYPICAL_TOKENS = 300
"""Of an answer, where the request sets no limit to it."""


class Speed(msgspec.Struct, frozen=True):
    """A model's newest answers here: median seconds to the first token, median tokens a second, how many there were."""

    ttft_s: float
    decode_rate: float
    answers: int


class Known(msgspec.Struct, frozen=True):
    """What the choice is made from: the models that are there, by id, and what gives the speeds of those measured."""

    infos: Mapping[str, ModelInfo]
    speeds: Callable[[], Mapping[str, Speed]]


class Choice(msgspec.Struct, frozen=True):
    """A model to be asked when those before it failed. `reason`: why it is chosen where it is the first.

    whole: it is asked only as long as nothing of the conversation has to be left out for it. trimmed: it is asked once
    more, and things may be left out, where that is all it failed for.
    """

    model_id: str
    reason: str = ""
    values: dict[str, str] = {}
    whole: bool = False
    trimmed: bool = False


def of(rule: Rule, request: ChatRequest, known: Known) -> list[Choice]:
    """The choices in the order in which they are asked; each model once, but for one that is asked once more."""
    return _ORDERS[type(rule)](rule, request, known)


def prompt_tokens(request: ChatRequest) -> int:
    """About how many tokens a request has, by its characters."""
    if isinstance(request.prompt, tuple):
        return len(request.prompt)
    return estimated_tokens(len(request.prompt or "") + sum(len(message.content) for message in request.messages))


def _local_first(rule: LocalFirst, request: ChatRequest, known: Known) -> list[Choice]:
    return [
        Choice(rule.local, N_("the local model comes first"), whole=True),
        Choice(rule.remote),
        Choice(rule.local, trimmed=True),
    ]


def _remote_first(rule: RemoteFirst, request: ChatRequest, known: Known) -> list[Choice]:
    return [
        Choice(rule.remote, N_("the remote model comes first")),
        Choice(rule.local),
    ]


def _by_task(rule: ByTask, request: ChatRequest, known: Known) -> list[Choice]:
    text = tasks.question(request)
    general = next(row for row in rule.rows if row.task == tasks.GENERAL)
    rest = Choice(general.model_id, N_("the question is of no other kind"))
    for row in rule.rows:
        patterns = (row.pattern,) if row.pattern is not None else tasks.TASKS.get(row.task, ())
        if (found := tasks.found(patterns, text)) is not None:
            values = {"task": tasks.NAMES.get(row.task, row.task), "found": found}
            chosen = Choice(row.model_id, N_("the question is about {task}: it has “{found}” in it"), values)
            return [chosen] if row.model_id == general.model_id else [chosen, rest]
    return [rest]


def _cheapest(rule: Cheapest, request: ChatRequest, known: Known) -> list[Choice]:
    """Only one currency can be compared: that of the first price; a price in another counts as unknown."""
    sent, written = prompt_tokens(request), request.max_tokens or TYPICAL_TOKENS
    costs = {id: _cost(known.infos.get(id), sent, written) for id in rule.models}
    currency = next((cost[1] for cost in costs.values() if cost is not None and cost[1]), "")

    def rank(id: str) -> tuple[bool, float]:
        cost = costs[id]
        comparable = cost is not None and cost[1] in ("", currency)
        return (not comparable, cost[0] if cost is not None and comparable else 0.0)

    return [_by_cost(id, costs[id]) for id in sorted(dict.fromkeys(rule.models), key=rank)]


def _cost(info: ModelInfo | None, sent: int, written: int) -> tuple[float, str] | None:
    """The amount and its currency, "" where nothing is paid; None where it is unknown."""
    if info is None:
        return None
    if info.local or whereabouts(info.id) == "machine":
        return (0.0, "")
    cost = prices.cost(info.price, Usage(prompt_tokens=sent, generated_tokens=written))
    return (cost.amount, cost.currency) if cost is not None else None


def _by_cost(id: str, cost: tuple[float, str] | None) -> Choice:
    if cost is None:
        return Choice(id, N_("the price of none of the models is known, and it is the first of them"))
    if not cost[1]:
        return Choice(id, N_("it is the cheapest: it costs nothing on this machine"))
    values = {"amount": f"{cost[0]:.2g}", "currency": cost[1]}
    return Choice(id, N_("it is the cheapest: about {amount} {currency} for this answer"), values)


def _fastest(rule: Fastest, request: ChatRequest, known: Known) -> list[Choice]:
    speeds, written = known.speeds(), request.max_tokens or TYPICAL_TOKENS

    def rank(id: str) -> tuple[bool, float]:
        speed = speeds.get(id)
        return (speed is None, speed.ttft_s + written / speed.decode_rate if speed else 0.0)

    return [_by_speed(id, speeds.get(id)) for id in sorted(dict.fromkeys(rule.models), key=rank)]


def _by_speed(id: str, speed: Speed | None) -> Choice:
    if speed is None:
        return Choice(id, N_("none of the models was measured here yet, and it is the first of them"))
    values = {"seconds": f"{speed.ttft_s:.2g}", "rate": f"{speed.decode_rate:.3g}", "answers": str(speed.answers)}
    reason = N_("it was the fastest lately: first token after {seconds} s, {rate} tokens/s (medians of {answers})")
    return Choice(id, reason, values)


_ORDERS: dict[type, Callable[[Any, ChatRequest, Known], list[Choice]]] = {
    LocalFirst: _local_first,
    RemoteFirst: _remote_first,
    ByTask: _by_task,
    Cheapest: _cheapest,
    Fastest: _fastest,
}
