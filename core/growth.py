"""How far one answer had come, and when: events in, points out. Safe from any thread, written by one.

A server that tells no tokens leaves their number to be estimated from the characters, and their times are those of
arrival; the clock of these begins when the model was asked, not when the answer began to wait for it.
"""

from __future__ import annotations

import time

from core.events import Event, Loading, Queued, Reasoning, Text
from core.metrics import estimated_tokens


class Growth:
    """The growth of one answer that begins now; `take` its events."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._characters = 0
        self._tokens = 0
        self._points: list[tuple[float, int]] = []

    def take(self, event: Event) -> None:
        """The next event of the answer."""
        if isinstance(event, Loading | Queued):
            self._began = time.perf_counter()
        if not isinstance(event, Text | Reasoning):
            return
        self._characters += len(event.text)
        self._tokens += len(event.tokens)
        if event.tokens:
            self._points.append((event.tokens[-1].at, self._tokens))
        elif event.text and not self._tokens:
            self._points.append((time.perf_counter() - self._began, estimated_tokens(self._characters)))

    @property
    def estimated(self) -> bool:
        """Whether the tokens are estimated."""
        return not self._tokens

    @property
    def rate(self) -> float | None:
        """Tokens a second from the first point to the last; None until it can be known."""
        if len(self._points) < 2:
            return None
        (begin, few), (end, many) = self._points[0], self._points[-1]
        return (many - few) / (end - begin) if end > begin else None

    def points(self, since: int = 0) -> list[tuple[float, int]]:
        """(seconds since the model was asked, tokens until then), ascending, from the `since`th on."""
        return self._points[since:]
