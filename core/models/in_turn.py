"""One after another: models that wait in line, so that each has the machine to itself while it is timed.

The line is first come, first served, by when a place was taken and not by who is asked first. The clock of an answer is
its model's, and starts when its turn has come: waiting here is in none of its figures. Thread-safe; knows no owner.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import cast

from core.events import Event, Idle, Queued
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo

IDLE_S = 0.1
"""The longest silence that the contract of a model allows, seconds."""


class Turns:
    """The line. Whoever is timed alone stands in it, wherever in the workbench it was asked."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: list[_Turn] = []

    def take(self, beside: Ticket | None = None) -> Ticket:
        """A place at the end of the line; or the place of another, who is still in it, to run at the same time."""
        with self._changed:
            turn = beside.turn if beside is not None and beside.turn in self._line else _Turn()
            if not turn.holders:
                self._line.append(turn)
            turn.holders += 1
        return Ticket(self, turn)

    @property
    def waited_for(self) -> bool:
        """Whether somebody stands behind the one whose turn it is."""
        return len(self._line) > 1

    def position(self, turn: _Turn, *, other_than: int | None = None, timeout: float = 0.0) -> int:
        """How many turns come before this one; 0: it is its own. Waits at most `timeout` seconds for another number."""
        with self._changed:
            self._changed.wait_for(lambda: self._line.index(turn) != other_than, timeout)
            return self._line.index(turn)

    def leave(self, turn: _Turn) -> None:
        """One of those who share it has left."""
        with self._changed:
            turn.holders -= 1
            if not turn.holders:
                self._line.remove(turn)
                self._changed.notify_all()


class _Turn:
    """A place in the line. Those who share it run at the same time; it ends when the last of them has left."""

    def __init__(self) -> None:
        self.holders = 0


class Ticket:
    """One holder's part in a place of the line. As a context manager it is released at the end."""

    def __init__(self, turns: Turns, turn: _Turn) -> None:
        self.turn = turn
        self._turns = turns
        self._held = True

    @property
    def position(self) -> int:
        """How many come before; 0: it is its turn, or it has been released."""
        return self._turns.position(self.turn) if self._held else 0

    def wait(self) -> Iterator[Queued | Idle]:
        """Until it is its turn; says the place whenever it has changed, and 0 once others were waited for."""
        said: int | None = None
        while said != 0:
            ahead = self._turns.position(self.turn, other_than=said, timeout=IDLE_S)
            if ahead == said:
                yield Idle()
            elif ahead or said:
                yield Queued(ahead)
            said = ahead

    def release(self) -> None:
        """Leaves the line. Nothing the second time."""
        held, self._held = self._held, False
        if held:
            self._turns.leave(self.turn)

    def __enter__(self) -> Ticket:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class InTurn:
    """`model` when its turn has come: a `ChatModel`. Its place is taken now, and given back when its stream has ended.

    beside: the place to share. settle_s: seconds to wait once its turn has come, in which what is shown of the turn
    before it is drawn and the machine comes to rest. `Queued(0)` says, after others were waited for, that it is this
    one's turn. Asked a second time, it stands in line again. One that is never asked gives its place back when it is
    forgotten.
    """

    def __init__(self, model: ChatModel, turns: Turns, beside: Ticket | None = None, *, settle_s: float = 0.0) -> None:
        self._model = model
        self._settle_s = settle_s
        self._turns = turns
        self._ticket: Ticket | None = turns.take(beside)
        weakref.finalize(self, self._ticket.release)

    @property
    def info(self) -> ModelInfo:
        return self._model.info

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """See `ChatModel.stream`."""
        ticket, self._ticket = self._ticket or self._turns.take(), None
        with ticket:
            yield from ticket.wait()
            yield from _settling(self._settle_s)
            with closing(cast("Generator[Event]", self._model.stream(request))) as events:
                yield from events

    def close(self) -> None:
        self._model.close()


def _settling(seconds: float) -> Iterator[Idle]:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, IDLE_S))
        yield Idle()
