"""What answers from documents were given: kept beside their messages, and gone with them.

Owners are checked by the message's conversation; `NotThere` for another owner's as for what does not exist.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from core.errors import N_, NotThere
from core.rag.grounding import Grounding
from core.store import records, rows
from core.store.database import Database


class Groundings:
    """Of all answers in one database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, owner: str, message_id: str, grounding: Grounding) -> None:
        """Keeps it, in place of what was there."""
        sql = "INSERT OR REPLACE INTO groundings (message_id, collection_id, grounding) VALUES (?, ?, ?)"
        with self._db.transaction() as connection:
            rows.message(connection, owner, message_id)
            connection.execute(sql, (message_id, grounding.collection_id, records.to_json(grounding)))

    def get(self, owner: str, message_id: str) -> Grounding:
        """Of this answer."""
        with self._db.reading() as connection:
            rows.message(connection, owner, message_id)
            row = connection.execute("SELECT grounding FROM groundings WHERE message_id = ?", (message_id,)).fetchone()
        found = _grounding(row)
        if found is None:
            raise NotThere(what=N_("passages"))
        return found

    def some(self, owner: str, message_ids: Sequence[str]) -> dict[str, Grounding]:
        """Of those of these answers that have one."""
        found: dict[str, Grounding] = {}
        sql = """
            SELECT grounding FROM groundings JOIN messages ON messages.id = message_id
            JOIN conversations ON conversations.id = conversation_id WHERE message_id = ? AND owner = ?
        """
        with self._db.reading() as connection:
            for id in message_ids:
                grounding = _grounding(connection.execute(sql, (records.clean(id), owner)).fetchone())
                if grounding is not None:
                    found[id] = grounding
        return found

    def conversations(self, owner: str, *, limit: int = 30) -> list[tuple[str, str, str]]:
        """The newest conversations with documents: id, title, the collection that was last asked."""
        sql = """
            SELECT conversations.id, title, collection_id, MAX(messages.number) FROM groundings
            JOIN messages ON messages.id = message_id JOIN conversations ON conversations.id = conversation_id
            WHERE owner = ? AND comparison_id IS NULL
            GROUP BY conversations.id ORDER BY conversations.updated_at DESC LIMIT ?
        """
        with self._db.reading() as connection:
            found = connection.execute(sql, (owner, limit)).fetchall()
        return [(row["id"], row["title"], row["collection_id"]) for row in found]


def _grounding(row: sqlite3.Row | None) -> Grounding | None:
    return records.from_json(row["grounding"], Grounding) if row is not None else None
