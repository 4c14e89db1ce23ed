"""The shape of /v1/completions, OpenAI's older one: a prompt as it is, and what comes after it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from core.api import shapes
from core.api.shapes import REASONS, Gathered, Object
from core.events import Event, Finished, Text, Token


class CompletionShape:
    """`model`: its id; `number`: of answers; `logprobs`: told or not; `usage`: whether a stream ends with it."""

    def __init__(self, model: str, number: int, *, logprobs: bool, usage: bool) -> None:
        self._number = number
        self._logprobs = logprobs
        self._usage = usage
        self._offsets = [0] * number
        self._head: Object = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
        }

    def opening(self) -> list[Object]:
        """Nothing."""
        return []

    def piece(self, number: int, event: Event) -> Object | None:
        """Text and the end of an answer are told."""
        if isinstance(event, Text):
            tokens = event.tokens if self._logprobs else ()
            return self._chunk(number, event.text, tokens) if event.text or tokens else None
        if isinstance(event, Finished):
            last = {} if self._usage or self._number > 1 else shapes.timings([event])
            return self._chunk(number, "", reason=REASONS[event.reason]) | last
        return None

    def ending(self, finished: Sequence[Finished]) -> list[Object]:
        """The usage, where it was asked for."""
        if not self._usage:
            return []
        return [{**self._head, "choices": [], "usage": shapes.usage(finished), **shapes.timings(finished)}]

    def whole(self, answers: Sequence[Gathered], finished: Sequence[Finished]) -> Object:
        """A text_completion object."""
        choices = [
            self._choice(number, answer.text, answer.tokens if self._logprobs else (), REASONS[end.reason])
            for number, (answer, end) in enumerate(zip(answers, finished, strict=True))
        ]
        return {**self._head, "choices": choices, "usage": shapes.usage(finished), **shapes.timings(finished)}

    def _chunk(self, number: int, text: str, tokens: Sequence[Token] = (), reason: str | None = None) -> Object:
        told = {"usage": None} if self._usage else {}
        return {**self._head, "choices": [self._choice(number, text, tokens, reason)], **told}

    def _choice(self, number: int, text: str, tokens: Sequence[Token], reason: str | None) -> Object:
        logprobs = self._scored(number, tokens) if tokens else None
        return {"index": number, "text": text, "logprobs": logprobs, "finish_reason": reason}

    def _scored(self, number: int, tokens: Sequence[Token]) -> Object:
        offsets: list[int] = []
        for token in tokens:
            offsets.append(self._offsets[number])
            self._offsets[number] += len(token.text)
        return {
            "tokens": [token.text for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "top_logprobs": [{one.text: one.logprob for one in token.top} for token in tokens],
            "text_offset": offsets,
        }
