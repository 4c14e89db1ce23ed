"""A model behind an OpenAI-compatible endpoint, as a `ChatModel`.

Asks for a stream of chat completions and makes events of whatever comes: text, thinking, tool calls,
log-probabilities. The endpoint's tokenizer is not ours, so nothing is trimmed here (`overflow` has no effect), and
going on with an answer (`continue_last`) is up to the endpoint: the answer so far is the last message. Thread-safe.
"""

from __future__ import annotations

import copy
import queue
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.events import Event, Finished, Idle
from core.messages import ChatRequest
from core.models.base import ModelInfo
from core.models.local import limits
from core.models.remote import body, faults, prices
from core.models.remote.assembly import Assembly
from core.models.remote.body import EXTENSIONS
from core.models.remote.endpoint import PATH, Timeouts, endpoint
from core.models.remote.permit import ANYTHING, Permit
from core.models.remote.reading import Piece, Reading

IDLE_S = 0.1


class RemoteModel:
    """A model at `base_url` (what comes before /chat/completions). Nothing is sent before `stream` is read.

    model: what the endpoint calls it; `info.name` when None. headers: sent besides the key, and as secret.
    unsupported: parameters that the endpoint does not take (see core/models/remote/body.py); by default all that are
    not OpenAI's. retries: how many times a request that met 429 or 5xx before its answer began is made again.
    permit: what its owner allows; asked by each `stream`, and told what it costs.

    Raises `AddressInvalid` or `KeyUnusable`.
    """

    def __init__(
        self,
        info: ModelInfo,
        base_url: str,
        key: str | None = None,
        *,
        model: str | None = None,
        timeouts: Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
        unsupported: frozenset[str] = EXTENSIONS,
        retries: int = 2,
        permit: Permit = ANYTHING,
    ) -> None:
        self.model = model or info.name
        self.unsupported = unsupported
        self._info = info
        self._retries = retries
        self._takes_usage = True
        self._endpoint = endpoint(
            base_url, key, provider=info.provider, timeouts=timeouts or Timeouts(), headers=headers, permit=permit
        )

    def __repr__(self) -> str:
        return f"RemoteModel({self.model!r}, {self._endpoint.base_url!r})"

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def url(self) -> str:
        """Where requests go."""
        return self._endpoint.base_url + PATH

    def exact_request(self, request: ChatRequest) -> dict[str, Any]:
        """The JSON body that `stream` sends. Raises `EmptyPrompt`, `NotSupported` or `SettingInvalid`."""
        limits.check(request)
        left_out = self.unsupported if self._takes_usage else self.unsupported | {"stream_options"}
        return body.of(
            request,
            model=self.model,
            provider=self._info.provider,
            unsupported=left_out,
            context_length=self._info.context_length,
        )

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """Events of one request; see `ChatModel.stream`. Raises a `ProviderError` after all that had come.

        Raises `NotPermitted` where the permit says so: before anything is sent, or, when the answer costs more than is
        left, after what had come. Raises `ContextOverflow` where the endpoint says so, and what `exact_request` raises.
        """
        asked = self.exact_request(request)
        away = not self._endpoint.on_this_machine
        spending = self._endpoint.permit.begin(self._info, asked=_characters(asked), away=away)
        try:
            for event in self._answer(request, asked):
                told = self._priced(event) if isinstance(event, Finished) else event
                spending.take(told)  # before anybody is told, who may ask for no more
                yield told
                spending.check()
        finally:
            spending.end()

    def impatient(self) -> RemoteModel:
        """The same model, whose requests are made once: for whoever has another one to ask."""
        other = copy.copy(self)
        other._retries = 0
        return other

    def close(self) -> None:
        """Nothing is held between requests."""

    def _answer(self, request: ChatRequest, asked: dict[str, Any]) -> Iterator[Event]:
        reading = Reading(self._endpoint, asked, retries=self._retries)
        answer = Assembly(request, provider=self._info.provider, context_length=self._info.context_length)
        try:
            yield from self._events(reading, answer)
        finally:
            reading.close()
            self._takes_usage = self._takes_usage and not reading.usage_refused

    def _priced(self, finished: Finished) -> Finished:
        """With what it cost by the list, where the endpoint did not say."""
        if finished.cost is not None:
            return finished
        return msgspec.structs.replace(finished, cost=prices.cost(self._info.price, finished.usage))

    def _events(self, reading: Reading, answer: Assembly) -> Iterator[Event]:
        try:
            for piece in _pieces(reading, answer, linger_s=self._endpoint.timeouts.linger_s):
                yield from (self._taken(answer, piece) if piece else ()) or (Idle(),)
        except Exception:
            yield from answer.rest()
            raise
        yield from answer.rest()
        yield from answer.finished(whole=reading.whole)

    def _taken(self, answer: Assembly, piece: Piece) -> list[Event]:
        if fault := piece.chunk.fault:
            raise faults.in_stream(self._endpoint, fault, model=self.model)
        return answer.take(piece.chunk, at=piece.at)


def _pieces(reading: Reading, answer: Assembly, *, linger_s: float) -> Iterator[Piece | None]:
    """The pieces as they come; None for each tenth of a second in which none does. Raises what ended the stream.

    Once the model has ended its answer nothing but counts can be lost, and nothing is waited or raised for them.
    """
    heard = time.monotonic()
    while True:
        try:
            item = reading.items.get(timeout=IDLE_S)
        except queue.Empty:
            if answer.over and time.monotonic() - heard > linger_s:
                return
            yield None
            continue
        if item is None or (isinstance(item, Exception) and answer.over):
            return
        if isinstance(item, Exception):
            raise item
        heard = time.monotonic()
        yield item


def _characters(asked: dict[str, Any]) -> int:
    """Of all that is sent to be read."""
    return sum(len(msgspec.json.encode(asked.get(name) or ())) for name in ("messages", "tools"))
