"""A model that is watched while it answers: whether it had the machine to itself. Knows no machine and no store."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import cast

from core.events import Event
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo


class Observed:
    """`model`, a `ChatModel`. `busy`: how many answer on this machine now, itself included; looked at with every event.

    disturbed: called once at the end of an answer, also of one that breaks, if it was not alone all the time.
    """

    def __init__(self, model: ChatModel, busy: Callable[[], int], disturbed: Callable[[], None]) -> None:
        self._model = model
        self._busy = busy
        self._disturbed = disturbed

    @property
    def info(self) -> ModelInfo:
        return self._model.info

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """See `ChatModel.stream`."""
        alone = True
        try:
            with closing(cast("Generator[Event]", self._model.stream(request))) as events:
                for event in events:
                    alone = alone and self._busy() <= 1
                    yield event
        finally:
            if not alone:
                self._disturbed()

    def close(self) -> None:
        self._model.close()
