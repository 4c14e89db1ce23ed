"""Who follows an answer, or several that are looked at together: whoever follows one of these follows all of them.

Thread-safe. Knows no answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Audience:
    """The readers of one answer, or of answers that belong together. `patience_s`: after so many seconds without a
    reader it has gone."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._followers = 0
        self._seen_at = time.monotonic()

    def seen(self) -> None:
        """Somebody looked just now, or has just asked."""
        self._seen_at = time.monotonic()

    @contextmanager
    def following(self) -> Iterator[None]:
        """Counts a reader for as long as the block lasts."""
        with self._lock:
            self._followers += 1
        try:
            yield
        finally:
            with self._lock:
                self._followers -= 1
                self._seen_at = time.monotonic()

    @property
    def gone(self) -> bool:
        """Whether nobody has followed for too long."""
        with self._lock:
            return not self._followers and time.monotonic() - self._seen_at > self._patience_s
