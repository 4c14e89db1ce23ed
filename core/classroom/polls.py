"""Votes of a class: opened, counted, closed.

A poll that is open has a listener of its own, which ends with it: closed by whoever opened it, by its time, or with the
server. Closing makes a vote of every ballot, in one transaction. A poll that a dead server left open is closed, and its
ballots counted, when the next one starts: nothing is opened to a network that nobody has opened. Safe from any thread.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from core.classroom import codes
from core.classroom.addresses import LOOPBACK, addresses
from core.classroom.ballots import Paper, Poll, Tally
from core.classroom.guard import Devices
from core.classroom.hall import Hall, Outcome
from core.errors import AnswersMissing, ClassHasVoted, PollsFull, WorkbenchError
from core.store.polls import Polls
from core.store.rows import new_id

if TYPE_CHECKING:
    from core.classroom.listener import Listener

LIMIT_S = 2 * 3600.0
"""A poll closes by itself after this, seconds."""

MOST_OPEN = 8
"""Polls at once on one machine: each is a port and a thread."""

LOOK_S = 20.0
"""How often the clock is looked at, seconds: a machine that slept past a poll's time ends it on waking."""

_log = logging.getLogger(__name__)


class Classroom:
    """The votes of the class of one server. `end` stops all listening; `recover` counts what was left open."""

    def __init__(self, polls: Polls) -> None:
        self._polls = polls
        self._devices = Devices()
        self._lock = threading.Lock()
        self._rooms: dict[str, _Room] = {}

    def open(
        self,
        owner: str,
        paper: Paper,
        *,
        comparison_id: str | None = None,
        address: str | None = None,
        limit_s: float = LIMIT_S,
    ) -> Poll:
        """Opens a vote to the network; the one that is open on this comparison where there is one.

        address: of this machine, on which phones ask; None is the likeliest, or this machine alone where it is in no
        network. limit_s: seconds until it closes by itself.
        Raises `AnswersMissing`, `ClassHasVoted`, `PollsFull`, `AddressTaken` or `StoreUnavailable`.
        """
        if not (paper.a.answer.strip() and paper.b.answer.strip()):
            raise AnswersMissing()
        with self._lock:
            before = self._polls.newest(owner, comparison_id) if comparison_id is not None else None
            if before is not None and before.id in self._rooms:
                return before
            if before is not None:
                self._check_not_voted(self._polls.close(owner, before.id), paper)
            if len(self._rooms) >= MOST_OPEN:
                raise PollsFull(limit=MOST_OPEN)
            return self._open(owner, paper, comparison_id, address or _likeliest(), limit_s)

    def of(self, owner: str, comparison_id: str) -> Poll | None:
        """The newest vote of the class on this comparison, open or closed."""
        return self._polls.newest(owner, comparison_id)

    def get(self, owner: str, id: str) -> Poll:
        """Raises `NotThere`."""
        return self._polls.get(owner, id)

    def tally(self, owner: str, id: str) -> Tally:
        """The ballots so far. Raises `NotThere`."""
        return self._polls.tally(owner, id)

    def close(self, owner: str, id: str, *, reveal: bool = True) -> Poll:
        """Makes votes of the ballots and stops listening. reveal: whether the phones are told who won and what the
        models are called. Nothing when it was closed.

        Raises `NotThere`, or `StoreUnavailable`: then nothing listens any more, and closing can be tried again.
        """
        self._polls.get(owner, id)
        with self._lock:
            room = self._rooms.pop(id, None)
        try:
            poll = self._polls.close(owner, id)
            if room is not None and reveal:
                room.hall.end(Outcome(self._polls.tally(owner, id), (poll.paper.a.label, poll.paper.b.label)))
            return poll
        finally:
            if room is not None:
                room.end()

    def recover(self) -> None:
        """Closes what a server before this one left open. Raises `StoreUnavailable`."""
        for poll in self._polls.open():
            if poll.id not in self._rooms:
                self._polls.close(poll.owner, poll.id)

    def end(self) -> None:
        """Stops all listening. What is open is closed by the next start's `recover`."""
        with self._lock:
            rooms, self._rooms = list(self._rooms.values()), {}
        for room in rooms:
            room.end()

    def _check_not_voted(self, before: Poll, paper: Paper) -> None:
        if before.paper.turn == paper.turn and self._polls.tally(before.owner, before.id).total:
            raise ClassHasVoted()

    def _open(self, owner: str, paper: Paper, comparison_id: str | None, address: str, limit_s: float) -> Poll:
        from core.classroom import listener, phone

        listening = listener.bound(address)
        now = time.time()
        poll = Poll(
            id=new_id(),
            owner=owner,
            comparison_id=comparison_id,
            opened_at=now,
            closes_at=now + limit_s,
            code=codes.new(),
            host=f"{address}:{listening.getsockname()[1]}",
            paper=paper,
        )
        with contextlib.ExitStack() as undo:
            undo.callback(listening.close)
            self._polls.add(poll)
            hall = Hall(self._polls.get(owner, poll.id), self._polls, self._devices)
            undo.pop_all()
        room = _Room(hall, listener.Listener(phone.app(hall), listening))
        self._rooms[poll.id] = room
        threading.Thread(target=self._close_in_time, args=(room,), name="classroom-clock", daemon=True).start()
        return hall.poll

    def _close_in_time(self, room: _Room) -> None:
        poll = room.hall.poll
        while (left := poll.closes_at - time.time()) > 0:
            if room.over.wait(min(left, LOOK_S)):
                return
        try:
            self.close(poll.owner, poll.id, reveal=False)
        except WorkbenchError as error:
            _log.warning("A vote of the class is over, and not counted yet: %s", error)


class _Room:
    """A poll that is open in this process."""

    def __init__(self, hall: Hall, listener: Listener) -> None:
        self.hall = hall
        self.over = threading.Event()
        self._listener = listener

    def end(self) -> None:
        """Tells the phones, and stops listening."""
        if self.hall.outcome is None:
            self.hall.end(Outcome())
        self.over.set()
        self._listener.close()


def _likeliest() -> str:
    return next((one.ip for one in addresses()), LOOPBACK)
