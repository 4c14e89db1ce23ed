"""Whole conversations, read and written as one value: for export, and for what comes from elsewhere with its own times.

Every method that takes an owner raises `NotThere` for what is another owner's, as for what does not exist.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from core.errors import StoreUnavailable
from core.store import library, records, rows
from core.store.database import Database
from core.store.library import TitleBy
from core.store.records import StoredMessage


class WholeConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with its whole tree: `messages` with parents before children, in the order they were made.

    Message ids mean something within it only; `leaf_id` is one of them, or None. Times are seconds since 1970, UTC.
    """

    title: str
    created_at: float
    updated_at: float
    title_by: TitleBy = "words"
    model_id: str | None = None
    system_prompt: str = ""
    settings: dict[str, Any] = {}
    pinned: bool = False
    tags: tuple[str, ...] = ()
    leaf_id: str | None = None
    messages: tuple[StoredMessage, ...] = ()


class Restoring:
    """Reads and writes whole conversations in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def read(self, owner: str, id: str) -> WholeConversation:
        """A conversation with all its branches."""
        sql = "SELECT * FROM messages WHERE conversation_id = ? ORDER BY number"
        with self._db.reading() as connection:
            kept = rows.conversation(connection, owner, id)
            entry = connection.execute("SELECT * FROM library WHERE conversation_id = ?", (id,)).fetchone()
            tags = connection.execute("SELECT tag FROM tags WHERE conversation_id = ? ORDER BY tag", (id,)).fetchall()
            messages = tuple(records.message(row) for row in connection.execute(sql, (id,)))
        return WholeConversation(
            title=kept.title,
            created_at=kept.created_at,
            updated_at=kept.updated_at,
            title_by=entry["title_by"],
            model_id=kept.model_id,
            system_prompt=kept.system_prompt,
            settings=kept.settings,
            pinned=bool(entry["pinned"]),
            tags=tuple(row["tag"] for row in tags),
            leaf_id=kept.leaf_id,
            messages=messages,
        )

    @contextlib.contextmanager
    def writing(self, owner: str) -> Iterator[Writing]:
        """What is added in the block is the owner's when it ends; when it raises, nothing of it is kept.

        Each conversation is a transaction of its own, and hidden until the end: a large file does not keep a running
        answer from being written. What a killed process leaves hidden is purged with what was deleted.
        """
        writing = Writing(self._db, owner)
        try:
            yield writing
            with self._db.transaction() as connection:
                library.show(connection, owner, writing.ids)
        except BaseException:
            with contextlib.suppress(StoreUnavailable):
                writing.undo()
            raise


class Writing:
    """Conversations being added for one owner. `ids`: those added so far, under their new ids."""

    def __init__(self, db: Database, owner: str) -> None:
        self._db = db
        self._owner = owner
        self.ids: list[str] = []

    def add(self, whole: WholeConversation) -> str:
        """Add one, with new ids; an answer that was still coming where it was read is cut. Returns its id."""
        id = rows.new_id()
        new_ids = {message.id: rows.new_id() for message in whole.messages}
        fields = {
            "id": id,
            "owner": self._owner,
            "title": records.clean(whole.title),
            "created_at": whole.created_at,
            "updated_at": whole.updated_at,
            "model_id": whole.model_id and records.clean(whole.model_id),
            "leaf_id": new_ids.get(whole.leaf_id or ""),
            "settings": records.to_json(whole.settings),
            "system_prompt": records.clean(whole.system_prompt),
        }
        with self._db.transaction() as connection:
            rows.insert(connection, "conversations", fields)
            sql = "UPDATE library SET pinned = ?, title_by = ? WHERE conversation_id = ?"
            connection.execute(sql, (whole.pinned, whole.title_by, id))
            library.add_tags(connection, id, whole.tags)
            add_messages(connection, id, whole.messages, new_ids)
            library.hide(connection, self._owner, id)
        self.ids.append(id)
        return id

    def undo(self) -> None:
        """Delete what was added."""
        with self._db.transaction() as connection:
            connection.executemany("DELETE FROM conversations WHERE id = ? AND owner = ''", [(id,) for id in self.ids])


def add_messages(
    connection: sqlite3.Connection, id: str, messages: Sequence[StoredMessage], new_ids: Mapping[str, str]
) -> None:
    """Adds these to a conversation under their new ids; one that was still coming is cut."""
    columns = StoredMessage.__struct_fields__
    sql = f"INSERT INTO messages ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    made = (
        msgspec.structs.replace(
            message,
            id=new_ids[message.id],
            conversation_id=id,
            parent_id=new_ids.get(message.parent_id or ""),
            answer_id=None,
            status="cut" if message.status == "streaming" else message.status,
        )
        for message in messages
    )
    connection.executemany(sql, ([_column(getattr(message, name)) for name in columns] for message in made))


def _column(value: Any) -> str | float | None:
    if isinstance(value, str):
        return records.clean(value)
    if value is None or isinstance(value, int | float):
        return value
    return records.to_json(value) if value != () else None
