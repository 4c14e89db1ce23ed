"""The processor's cores, dealt out to the models that are answering.

llama.cpp's threads wait for each other hundreds of times a token, and wait by spinning. Two models with a thread for
each core would spend most of their time keeping each other from the cores: together they gave 6 tokens/s where each
with half of the threads gives as much as it has cores. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Shares(Protocol):
    """Whoever computes with several threads, and can use fewer."""

    def use_cores(self, number: int) -> None: ...


class Cores:
    """So many cores. Whoever works alone has them all; several have equal shares, at least one core each."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._lock = threading.Lock()
        self._working: dict[Shares, int] = {}

    @property
    def busy(self) -> int:
        """How many blocks of `working` are being run: answers, for one."""
        with self._lock:
            return sum(self._working.values())

    @contextmanager
    def working(self, one: Shares) -> Iterator[None]:
        """Counts `one` among those that work, for as long as the block lasts; blocks may be nested and run at once."""
        self._add(one, 1)
        try:
            yield
        finally:
            self._add(one, -1)

    def _add(self, one: Shares, more: int) -> None:
        with self._lock:
            before = len(self._working)
            self._working[one] = self._working.get(one, 0) + more
            if not self._working[one]:
                del self._working[one]
            if len(self._working) != before:
                for each in self._working:
                    each.use_cores(max(1, self.count // len(self._working)))
