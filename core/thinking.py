"""How long a model thought before it answered, and in how many tokens: events in, two figures out.

Thinking lasts from its first piece to the answer's first piece after it, or to its own last piece where none came.
Times are the tokens' own where the model tells them, else those of arrival.
"""

from __future__ import annotations

import time

import msgspec

from core.events import Event, Finished, Reasoning, Text


class Thinking:
    """The thinking of one answer that begins now; `take` its events, then ask for it to be `described`."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._first: float | None = None
        self._last = 0.0
        self._answered: float | None = None
        self._tokens = 0

    def take(self, event: Event) -> None:
        """The next event of the answer."""
        if isinstance(event, Reasoning):
            self._first = self._at(event) if self._first is None else self._first
            self._last = event.tokens[-1].at if event.tokens else self._at(event)
            self._tokens += len(event.tokens)
        elif isinstance(event, Text) and event.text and self._first is not None and self._answered is None:
            self._answered = self._at(event)

    @property
    def seconds(self) -> float | None:
        """How long so far; None while there was none."""
        if self._first is None:
            return None
        return max((self._last if self._answered is None else self._answered) - self._first, 0.0)

    def described(self, finished: Finished) -> Finished:
        """The same end, with how long the model thought and, where its tokens were told, in how many."""
        if self.seconds is None:
            return finished
        timings = msgspec.structs.replace(finished.timings, thinking_s=self.seconds)
        tokens = self._tokens or finished.usage.thinking_tokens
        usage = msgspec.structs.replace(finished.usage, thinking_tokens=tokens)
        return msgspec.structs.replace(finished, usage=usage, timings=timings)

    def _at(self, event: Reasoning | Text) -> float:
        return event.tokens[0].at if event.tokens else time.perf_counter() - self._began
