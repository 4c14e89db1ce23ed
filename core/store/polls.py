"""Votes of a class and their ballots. Every read and write of whoever opened one has an owner.

Devices have none: they are told a poll's id by its listener, which cannot be guessed. Every method raises
`StoreUnavailable` when the database fails, and has then changed nothing.
"""

from __future__ import annotations

import builtins
import sqlite3
import time
from typing import Any

import msgspec

from core.arena.votes import Side
from core.classroom.ballots import Ballot, Paper, Poll, Tally, tally, to_vote
from core.errors import N_, NotThere, PollClosed, TooManyBallots
from core.store import records, rows, votes
from core.store.database import Database

MOST_BALLOTS = 1000
"""Devices that can vote in one poll."""


class Polls:
    """The polls of all owners in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, poll: Poll) -> None:
        """Keep a poll that has been opened."""
        fields = {
            "id": poll.id,
            "owner": poll.owner,
            "comparison_id": poll.comparison_id,
            "opened_at": poll.opened_at,
            "closed_at": poll.closed_at,
            "spec": records.to_json(_Spec(poll.closes_at, poll.code, poll.host, poll.paper)),
        }
        with self._db.transaction() as connection:
            rows.insert(connection, "polls", fields)

    def get(self, owner: str, id: str) -> Poll:
        """The poll by this id. Raises `NotThere`."""
        with self._db.reading() as connection:
            return _poll(connection, owner, id)

    def newest(self, owner: str, comparison_id: str) -> Poll | None:
        """The last one opened on this comparison."""
        sql = f"{_SELECT} WHERE owner = ? AND comparison_id = ? ORDER BY number DESC LIMIT 1"
        with self._db.reading() as connection:
            row = connection.execute(sql, (owner, records.clean(comparison_id))).fetchone()
            return _read(row) if row is not None else None

    def open(self) -> builtins.list[Poll]:
        """Those of all owners that have not been closed, the first opened first."""
        with self._db.reading() as connection:
            return [_read(row) for row in connection.execute(f"{_SELECT} WHERE closed_at IS NULL ORDER BY number")]

    def cast(self, id: str, device: str, ballot: Ballot) -> None:
        """Keep a device's ballot, in place of the one it cast before.

        Raises `PollClosed`, also for a poll that does not exist, or `TooManyBallots`.
        """
        fields = {"poll": id, "device": device, "at": time.time(), "ballot": records.to_json(ballot)}
        with self._db.transaction() as connection:
            if connection.execute(f"{_SELECT} WHERE id = ? AND closed_at IS NULL", (id,)).fetchone() is None:
                raise PollClosed()
            if _full(connection, id, device):
                raise TooManyBallots(limit=MOST_BALLOTS)
            connection.execute(_CAST, fields)

    def ballot(self, id: str, device: str) -> Ballot | None:
        """What this device said; None when it has not."""
        sql = "SELECT ballot FROM ballots WHERE poll_id = ? AND device = ?"
        with self._db.reading() as connection:
            row = connection.execute(sql, (id, device)).fetchone()
            return records.from_json(row["ballot"], Ballot) if row is not None else None

    def tally(self, owner: str, id: str) -> Tally:
        """The ballots cast so far. Raises `NotThere`."""
        with self._db.reading() as connection:
            poll = _poll(connection, owner, id)
            return tally(ballot for _, ballot, _ in _ballots(connection, poll.id))

    def close(self, owner: str, id: str) -> Poll:
        """Takes no more ballots and makes a vote of each: both are kept, or neither. Nothing when it was closed.

        Raises `NotThere`.
        """
        with self._db.transaction() as connection:
            poll = _poll(connection, owner, id)
            if poll.open:
                rows.update(connection, "polls", id, {"closed_at": time.time()})
                for device, ballot, at in _ballots(connection, id):
                    votes.insert(connection, owner, to_vote(poll, device, ballot, at))
            return _poll(connection, owner, id)


class _Spec(msgspec.Struct, frozen=True):
    """What lies in the column `spec`."""

    closes_at: float
    code: str
    host: str
    paper: Paper


_SELECT = "SELECT id, owner, comparison_id, opened_at, closed_at, spec FROM polls"
_CAST = """
    INSERT INTO ballots (poll_id, device, at, ballot) VALUES (:poll, :device, :at, :ballot)
    ON CONFLICT (poll_id, device) DO UPDATE SET at = excluded.at, ballot = excluded.ballot
"""
_NO_PAPER = _Spec(0.0, "", "", Paper(a=Side(label=""), b=Side(label="")))


def _poll(connection: sqlite3.Connection, owner: str, id: str) -> Poll:
    row = connection.execute(f"{_SELECT} WHERE owner = ? AND id = ?", (owner, records.clean(id))).fetchone()
    if row is None:
        raise NotThere(what=N_("vote of the class"))
    return _read(row)


def _read(row: sqlite3.Row) -> Poll:
    fields: dict[str, Any] = dict(row)
    spec = records.from_json(fields.pop("spec"), _Spec)
    return Poll(**fields, **msgspec.structs.asdict(spec or _NO_PAPER))


def _ballots(connection: sqlite3.Connection, id: str) -> builtins.list[tuple[str, Ballot, float]]:
    """Each device with what it said and when, first to last."""
    found = connection.execute("SELECT device, ballot, at FROM ballots WHERE poll_id = ? ORDER BY at, device", (id,))
    read = [(str(row["device"]), records.from_json(row["ballot"], Ballot), float(row["at"])) for row in found]
    return [(device, ballot, at) for device, ballot, at in read if ballot is not None]


def _full(connection: sqlite3.Connection, id: str, device: str) -> bool:
    sql = "SELECT count(*) AS others FROM ballots WHERE poll_id = ? AND device <> ?"
    return int(connection.execute(sql, (id, device)).fetchone()["others"]) >= MOST_BALLOTS
