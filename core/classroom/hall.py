"""One open poll as its phones see it: what is asked, ballots in, and after closing how it went.

The names of the models are in `poll.paper`; whoever draws for a phone takes from it only the question and the two
answers. Safe from any thread.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

import msgspec

from core.classroom.ballots import Ballot, Poll, Tally
from core.classroom.guard import Devices
from core.errors import PollClosed


class BallotBox(Protocol):
    """Where ballots are kept: core.store.polls.Polls."""

    def cast(self, id: str, device: str, ballot: Ballot) -> None: ...

    def ballot(self, id: str, device: str) -> Ballot | None: ...


class Outcome(msgspec.Struct, frozen=True):
    """What phones are told at the end. `tally`, and who gave the answers, left and right: None where it is not for
    them."""

    tally: Tally | None = None
    names: tuple[str, str] | None = None


class Hall:
    """A poll with its ballot box."""

    def __init__(self, poll: Poll, box: BallotBox, devices: Devices) -> None:
        self.poll = poll
        self.devices = devices
        self._box = box
        self._lock = threading.Lock()
        self._outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome | None:
        """None while the poll is open."""
        return self._outcome

    def cast(self, device: str, ballot: Ballot) -> None:
        """Counts a device's ballot, in place of an earlier one. Raises `PollClosed`, `TooManyBallots` or
        `StoreUnavailable`."""
        if self._outcome is not None or time.time() > self.poll.closes_at:
            raise PollClosed()
        with self._lock:  # one writer at a time waits less than thirty that ask the file in turns
            self._box.cast(self.poll.id, device, ballot)

    def cast_by(self, device: str) -> Ballot | None:
        """What this device has said."""
        return self._box.ballot(self.poll.id, device)

    def end(self, outcome: Outcome) -> None:
        """Tells the phones that it is over."""
        self._outcome = outcome
