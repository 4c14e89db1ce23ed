"""A model that plays a recorded stream of events: for lessons and for tests of pages.

Plays the events as they were recorded, whatever is asked; knows nothing of tokenizers, files or processes. Any number
of streams at once, each with its own clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Literal

from core.errors import WorkbenchError
from core.events import Event, Idle, Reasoning, Text
from core.messages import ChatRequest
from core.models.base import ModelInfo

IDLE_S = 0.1
"""The longest silence the contract allows, seconds."""

Pace = Literal["recorded", "at once"] | float
"""`recorded`: tokens come at their `Token.at`; `at once`: without waiting; a number: that many events a second."""


class Replay:
    """A `ChatModel` that answers every request with `events`, at the given pace.

    `error`, if given, is raised after the last event. The events are yielded unchanged: their `Token.at` and timings
    are those of the recording, at any pace.
    """

    def __init__(
        self, info: ModelInfo, events: Sequence[Event], *, pace: Pace = "recorded", error: WorkbenchError | None = None
    ) -> None:
        self._info = info
        self._events = tuple(events)
        self._pace = pace
        self._error = error

    @property
    def info(self) -> ModelInfo:
        return self._info

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """The recorded events; `Idle` while waiting for the next one. Raises the error it was made with."""
        start = time.perf_counter()
        for number, event in enumerate(self._events, start=1):
            yield from _idle_until(start + self._due(number, event))
            yield event
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Nothing is held."""

    def _due(self, number: int, event: Event) -> float:
        """Seconds from the request to this event."""
        if self._pace == "at once":
            return 0.0
        if self._pace == "recorded":
            return event.tokens[-1].at if isinstance(event, Text | Reasoning) and event.tokens else 0.0
        return number / self._pace


def _idle_until(due: float) -> Iterator[Idle]:
    while (left := due - time.perf_counter()) > 0:
        time.sleep(min(left, IDLE_S))
        if left > IDLE_S:
            yield Idle()
