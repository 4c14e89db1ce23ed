"""The second turn of a long conversation: how much of the waiting the kept KV cache spares.

Time to first token (core/metrics.py) of the same request, whose conversation has about `plan.conversation` tokens: in
the process that answered the turn before, and in a fresh one, warmed up with something else.
"""

from __future__ import annotations

from statistics import median

import msgspec

from benchmarks import local
from benchmarks.figure import Figure, Plan
from core.events import Finished
from core.messages import ChatRequest, Message, Sampling
from core.models.local.shelf import LocalModel

ANSWER = 32
WARM_UP = "Say hello."


def measure(plan: Plan) -> list[Figure]:
    """Warm ÷ cold."""
    warm: list[Finished] = []
    cold: list[Finished] = []
    for _ in range(plan.repeat):
        with local.model(plan) as (model, _):
            first = conversation(model, plan.conversation)
            text, _ = local.ask(model, first)
            said = (*first.messages, Message("assistant", text), Message("user", "And what came after that?"))
            second = msgspec.structs.replace(first, messages=said)
            warm.append(local.ask(model, second)[1])
        with local.model(plan) as (model, _):
            local.ask(model, _request(Message("user", WARM_UP)))
            cold.append(local.ask(model, second)[1])
    return [
        Figure(
            name="second_turn.ttft",
            what=f"first token of the second turn of {plan.conversation:,} tokens, to the cold one",
            value=median(_ttft(each) for each in warm) / median(_ttft(each) for each in cold),
            unit="×",
            target=("≤", 0.2),
            details={
                "warm_s": [_ttft(each) for each in warm],
                "cold_s": [_ttft(each) for each in cold],
                "prompt_tokens": warm[0].usage.prompt_tokens,
                "cached_tokens": warm[0].usage.cached_tokens,
            },
        )
    ]


def conversation(model: LocalModel, tokens: int) -> ChatRequest:
    """A conversation whose prompt has `tokens` tokens, or some more, and ends with a question."""
    messages: list[Message] = []
    while True:
        day = len(messages) // 2 + 1
        asked = _request(*messages, Message("user", f"What happened on day {day} of the journey?"))
        if model.count(asked).prompt_tokens >= tokens:
            return asked
        told = (
            f"On day {day} we walked {day + 7} miles along the river, met {day + 2} people and slept under the stars."
        )
        messages += [asked.messages[-1], Message("assistant", told)]


def _request(*messages: Message) -> ChatRequest:
    return ChatRequest(messages=messages, sampling=Sampling(temperature=0.0), max_tokens=ANSWER)


def _ttft(finished: Finished) -> float:
    assert finished.timings.ttft_s is not None
    return finished.timings.ttft_s
