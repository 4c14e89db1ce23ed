"""What the two shapes of an answer (chat.py, completions.py) have in common.

A shape turns the events of the answers to one request into chunks of a stream, or whole answers into one object. The
objects are OpenAI's; `timings` are llama.cpp's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.events import Event, Finished, FinishReason, Reasoning, Text, Token, ToolCall

Object = dict[str, Any]
"""A JSON object that goes out."""

REASONS: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "context": "length",
    "cancelled": "stop",
    "cut": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
}
"""Why an answer ended, in OpenAI's words."""


@dataclass
class Gathered:
    """One whole answer."""

    text: str = ""
    reasoning: str = ""
    tokens: list[Token] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Takes what the event brings to the answer."""
        if isinstance(event, Text):
            self.text += event.text
            self.tokens += event.tokens
        elif isinstance(event, Reasoning):
            self.reasoning += event.text
        elif isinstance(event, ToolCall):
            self.calls.append(event)


class Shape(Protocol):
    """One request's answers as its client wants them."""

    def opening(self) -> list[Object]:
        """The chunks before any text."""

    def piece(self, number: int, event: Event) -> Object | None:
        """The chunk that an event of answer `number` makes; None for none."""

    def ending(self, finished: Sequence[Finished]) -> list[Object]:
        """The chunks after all answers have finished."""

    def whole(self, answers: Sequence[Gathered], finished: Sequence[Finished]) -> Object:
        """All answers as one object."""


def usage(finished: Sequence[Finished]) -> Object:
    """The tokens of all answers; a prompt that several answers share is counted for each, as it is read for each."""
    prompt = sum(one.usage.prompt_tokens for one in finished)
    generated = sum(one.usage.generated_tokens for one in finished)
    thinking = [one.usage.thinking_tokens for one in finished if one.usage.thinking_tokens is not None]
    told: Object = {
        "prompt_tokens": prompt,
        "completion_tokens": generated,
        "total_tokens": prompt + generated,
        "prompt_tokens_details": {"cached_tokens": sum(one.usage.cached_tokens for one in finished)},
    }
    return told | ({"completion_tokens_details": {"reasoning_tokens": sum(thinking)}} if thinking else {})


def timings(finished: Sequence[Finished]) -> Object:
    """{"timings": …} of a single answer, under llama.cpp's names, in milliseconds; nothing for several."""
    if len(finished) != 1:
        return {}
    counted, timed = finished[0].usage, finished[0].timings
    read = counted.prompt_tokens - counted.cached_tokens
    return {
        "timings": {
            "cache_n": counted.cached_tokens,
            **_phase("prompt", read, timed.prefill_s, timed.prompt_rate),
            **_phase("predicted", counted.generated_tokens, timed.decode_s, timed.decode_rate),
        }
    }


def _phase(name: str, tokens: int, seconds: float | None, rate: float | None) -> Object:
    milliseconds = 1e3 * (seconds or 0.0)
    return {
        f"{name}_n": tokens,
        f"{name}_ms": milliseconds,
        f"{name}_per_token_ms": milliseconds / tokens if tokens else 0.0,
        f"{name}_per_second": rate or 0.0,
    }
