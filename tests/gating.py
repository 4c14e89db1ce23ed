"""A model that a test lets go on: who runs when is then no matter of time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec

from core.errors import WorkbenchError
from core.events import Event, Idle
from core.messages import ChatRequest
from tests.answering import END, INFO, word


class Gated:
    """A `ChatModel` that says a word, then nothing until its `gate` is set, then a second word and the end, or raises.

    `running` is set while it is asked; `asked` holds the requests.
    """

    def __init__(self, name: str = "replay", *, error: WorkbenchError | None = None, local: bool = True) -> None:
        self.info = msgspec.structs.replace(INFO, id=name, name=name.title(), local=local)
        self.running = threading.Event()
        self.gate = threading.Event()
        self.asked: list[ChatRequest] = []
        self.error = error

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        self.asked.append(request)
        self.running.set()
        try:
            yield word(1)
            while not self.gate.wait(0.02):
                yield Idle()
            if self.error:
                raise self.error
            yield word(2, at=0.1)
            yield END
        finally:
            self.running.clear()

    def close(self) -> None: ...
