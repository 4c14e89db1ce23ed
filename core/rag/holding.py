"""Which process takes documents into a collection: one at a time, told by a lock on a file that ends with its holder.

Threads of one process hold it together: they share what is to be done by the rows (core/store/documents.py). So what a
killed process had begun is known to be nobody's, and can be taken up again. Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.late import filelock

LOOK_S = 0.2
"""Seconds between two attempts, while another process holds it."""


class Holding:
    """The locks of one workbench, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mutex = threading.Lock()
        self._held: dict[str, tuple[filelock.BaseFileLock, int]] = {}

    @contextmanager
    def hold(self, id: str, wait: Callable[[], None]) -> Iterator[bool]:
        """Holds it for as long as the block lasts; gives whether no other thread of this process did already.

        wait: called while another process holds it; what it raises ends the waiting.
        """
        while (first := self._take(id)) is None:
            wait()
            time.sleep(LOOK_S)
        try:
            yield first
        finally:
            self._let_go(id)

    def _take(self, id: str) -> bool | None:
        with self._mutex:
            if id in self._held:
                lock, number = self._held[id]
                self._held[id] = (lock, number + 1)
                return False
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = filelock.FileLock(str(self._folder / f"{id}.lock"), blocking=False, thread_local=False)
            with suppress(filelock.Timeout):
                lock.acquire()
                self._held[id] = (lock, 1)
                return True
            return None

    def _let_go(self, id: str) -> None:
        with self._mutex:
            lock, number = self._held.pop(id)
            if number > 1:
                self._held[id] = (lock, number - 1)
            else:
                lock.release()
