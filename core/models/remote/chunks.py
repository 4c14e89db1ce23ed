"""What an endpoint sends, as values: chunks of a streamed chat completion, and the parts that servers add to them.

Source: https://platform.openai.com/docs/api-reference/chat-streaming, and for `reasoning_content`, `timings` and token
ids llama.cpp (tools/server/README.md), for `reasoning` vLLM and OpenRouter. Every field may be missing. A field that
carries the answer must have its type; a count or log-probability that has not is taken as not given.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

import msgspec

from core.events import Alternative, Token

Count = Annotated[int, msgspec.Meta(ge=0)]
T = TypeVar("T")


class Function(msgspec.Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class CallPart(msgspec.Struct, frozen=True):
    """A piece of a tool call; `index` says of which."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[CallPart] | None = None


class Choice(msgspec.Struct, frozen=True):
    """`message` is there in place of `delta` when the endpoint answers in one piece."""

    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class Chunk(msgspec.Struct, frozen=True):
    """`error`: sent in place of an answer; some servers say `object: error` and put the message beside it."""

    choices: list[Choice] | None = None
    usage: Any = None
    timings: Any = None
    error: Any = None
    object: Any = None
    message: Any = None

    @property
    def fault(self) -> Any:
        """The error in it; None when there is none."""
        return self.message or "error" if self.object == "error" else self.error


class PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: Count | None = None


class CompletionDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: Count | None = None


class ServerUsage(msgspec.Struct, frozen=True):
    """Tokens as the server counted them."""

    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    @property
    def cached(self) -> int:
        """Prompt tokens from the cache; 0 where the server does not say."""
        details = self.prompt_tokens_details
        return min(details.cached_tokens or 0, self.prompt_tokens) if details else 0

    @property
    def reasoning(self) -> int:
        """Generated tokens that were thinking."""
        details = self.completion_tokens_details
        return min(details.reasoning_tokens or 0, self.completion_tokens) if details else 0


class _Probable(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    id: int | None = None
    top_logprobs: list[_Probable] | None = None


class _Logprobs(msgspec.Struct, frozen=True):
    content: list[_Probable] | None = None


decode = msgspec.json.Decoder(Chunk).decode
"""Bytes → `Chunk`. Raises `msgspec.DecodeError`, of which `msgspec.ValidationError` is one."""


def usage(value: Any) -> ServerUsage | None:
    """The counts of a chunk's `usage`; None when there are none that can be."""
    return _converted(value, ServerUsage)


def cost(value: Any) -> float | None:
    """What a chunk's `usage` says that the answer cost, in US dollars: OpenRouter as a number, Perplexity in parts."""
    said = value.get("cost") if isinstance(value, dict) else None
    said = said.get("total_cost") if isinstance(said, dict) else said
    if not isinstance(said, int | float) or isinstance(said, bool):
        return None
    return float(said) if math.isfinite(said) and said >= 0 else None


def timings(value: Any) -> dict[str, float]:
    """The figures of llama.cpp's `timings`, under its own names: `…_n` tokens, `…_ms`, `…_per_second`."""
    if not isinstance(value, dict):
        return {}
    figures = {name: v for name, v in value.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return {str(name): float(v) for name, v in figures.items() if math.isfinite(v)}


def tokens(value: Any, *, at: float) -> tuple[Token, ...]:
    """The tokens of a choice's `logprobs`, all of which came at `at`."""
    found = _converted(value, _Logprobs)
    return tuple(
        Token(
            id=one.id,
            text=one.token,
            at=at,
            logprob=one.logprob,
            top=tuple(Alternative(other.token, other.id, other.logprob) for other in one.top_logprobs or ()),
        )
        for one in (found.content if found else None) or ()
    )


def _converted(value: Any, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(value, kind) if value is not None else None
    except msgspec.ValidationError:
        return None
