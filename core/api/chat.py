"""The shape of /v1/chat/completions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from core.api import shapes
from core.api.shapes import REASONS, Gathered, Object
from core.events import Alternative, Event, Finished, Reasoning, Text, Token, ToolCall


class ChatShape:
    """`model`: its id; `number`: of answers; `logprobs`: told or not; `usage`: whether a stream ends with it."""

    def __init__(self, model: str, number: int, *, logprobs: bool, usage: bool) -> None:
        self._number = number
        self._logprobs = logprobs
        self._usage = usage
        self._calls = [0] * number
        self._head: Object = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": model}
        self._chunk: Object = {**self._head, "object": "chat.completion.chunk", **({"usage": None} if usage else {})}

    def opening(self) -> list[Object]:
        """A chunk with the role for each answer."""
        return [self._delta(number, {"role": "assistant", "content": ""}) for number in range(self._number)]

    def piece(self, number: int, event: Event) -> Object | None:
        """Text, thinking, tool calls and the end of an answer are told; where it stands in the queue is not."""
        if isinstance(event, Text):
            tokens = event.tokens if self._logprobs else ()
            return self._delta(number, {"content": event.text}, tokens) if event.text or tokens else None
        if isinstance(event, Reasoning):
            return self._delta(number, {"reasoning_content": event.text})
        if isinstance(event, ToolCall):
            self._calls[number] += 1
            return self._delta(number, {"tool_calls": [{"index": self._calls[number] - 1, **_called(event)}]})
        if isinstance(event, Finished):
            last = {} if self._usage or self._number > 1 else shapes.timings([event])
            return self._delta(number, {}, reason=REASONS[event.reason]) | last
        return None

    def ending(self, finished: Sequence[Finished]) -> list[Object]:
        """The usage, where it was asked for."""
        if not self._usage:
            return []
        return [self._chunk | {"choices": [], "usage": shapes.usage(finished), **shapes.timings(finished)}]

    def whole(self, answers: Sequence[Gathered], finished: Sequence[Finished]) -> Object:
        """A chat.completion object."""
        choices = [self._choice(number, *pair) for number, pair in enumerate(zip(answers, finished, strict=True))]
        told = {"choices": choices, "usage": shapes.usage(finished), **shapes.timings(finished)}
        return {**self._head, "object": "chat.completion", **told}

    def _choice(self, number: int, answer: Gathered, finished: Finished) -> Object:
        message: Object = {"role": "assistant", "content": answer.text or (None if answer.calls else "")}
        if answer.reasoning:
            message["reasoning_content"] = answer.reasoning
        if answer.calls:
            message["tool_calls"] = list(map(_called, answer.calls))
        return {
            "index": number,
            "message": message,
            "logprobs": _logprobs(answer.tokens) if self._logprobs else None,
            "finish_reason": REASONS[finished.reason],
        }

    def _delta(self, number: int, delta: Object, tokens: Sequence[Token] = (), *, reason: str | None = None) -> Object:
        logprobs = _logprobs(tokens) if tokens else None
        return {
            **self._chunk,
            "choices": [{"index": number, "delta": delta, "logprobs": logprobs, "finish_reason": reason}],
        }


def _called(call: ToolCall) -> Object:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _logprobs(tokens: Sequence[Token]) -> Object:
    return {"content": [_probable(token) | {"top_logprobs": list(map(_probable, token.top))} for token in tokens]}


def _probable(one: Token | Alternative) -> Object:
    # A part of a character has no text of its own, and its bytes have been replaced.
    whole = "\ufffd" not in one.text
    return {
        "id": one.id,
        "token": one.text,
        "logprob": one.logprob,
        "bytes": list(one.text.encode()) if whole else None,
    }
