"""The list of an owner's conversations: pages of it, search, titles, pins, tags, deleting with a way back.

The panes of comparisons are conversations too, and in none of this.

Every method that takes an owner raises `NotThere` for what is another owner's, as for what does not exist or is
deleted. Every method raises `StoreUnavailable` when the database fails, and has then changed nothing.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from core.errors import N_, NotThere
from core.store import records, search
from core.store.database import Database

TitleBy = Literal["words", "model", "person"]
"""Whose words a title is: the first words of the first question, a model's, a person's."""

TAG_LENGTH = 40

_ENTRY = """
    conversations.id, title, created_at, updated_at, model_id, pinned,
    (SELECT json_group_array(tag) FROM tags WHERE tags.conversation_id = conversations.id) AS tags
"""
_LISTED = "owner = ? AND comparison_id IS NULL"
_BY_TIME = "conversations CROSS JOIN library ON conversation_id = conversations.id"
_PINNED = "library CROSS JOIN conversations ON conversations.id = conversation_id"


class LibraryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line in the list of conversations. `tags` in alphabetical order."""

    id: str
    title: str
    created_at: float
    updated_at: float
    model_id: str | None
    pinned: bool
    tags: tuple[str, ...]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation in which a text was found, and the best place: a message, or (`message_id` None) its title.

    parts: what stands around that place, in pieces (text, whether it is what was looked for).
    """

    conversation_id: str
    title: str
    message_id: str | None
    parts: search.Parts


class Library:
    """The lists of all owners in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(
        self,
        owner: str,
        *,
        limit: int = 100,
        before: LibraryEntry | None = None,
        tag: str | None = None,
        pinned_first: bool = True,
    ) -> Sequence[LibraryEntry]:
        """Pinned ones first, each part newest first by the last message added.

        before: the last one already shown, for those after it. tag: only those that have it.
        """
        if not pinned_first:
            with self._db.reading() as connection:
                return _page(connection, owner, _BY_TIME, limit=limit, before=before, tag=tag)
        found: list[LibraryEntry] = []
        with self._db.reading() as connection:
            if before is None or before.pinned:
                found += _page(connection, owner, _PINNED, limit=limit, before=before, tag=tag, pinned=True)
                before = None
            if len(found) < limit:
                left = limit - len(found)
                found += _page(connection, owner, _BY_TIME, limit=left, before=before, tag=tag, pinned=False)
        return found

    def search(self, owner: str, query: str, *, limit: int = 50) -> Sequence[Found]:
        """Conversations in which all words of the query stand together, in the title or in one message.

        Those with the words in their title come first; each part by bm25, newest first among equals. Any text is a
        query; an empty one finds nothing.
        """
        parsed = search.parse(query)
        if parsed is None or limit < 1:
            return []
        with self._db.reading() as connection:
            in_titles = sorted(search.titles(connection, owner, parsed), key=lambda hit: hit.score)
            best = {hit.conversation_id: hit for hit in in_titles[:limit]}
            for hit in sorted(search.messages(connection, owner, parsed), key=lambda hit: hit.score):
                known = best.get(hit.conversation_id)
                if known is None and len(best) == limit:
                    continue
                if known is None or known.message_id is None:
                    best[hit.conversation_id] = hit
            return [_found(connection, hit, parsed) for hit in best.values()]

    def count(self, owner: str) -> int:
        """How many conversations the owner has."""
        with self._db.reading() as connection:
            return int(_value(connection, f"SELECT count(*) FROM conversations WHERE {_LISTED}", owner))

    def rename(self, owner: str, id: str, title: str) -> None:
        """A person's title, which stays; with an empty one, the next question gives one."""
        title = records.title_of(title)
        with self._db.transaction() as connection:
            _require(connection, owner, id)
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, id))
            _set(connection, id, "title_by", "person" if title else "words")

    def set_model_title(self, owner: str, id: str, title: str) -> bool:
        """A model's title, where the title is still the first words. Whether it was taken.

        Called with the title as it is, it says that a model has tried: the conversation is no longer `untitled`.
        """
        title = records.title_of(title)
        with self._db.transaction() as connection:
            _require(connection, owner, id)
            by = _value(connection, "SELECT title_by FROM library WHERE conversation_id = ?", id)
            if by != "words" or not title:
                return False
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, id))
            _set(connection, id, "title_by", "model")
            return True

    def untitled(self, owner: str, limit: int = 20) -> Sequence[LibraryEntry]:
        """Those a model may give a title: still their first words, and with a whole answer; newest first."""
        answered = """AND title_by = 'words' AND EXISTS (SELECT 1 FROM messages
            WHERE messages.conversation_id = conversations.id AND role = 'assistant' AND status = 'complete')"""
        with self._db.reading() as connection:
            return _page(connection, owner, _BY_TIME, limit=limit, more=answered)

    def pin(self, owner: str, id: str, pinned: bool) -> None:
        """Put it first in the list, or back to its place."""
        with self._db.transaction() as connection:
            _require(connection, owner, id)
            _set(connection, id, "pinned", int(pinned))

    def tag(self, owner: str, id: str, tag: str) -> None:
        """Give it a tag, at most 40 characters in one line; an empty one is none."""
        with self._db.transaction() as connection:
            _require(connection, owner, id)
            add_tags(connection, id, [tag])

    def untag(self, owner: str, id: str, tag: str) -> None:
        """Take a tag away; one it does not have is no error."""
        with self._db.transaction() as connection:
            _require(connection, owner, id)
            connection.execute("DELETE FROM tags WHERE conversation_id = ? AND tag = ?", (id, _tag(tag)))

    def tags(self, owner: str) -> dict[str, int]:
        """The owner's tags in alphabetical order, each with how many conversations have it."""
        sql = """SELECT tag, count(*) FROM tags CROSS JOIN conversations ON conversations.id = conversation_id
            WHERE owner = ? GROUP BY tag ORDER BY tag"""
        with self._db.reading() as connection:
            return dict(connection.execute(sql, (owner,)).fetchall())

    def delete(self, owner: str, id: str) -> None:
        """Take it out of lists and search at once; `restore` brings it back until it is purged."""
        self.delete_many(owner, [id])

    def delete_many(self, owner: str, ids: Iterable[str]) -> None:
        """Delete all of them, or, when one is not there, none."""
        with self._db.transaction() as connection:
            for id in ids:
                _require(connection, owner, id)
                hide(connection, owner, id)

    def restore(self, owner: str, id: str) -> None:
        """Bring back what was deleted, as it was."""
        with self._db.transaction() as connection:
            show(connection, owner, [id])

    def purge(self, older_than_s: float = 24 * 3600.0) -> int:
        """At start-up: really delete, with all messages, what was deleted so many seconds ago. How many there were."""
        before = time.time() - older_than_s
        sql = """DELETE FROM conversations WHERE owner = '' AND id IN
            (SELECT conversation_id FROM library WHERE deleted_at IS NOT NULL AND deleted_at <= ?)"""
        with self._db.transaction() as connection:
            return connection.execute(sql, (before,)).rowcount


# Within a transaction of the caller's.


def hide(connection: sqlite3.Connection, owner: str, id: str) -> None:
    """Leave a conversation without an owner: no query finds it."""
    connection.execute("UPDATE conversations SET owner = '' WHERE id = ?", (id,))
    connection.execute(
        "UPDATE library SET deleted_at = ?, deleted_from = ? WHERE conversation_id = ?", (time.time(), owner, id)
    )


def show(connection: sqlite3.Connection, owner: str, ids: Iterable[str]) -> None:
    """Give hidden conversations back to their owner. Raises `NotThere` for what is not hidden, or another's."""
    sql = "UPDATE library SET deleted_at = NULL, deleted_from = NULL WHERE conversation_id = ? AND deleted_from = ?"
    for id in ids:
        if not connection.execute(sql, (records.clean(id), owner)).rowcount:
            raise NotThere(what=N_("conversation"))
        connection.execute("UPDATE conversations SET owner = ? WHERE id = ?", (owner, id))


def add_tags(connection: sqlite3.Connection, id: str, tags: Iterable[str]) -> None:
    """Give a conversation these tags; it must be there."""
    rows = [(id, _tag(tag)) for tag in tags if _tag(tag)]
    connection.executemany("INSERT OR IGNORE INTO tags (conversation_id, tag) VALUES (?, ?)", rows)


def _page(
    connection: sqlite3.Connection,
    owner: str,
    source: str,
    *,
    limit: int,
    before: LibraryEntry | None = None,
    tag: str | None = None,
    pinned: bool | None = None,
    more: str = "",
) -> list[LibraryEntry]:
    values: dict[str, Any] = {"owner": owner, "limit": limit}
    where = "owner = :owner AND comparison_id IS NULL"
    if pinned is not None:
        where += " AND pinned" if pinned else " AND NOT pinned"
    if tag is not None:
        where += " AND conversations.id IN (SELECT conversation_id FROM tags WHERE tag = :tag)"
        values["tag"] = _tag(tag)
    if before is not None:
        where += " AND (updated_at, conversations.id) < (:updated_at, :id)"
        values |= {"updated_at": before.updated_at, "id": before.id}
    sql = f"""SELECT {_ENTRY} FROM {source} WHERE {where} {more}
        ORDER BY updated_at DESC, conversations.id DESC LIMIT :limit"""
    return [_entry(row) for row in connection.execute(sql, values)]


def _entry(row: sqlite3.Row) -> LibraryEntry:
    tags = tuple(sorted(json.loads(row["tags"])))
    return LibraryEntry(**{**dict(row), "pinned": bool(row["pinned"]), "tags": tags})


def _found(connection: sqlite3.Connection, hit: search.Hit, query: search.Query) -> Found:
    title = _value(connection, "SELECT title FROM conversations WHERE id = ?", hit.conversation_id)
    text = title
    if hit.message_id is not None:
        text = _value(connection, "SELECT content FROM messages WHERE id = ?", hit.message_id)
    return Found(
        conversation_id=hit.conversation_id,
        title=title,
        message_id=hit.message_id,
        parts=search.excerpt(text, query),
    )


def _require(connection: sqlite3.Connection, owner: str, id: str) -> None:
    sql = f"SELECT 1 FROM conversations WHERE {_LISTED} AND id = ?"
    if not owner or connection.execute(sql, (owner, records.clean(id))).fetchone() is None:
        raise NotThere(what=N_("conversation"))


def _set(connection: sqlite3.Connection, id: str, column: str, value: str | int) -> None:
    connection.execute(f"UPDATE library SET {column} = ? WHERE conversation_id = ?", (value, id))


def _value(connection: sqlite3.Connection, sql: str, *values: Any) -> Any:
    return connection.execute(sql, values).fetchone()[0]


def _tag(tag: str) -> str:
    return search.one_line(records.clean(tag))[:TAG_LENGTH].rstrip()
