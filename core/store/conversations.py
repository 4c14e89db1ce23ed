"""Conversations and their messages.

A conversation is a tree of messages: asking again or editing adds a sibling, and the path from the root to
`Conversation.leaf_id` is what a person sees. Every method that takes an owner raises `NotThere` for what is another
owner's, as for what does not exist. The methods of a running answer take none: they are told a message's id, which
cannot be guessed and which `begin_answer` gave after checking.

Every method raises `StoreUnavailable` when the database fails, and has then changed nothing.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from core.errors import N_, NotThere, WorkbenchError
from core.events import Finished, Trimmed
from core.messages import ChatRequest
from core.store import records
from core.store.database import Database
from core.store.records import Conversation, ConversationSummary, StoredMessage

_PATH = """
    WITH RECURSIVE path (number, parent_id, depth) AS (
        SELECT number, parent_id, 0 FROM messages WHERE id = :leaf
        UNION ALL
        SELECT up.number, up.parent_id, depth + 1 FROM path CROSS JOIN messages AS up ON up.id = path.parent_id
        LIMIT :last
    )
    SELECT messages.* FROM path CROSS JOIN messages USING (number) ORDER BY depth DESC
"""
_NEWEST_BELOW = """
    WITH RECURSIVE below (number, id) AS (
        SELECT number, id FROM messages WHERE id = :top
        UNION ALL
        SELECT down.number, down.id FROM below CROSS JOIN messages AS down
            ON down.conversation_id = :conversation AND down.parent_id = below.id
    )
    SELECT id FROM below ORDER BY number DESC LIMIT 1
"""


class Conversations:
    """The conversations of all owners in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self,
        owner: str,
        *,
        model_id: str | None = None,
        system_prompt: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> Conversation:
        """A new conversation, empty and without a title."""
        now = time.time()
        fields = {
            "id": secrets.token_urlsafe(16),
            "owner": owner,
            "title": "",
            "created_at": now,
            "updated_at": now,
            "model_id": model_id and records.clean(model_id),
            "system_prompt": records.clean(system_prompt),
            "settings": records.to_json(settings or {}),
        }
        with self._db.transaction() as connection:
            _insert(connection, "conversations", fields)
            return _conversation(connection, owner, str(fields["id"]))

    def get(self, owner: str, id: str) -> Conversation:
        """The conversation, without its messages."""
        with self._db.reading() as connection:
            return _conversation(connection, owner, id)

    def list(
        self, owner: str, *, limit: int = 100, before: ConversationSummary | None = None
    ) -> Sequence[ConversationSummary]:
        """Newest first, by the last message added. `before`: the last one already shown, for those after it."""
        sql = "SELECT id, title, created_at, updated_at, model_id FROM conversations WHERE owner = ?"
        values: tuple[Any, ...] = (owner,)
        if before is not None:
            sql += " AND (updated_at, id) < (?, ?)"
            values += (before.updated_at, before.id)
        sql += " ORDER BY updated_at DESC, id DESC LIMIT ?"
        with self._db.reading() as connection:
            return [ConversationSummary(**dict(row)) for row in connection.execute(sql, (*values, limit))]

    def update(
        self,
        owner: str,
        id: str,
        *,
        title: str | UnsetType = UNSET,
        model_id: str | UnsetType | None = UNSET,
        system_prompt: str | UnsetType = UNSET,
        settings: Mapping[str, Any] | UnsetType = UNSET,
    ) -> None:
        """Change what is given; the place in the list stays. With an empty title, the next question gives one."""
        texts = {"title": title, "model_id": model_id, "system_prompt": system_prompt}
        changes = {name: value and records.clean(value) for name, value in texts.items() if value is not UNSET}
        if settings is not UNSET:
            changes["settings"] = records.to_json(settings)
        with self._db.transaction() as connection:
            _conversation(connection, owner, id)
            if changes:
                _update(connection, "conversations", id, changes)

    def delete(self, owner: str, id: str) -> None:
        """Delete it with all its messages."""
        with self._db.transaction() as connection:
            _conversation(connection, owner, id)
            connection.execute("DELETE FROM conversations WHERE id = ?", (id,))

    def messages(self, owner: str, id: str, *, last: int | None = None) -> Sequence[StoredMessage]:
        """The selected path, root first. `last`: only its newest n, read without touching the others."""
        with self._db.reading() as connection:
            leaf = _conversation(connection, owner, id).leaf_id
            rows = connection.execute(_PATH, {"leaf": leaf, "last": -1 if last is None else last})
            return [records.message(row) for row in rows]

    def message(self, owner: str, message_id: str) -> StoredMessage:
        """One message, wherever in the tree."""
        with self._db.reading() as connection:
            return _message(connection, owner, message_id)

    def path_to(self, owner: str, message_id: str) -> Sequence[StoredMessage]:
        """The messages from the root to this one, wherever in the tree it is."""
        with self._db.reading() as connection:
            leaf = _message(connection, owner, message_id).id
            return [records.message(row) for row in connection.execute(_PATH, {"leaf": leaf, "last": -1})]

    def siblings(self, owner: str, message_id: str) -> Sequence[str]:
        """Ids of the variants that this message is one of, itself included, oldest first."""
        with self._db.reading() as connection:
            message = _message(connection, owner, message_id)
            rows = connection.execute(
                "SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY number",
                (message.conversation_id, message.parent_id),
            )
            return [row["id"] for row in rows]

    def select(self, owner: str, message_id: str) -> None:
        """Choose this variant: the path leads through it to the newest message below it."""
        with self._db.transaction() as connection:
            id = _message(connection, owner, message_id).conversation_id
            leaf = connection.execute(_NEWEST_BELOW, {"top": message_id, "conversation": id}).fetchone()["id"]
            _update(connection, "conversations", id, {"leaf_id": leaf})

    def add_question(self, owner: str, id: str, content: str, *, parent_id: str | None) -> StoredMessage:
        """A person's message below `parent_id` (None: a first question), selected.

        A conversation without a title gets its first words.
        """
        with self._db.transaction() as connection:
            conversation = _conversation(connection, owner, id)
            fields = {"parent_id": parent_id, "role": "user", "status": "complete", "content": records.clean(content)}
            question = _add(connection, conversation, fields)
            if not conversation.title:
                _update(connection, "conversations", id, {"title": records.title_of(content)})
            return question

    def begin_answer(
        self,
        owner: str,
        id: str,
        *,
        parent_id: str | None,
        model_id: str,
        model_name: str,
        request: ChatRequest,
        answer_id: str | None = None,
        continue_from: StoredMessage | None = None,
    ) -> StoredMessage:
        """An answer that is about to come, selected, with status `streaming`.

        continue_from: an answer to go on writing; its row is used again and keeps its text, `parent_id` is not looked
        at. One that is still streaming is `NotThere`.
        Of the request's messages only system prompts are kept: the others are the path up to here.
        """
        system = tuple(message for message in request.messages if message.role == "system")
        fields = {
            "role": "assistant",
            "status": "streaming",
            "model_id": records.clean(model_id),
            "model_name": records.clean(model_name),
            "answer_id": answer_id,
            "request": records.to_json(msgspec.structs.replace(request, messages=system)),
        }
        with self._db.transaction() as connection:
            conversation = _conversation(connection, owner, id)
            if continue_from is None:
                return _add(connection, conversation, {"parent_id": parent_id, **fields})
            return _reopen(connection, conversation, continue_from.id, fields)

    # What a running answer calls.

    def attach(self, message_id: str, answer_id: str) -> None:
        """Name the running answer, where its id was not known to `begin_answer`."""
        self._set(message_id, {"answer_id": answer_id})

    def append(self, message_id: str, text: str, *, reasoning: bool = False) -> None:
        """Add a piece to the answer, or to its reasoning."""
        column = "reasoning" if reasoning else "content"
        sql = f"UPDATE messages SET {column} = {column} || ? WHERE id = ?"
        with self._db.transaction() as connection:
            if not connection.execute(sql, (records.clean(text), message_id)).rowcount:
                raise NotThere(what=N_("message"))

    def set_trimmed(self, message_id: str, trimmed: Trimmed) -> None:
        """Note how much of the conversation the model was not shown."""
        self._set(message_id, {"trimmed": records.to_json(trimmed)})

    def finish(self, message_id: str, finished: Finished, *, status: Literal["complete", "cut"]) -> None:
        """The answer has ended, with these figures."""
        self._set(message_id, {"status": status, "finished": records.to_json(finished)})

    def fail(self, message_id: str, error: WorkbenchError) -> None:
        """The answer has ended in an error; what had come stays."""
        self._set(message_id, {"status": "failed", "error": records.to_json(error.to_dict())})

    def recover(self) -> int:
        """At start-up: mark as cut, text kept, what a killed process left streaming. How many there were."""
        with self._db.transaction() as connection:
            return connection.execute("UPDATE messages SET status = 'cut' WHERE status = 'streaming'").rowcount

    def _set(self, message_id: str, changes: Mapping[str, Any]) -> None:
        with self._db.transaction() as connection:
            if not _update(connection, "messages", message_id, changes):
                raise NotThere(what=N_("message"))


def _conversation(connection: sqlite3.Connection, owner: str, id: str) -> Conversation:
    row = connection.execute(
        "SELECT * FROM conversations WHERE id = ? AND owner = ?", (records.clean(id), owner)
    ).fetchone()
    if row is None:
        raise NotThere(what=N_("conversation"))
    return records.conversation(row)


def _message(connection: sqlite3.Connection, owner: str, message_id: str) -> StoredMessage:
    row = connection.execute(
        "SELECT messages.* FROM messages JOIN conversations ON conversations.id = conversation_id "
        "WHERE messages.id = ? AND owner = ?",
        (records.clean(message_id), owner),
    ).fetchone()
    if row is None:
        raise NotThere(what=N_("message"))
    return records.message(row)


def _add(connection: sqlite3.Connection, conversation: Conversation, fields: Mapping[str, Any]) -> StoredMessage:
    """A new message, below one of the same conversation, made the leaf."""
    id, now, parent_id = secrets.token_urlsafe(16), time.time(), fields["parent_id"]
    if parent_id is not None:
        _require_in(connection, conversation, parent_id)
    _insert(connection, "messages", {**fields, "id": id, "conversation_id": conversation.id, "created_at": now})
    _update(connection, "conversations", conversation.id, {"leaf_id": id, "updated_at": now})
    return _message(connection, conversation.owner, id)


def _reopen(
    connection: sqlite3.Connection, conversation: Conversation, message_id: str, fields: Mapping[str, Any]
) -> StoredMessage:
    answer = _require_in(connection, conversation, message_id)
    if answer.role != "assistant" or answer.status == "streaming":
        raise NotThere(what=N_("answer to continue"))
    _update(connection, "messages", message_id, {**fields, "finished": None, "error": None, "trimmed": None})
    _update(connection, "conversations", conversation.id, {"leaf_id": message_id, "updated_at": time.time()})
    return _message(connection, conversation.owner, message_id)


def _require_in(connection: sqlite3.Connection, conversation: Conversation, message_id: str) -> StoredMessage:
    message = _message(connection, conversation.owner, message_id)
    if message.conversation_id != conversation.id:
        raise NotThere(what=N_("message"))
    return message


def _insert(connection: sqlite3.Connection, table: str, fields: Mapping[str, Any]) -> None:
    columns, marks = ", ".join(fields), ", ".join(f":{name}" for name in fields)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", fields)


def _update(connection: sqlite3.Connection, table: str, id: str, changes: Mapping[str, Any]) -> int:
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    return connection.execute(f"UPDATE {table} SET {assignments} WHERE id = :id", {**changes, "id": id}).rowcount
