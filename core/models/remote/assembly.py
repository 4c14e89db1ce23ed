"""Chunks in, events out: one remote answer being put together. Knows no network.

What a server does not say is worked out from what came: tokens and their times as core/metrics.py has it for text that
comes in pieces; a piece is never taken for a token unless the server counts as many tokens as pieces came.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import msgspec

from core import metrics
from core.errors import N_, AnswerCut, AnswerMalformed
from core.events import Cost, Event, Finished, FinishReason, Reasoning, Text, Timings, Token, ToolCall, Usage
from core.messages import ChatRequest
from core.models.remote import chunks
from core.models.remote.chunks import CallPart, Choice, Chunk, Delta, ServerUsage
from core.models.remote.thinking import Thinking

_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""Any other word is `stop`."""


@dataclass
class _Call:
    index: int
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class Assembly:
    """One answer of an endpoint. `take` its chunks, then `rest` and `finished`."""

    def __init__(self, request: ChatRequest, *, provider: str, context_length: int | None) -> None:
        self._request = request
        self._provider = provider
        self._context_length = context_length
        self._thinking = Thinking()
        self._calls: list[_Call] = []
        self._at: list[float] = []
        self._characters: list[int] = []
        self._tokens: list[Token] = []
        self._usage: ServerUsage | None = None
        self._cost: Cost | None = None
        self._server: dict[str, float] = {}
        self._answered = False
        self._thought = False
        self._refused = False
        self._reason: str | None = None

    @property
    def over(self) -> bool:
        """Whether the model has ended its answer; only counts may still come."""
        return self._reason is not None

    def take(self, chunk: Chunk, *, at: float) -> list[Event]:
        """The events of a chunk that came `at` seconds after the request was handed over."""
        self._usage = chunks.usage(chunk.usage) or self._usage
        self._cost = self._cost if (cost := chunks.cost(chunk.usage)) is None else Cost(amount=cost, reported=True)
        self._server = chunks.timings(chunk.timings) or self._server
        events: list[Event] = []
        for choice in chunk.choices or ():
            if not choice.index:
                self._answered = True
                events += self._said(choice, at)
                self._reason = choice.finish_reason or self._reason
        return events

    def rest(self) -> list[Event]:
        """What was held back; after the last chunk, and before an error, so that nothing that came is lost."""
        return _events(self._thinking.flush())

    def finished(self, *, whole: bool) -> list[Event]:
        """The tool calls and `Finished`, whose cost is what the endpoint says; None where it says none.

        `whole`: the endpoint said that its stream is complete.

        Raises `AnswerMalformed` when there was no answer in what came, `AnswerCut` when it was not all of it.
        """
        if not self._answered:
            raise AnswerMalformed(provider=self._provider, detail=N_("there is no answer in what it sent"))
        if self._reason == "error" or not (self.over or whole):
            raise AnswerCut(provider=self._provider, detail=N_("the end is missing"))
        usage = self._counted()
        # Its result must be able to name a call, also one of an endpoint that gave it no id.
        ids = [call.id or f"call_{secrets.token_hex(12)}" for call in self._calls]
        calls = [ToolCall(id, call.name, "".join(call.arguments)) for id, call in zip(ids, self._calls, strict=True)]
        return [*calls, Finished(self._finish_reason(), usage, self._timings(usage), self._cost)]

    def _said(self, choice: Choice, at: float) -> list[Event]:
        delta = choice.delta or choice.message or Delta()
        reasoning = delta.reasoning_content or delta.reasoning or ""
        tokens = chunks.tokens(choice.logprobs, at=at)
        self._note(delta, reasoning, at)
        self._tokens += tokens
        events: list[Event] = [Reasoning(reasoning)] if reasoning else []
        events += _events(self._thinking.push(delta.content or ""))
        if delta.refusal:
            self._refused = True
            events += [*self.rest(), Text(delta.refusal)]
        for position, part in enumerate(delta.tool_calls or ()):
            self._add(part, position)
        self._thought = self._thought or any(isinstance(event, Reasoning) for event in events)
        return self._with_tokens(events, tokens)

    def _with_tokens(self, events: list[Event], tokens: tuple[Token, ...]) -> list[Event]:
        """The tokens go with the last text that they became; with none, while all is held back."""
        if not tokens:
            return events
        last = events.pop() if events else None
        if isinstance(last, Text | Reasoning):
            return [*events, msgspec.structs.replace(last, tokens=tokens)]
        return [Reasoning("", tokens) if self._thinking.inside else Text("", tokens)]

    def _note(self, delta: Delta, reasoning: str, at: float) -> None:
        written = [delta.content or "", reasoning, delta.refusal or ""]
        for part in delta.tool_calls or ():
            if part.function:
                written += [part.function.name or "", part.function.arguments or ""]
        if characters := sum(map(len, written)):
            self._at.append(at)
            self._characters.append(characters)

    def _add(self, part: CallPart, position: int) -> None:
        index = position if part.index is None else part.index
        call = next((call for call in reversed(self._calls) if call.index == index), None)
        if call is None or (part.id and call.id and part.id != call.id):
            call = _Call(index)
            self._calls.append(call)
        call.id = call.id or part.id or ""
        if part.function:
            call.name = call.name or part.function.name or ""
            call.arguments.append(part.function.arguments or "")

    def _finish_reason(self) -> FinishReason:
        reason = _REASONS.get(self._reason or "stop", "stop")
        if reason == "stop" and self._refused:
            return "content_filter"
        return "tool_calls" if reason == "stop" and self._calls else reason

    def _counted(self) -> Usage:
        """By the server where it says something that can be: not 0 tokens for an answer of many words."""
        counted = self._usage or self._from_timings()
        if counted and counted.prompt_tokens and (counted.completion_tokens or not self._characters):
            return Usage(
                prompt_tokens=counted.prompt_tokens,
                generated_tokens=counted.completion_tokens,
                cached_tokens=counted.cached,
                context_length=self._context_length,
                thinking_tokens=counted.reasoning or None,
            )
        asked = sum(len(message.content) for message in self._request.messages)
        return Usage(
            prompt_tokens=metrics.estimated_tokens(asked),
            generated_tokens=metrics.estimated_tokens(sum(self._characters)),
            estimated=True,
            context_length=self._context_length,
        )

    def _from_timings(self) -> ServerUsage | None:
        """llama.cpp's `timings` hold the counts too."""
        names = ("prompt_n", "cache_n", "predicted_n")
        fresh, cached, generated = (int(self._server.get(name, 0)) for name in names)
        if not generated:
            return None
        return ServerUsage(fresh + cached, generated, chunks.PromptDetails(cached))

    def _timings(self, usage: Usage) -> Timings:
        hidden = self._usage.reasoning if self._usage and not self._thought and not usage.estimated else 0
        shown = usage.generated_tokens - hidden
        if not usage.estimated and (at := self._token_times(shown)):
            timings = metrics.timings(at)
        else:
            first = self._characters[0] / sum(self._characters) if self._characters else 0.0
            timings = metrics.arrival_timings(self._at, tokens=shown, first_share=first)
        return msgspec.structs.replace(timings, server=self._server)

    def _token_times(self, shown: int) -> list[float]:
        """When each token came; empty where it cannot be told. Many servers count the end token, which has no text."""
        counts = {shown, shown - 1} if self._finish_reason() == "stop" else {shown}
        for at in ([token.at for token in self._tokens], self._at):
            if len(at) in counts and at and at[-1] - at[0] >= metrics.AT_ONCE_S:
                return at
        return []


def _events(parts: list[tuple[bool, str]]) -> list[Event]:
    return [Reasoning(text) if thinking else Text(text) for thinking, text in parts]
