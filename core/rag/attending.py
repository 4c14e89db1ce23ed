"""The other side of an attendant: reads requests from standard input, answers on standard output.

What libraries print goes to standard error. At the end of the input the process ends.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator

import msgspec

from core.errors import WorkbenchError
from core.rag.wire import Answered, Asked

_requests = msgspec.json.Decoder(Asked)


class Desk:
    """Requests in, answers out. Made once a process."""

    def __init__(self) -> None:
        self._in = sys.stdin.buffer
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._waiting: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()

    def hello(self) -> bytes:
        """The first line."""
        return self._in.readline()

    def begin(self) -> None:
        """Requests are read from now on, in a thread."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()

    def requests(self) -> Iterator[Asked]:
        """One after the other, until the input ends."""
        while (asked := self._waiting.get()) is not None:
            yield asked

    def waiting(self, *, block: bool) -> Asked | None:
        """The next request that has come; with `block` waits for one. None: there is none now, or no more will come."""
        try:
            asked = self._waiting.get(block=block)
        except queue.Empty:
            return None
        if asked is None:
            sys.exit(0)
        return asked

    def answer(self, id: int, body: object) -> None:
        """Says what a request asked for."""
        self._say(Answered(id, msgspec.Raw(msgspec.json.encode(body))))

    def refuse(self, id: int, error: WorkbenchError) -> None:
        """Says why a request cannot be answered."""
        self._say(Answered(id, error=error.to_dict()))

    def _say(self, answer: Answered) -> None:
        self._out.write(msgspec.json.encode(answer) + b"\n")
        self._out.flush()

    def _read(self) -> None:
        for line in self._in:
            self._waiting.put(_requests.decode(line))
        self._waiting.put(None)
