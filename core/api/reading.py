"""Answers read where they block, in a thread each, and handed to the event loop as they come.

A thread lives as long as its answer, not a token: it passes on what comes, and looks ten times a second whether it is
still wanted. One that is not closes the model's stream, which frees its sequence at the next token.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from core.api.meter import Meter
from core.errors import AnswerBroken, ModelBusy, WorkbenchError
from core.events import Event, Finished, Idle, Loading, Prefill, Queued, Reasoning, Text
from core.messages import ChatRequest
from core.models.base import ChatModel

MOST_AT_ONCE = 128
"""Answers that are asked for and not over; each has a thread. What comes on top is refused with `ModelBusy`."""

Item = tuple[int, Event]

_log = logging.getLogger(__name__)


class Readings:
    """All answers that the API is reading. Used from one event loop."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.open = 0

    def start(self, model: ChatModel, requests: Sequence[ChatRequest]) -> Reading:
        """Asks the model all of them at once. Raises `ModelBusy`."""
        if self.open + len(requests) > MOST_AT_ONCE:
            raise ModelBusy(model=model.info.name, waiting=self.open)
        return Reading(self, model, requests)


class Reading:
    """The answers to the requests of one client, by their number. Iterating gives what has come since, all of it.

    Raises the first error of any of them, after all that had come before it. `stop` when nobody reads any more.
    """

    def __init__(self, readings: Readings, model: ChatModel, requests: Sequence[ChatRequest]) -> None:
        self.finished: dict[int, Finished] = {}
        self._readings = readings
        self._model = model
        self._number = len(requests)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._items: list[Item] = []
        self._error: WorkbenchError | None = None
        self._accepted: set[int] = set()
        self._begun: set[int] = set()
        self._stopped = threading.Event()
        readings.open += self._number
        for number, request in enumerate(requests):
            readings.meter.handed_over()
            threading.Thread(target=self._run, args=(number, request), name=f"api {number}", daemon=True).start()

    async def accepted(self) -> None:
        """Waits until the model has taken every request, or raises why it did not: then nothing was sent yet."""
        while len(self._accepted) < self._number and self._error is None:
            await self._news.wait()
            self._news.clear()
        if self._error is not None:
            raise self._error
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[list[Item]]:
        while True:
            await self._news.wait()
            self._news.clear()
            items, self._items = self._items, []
            if items:
                yield items
            if self._error is not None:
                raise self._error
            if len(self.finished) == self._number:
                return

    def stop(self) -> None:
        """Ends what has not ended yet."""
        self._stopped.set()

    def _run(self, number: int, request: ChatRequest) -> None:
        error: WorkbenchError | None = None
        try:
            self._read(number, request)
        except WorkbenchError as caught:
            error = caught
        except Exception as caught:
            _log.exception("An answer of %s broke", self._model.info.id)
            error = AnswerBroken(model=self._model.info.name, detail=f"an unexpected {type(caught).__name__}")
        with suppress(RuntimeError):  # the server is going down
            self._loop.call_soon_threadsafe(self._end, number, error)

    def _read(self, number: int, request: ChatRequest) -> None:
        stream = self._model.stream(request)
        try:
            for event in stream:
                if self._stopped.is_set():
                    return
                if not isinstance(event, Idle):
                    self._loop.call_soon_threadsafe(self._take, number, event)
        finally:
            if close := getattr(stream, "close", None):
                close()

    def _take(self, number: int, event: Event) -> None:
        self._count(number, event)
        if not isinstance(event, Loading):
            self._accepted.add(number)
        if isinstance(event, Finished):
            self.finished[number] = event
        self._items.append((number, event))
        self._news.set()

    def _count(self, number: int, event: Event) -> None:
        meter = self._readings.meter
        if number not in self._begun and not isinstance(event, Loading | Queued):
            self._begun.add(number)
            meter.begun()
            meter.read(event.total - event.cached if isinstance(event, Prefill) else 0)
        if isinstance(event, Text | Reasoning):
            meter.wrote(len(event.tokens))
        elif isinstance(event, Finished):
            meter.finished(event)

    def _end(self, number: int, error: WorkbenchError | None) -> None:
        self._readings.open -= 1
        self._readings.meter.ended(begun=number in self._begun)
        if error is None and number not in self.finished and not self._stopped.is_set():
            error = AnswerBroken(model=self._model.info.name, detail="it ended without saying why")
        self._error = self._error or error
        self._news.set()
