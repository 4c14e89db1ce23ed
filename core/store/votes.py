"""Votes between two answers, whole and each once: one with an id that is there already is not kept again.

Every read and write has an owner. Every method raises `StoreUnavailable` when the database fails, and has then changed
nothing.
"""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Iterable

import msgspec

from core.arena.votes import Vote
from core.errors import N_, NotThere
from core.store import records
from core.store.database import Database

_INSERT = "INSERT OR IGNORE INTO votes (owner, id, at, vote) VALUES (?, ?, ?, ?)"
# Sorted without the votes themselves, which SQLite would write to a temporary file for it: a third of the time.
_NEWEST = """
    SELECT number, votes.at AS at, vote
    FROM (SELECT number FROM votes WHERE owner = ? ORDER BY at DESC, number DESC LIMIT ?)
    CROSS JOIN votes USING (number)
"""
_decoder = msgspec.json.Decoder(Vote)


class Votes:
    """The votes of all owners in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, owner: str, vote: Vote) -> bool:
        """Keeps a vote. False where one with its id is there already, which stays as it is."""
        with self._db.transaction() as connection:
            return insert(connection, owner, vote)

    def replace(self, owner: str, vote: Vote) -> None:
        """Keeps this in place of the vote with its id: reasons and a comment come later. Raises `NotThere`."""
        sql = "UPDATE votes SET at = ?, vote = ? WHERE owner = ? AND id = ?"
        _, id, at, text = _row(owner, vote)
        with self._db.transaction() as connection:
            if not connection.execute(sql, (at, text, owner, id)).rowcount:
                raise NotThere(what=N_("vote"))

    def get(self, owner: str, id: str) -> Vote:
        """The vote by this id. Raises `NotThere`, also for one that this version cannot read."""
        sql = "SELECT vote FROM votes WHERE owner = ? AND id = ?"
        with self._db.reading() as connection:
            row = connection.execute(sql, (owner, records.clean(id))).fetchone()
        if row is None or (vote := _vote(row["vote"])) is None:
            raise NotThere(what=N_("vote"))
        return vote

    def list(self, owner: str, *, limit: int | None = None) -> builtins.list[Vote]:
        """Newest first. What another version has written and this one cannot read is left out."""
        with self._db.reading() as connection:
            found = connection.execute(_NEWEST, (owner, -1 if limit is None else limit)).fetchall()
        found.sort(key=lambda row: (row["at"], row["number"]), reverse=True)
        return [vote for row in found if (vote := _vote(row["vote"])) is not None]

    def count(self, owner: str) -> int:
        """How many there are."""
        with self._db.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM votes WHERE owner = ?", (owner,)).fetchone()[0])

    def merge(self, owner: str, votes: Iterable[Vote]) -> int:
        """Adds those that are not there yet, all or none; how many they were."""
        rows = [_row(owner, vote) for vote in votes]
        with self._db.transaction() as connection:
            return connection.executemany(_INSERT, rows).rowcount if rows else 0

    def delete(self, owner: str, id: str) -> None:
        """Takes a vote back. Raises `NotThere`."""
        with self._db.transaction() as connection:
            sql = "DELETE FROM votes WHERE owner = ? AND id = ?"
            if not connection.execute(sql, (owner, records.clean(id))).rowcount:
                raise NotThere(what=N_("vote"))


def insert(connection: sqlite3.Connection, owner: str, vote: Vote) -> bool:
    """Keeps a vote within a transaction of the caller's. False where one with its id is there already."""
    return connection.execute(_INSERT, _row(owner, vote)).rowcount > 0


def _row(owner: str, vote: Vote) -> tuple[str, str, float, str]:
    return owner, records.clean(vote.id), vote.at, _text(vote)


def _text(vote: Vote) -> str:
    try:
        return msgspec.json.encode(vote).decode()
    except UnicodeEncodeError:  # a lone surrogate, which is no character
        return records.to_json(vote)


def _vote(text: str) -> Vote | None:
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        return None
