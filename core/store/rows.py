"""Single rows of `conversations` and `messages`, read and written within a transaction, each checked for its owner.

Every function that is told an owner raises `NotThere` for what is another owner's, as for what does not exist.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from core.attachments import Attachment
from core.errors import N_, NotThere
from core.store import records
from core.store.records import Conversation, StoredMessage

_BELOW = """
    WITH RECURSIVE below (number, id) AS (
        SELECT number, id FROM messages WHERE id = :top
        UNION ALL
        SELECT down.number, down.id FROM below CROSS JOIN messages AS down
            ON down.conversation_id = :conversation AND down.parent_id = below.id
    )
"""
_NEWEST_BELOW = f"{_BELOW} SELECT id FROM below ORDER BY number DESC LIMIT 1"
_ALL_BELOW = f"{_BELOW} SELECT messages.* FROM below CROSS JOIN messages USING (number) ORDER BY number"


def new_id() -> str:
    """An id nobody can guess, of letters and digits alone: it stands in addresses, file names and widgets' keys."""
    return secrets.token_hex(16)


def conversation(connection: sqlite3.Connection, owner: str, id: str) -> Conversation:
    """The conversation by this id."""
    row = connection.execute(
        "SELECT * FROM conversations WHERE id = ? AND owner = ?", (records.clean(id), owner)
    ).fetchone()
    if row is None:
        raise NotThere(what=N_("conversation"))
    return records.conversation(row)


def message(connection: sqlite3.Connection, owner: str, message_id: str) -> StoredMessage:
    """The message by this id, wherever in a tree."""
    row = connection.execute(
        "SELECT messages.* FROM messages JOIN conversations ON conversations.id = conversation_id "
        "WHERE messages.id = ? AND owner = ?",
        (records.clean(message_id), owner),
    ).fetchone()
    if row is None:
        raise NotThere(what=N_("message"))
    return records.message(row)


def message_in(connection: sqlite3.Connection, conversation: Conversation, message_id: str) -> StoredMessage:
    """The message, which must be in this conversation."""
    found = message(connection, conversation.owner, message_id)
    if found.conversation_id != conversation.id:
        raise NotThere(what=N_("message"))
    return found


def all_below(connection: sqlite3.Connection, top: StoredMessage) -> list[dict[str, Any]]:
    """The rows of a message and of all below it, oldest first."""
    values = {"top": top.id, "conversation": top.conversation_id}
    return [dict(row) for row in connection.execute(_ALL_BELOW, values)]


def newest_below(connection: sqlite3.Connection, top_id: str, conversation_id: str) -> str:
    """The id of the newest message among this one and those below it."""
    row = connection.execute(_NEWEST_BELOW, {"top": top_id, "conversation": conversation_id}).fetchone()
    return str(row["id"])


def add_conversation(
    connection: sqlite3.Connection,
    owner: str,
    *,
    model_id: str | None,
    system_prompt: str,
    settings: Mapping[str, Any],
    comparison_id: str | None = None,
    pane: int | None = None,
) -> Conversation:
    """A new conversation, empty and without a title; in a comparison, its pane of that number."""
    id, now = new_id(), time.time()
    fields = {
        "id": id,
        "owner": owner,
        "title": "",
        "created_at": now,
        "updated_at": now,
        "model_id": model_id and records.clean(model_id),
        "system_prompt": records.clean(system_prompt),
        "settings": records.to_json(settings),
        "comparison_id": comparison_id,
        "pane": pane,
    }
    insert(connection, "conversations", fields)
    return conversation(connection, owner, id)


def add_question(
    connection: sqlite3.Connection,
    conversation: Conversation,
    content: str,
    *,
    parent_id: str | None,
    attachments: Sequence[Attachment] = (),
) -> StoredMessage:
    """A person's message, selected. A conversation without a title gets its first words, or those of a file's name."""
    fields = {
        "parent_id": parent_id,
        "role": "user",
        "status": "complete",
        "content": records.clean(content),
        "attachments": records.to_json(list(attachments)) if attachments else None,
    }
    question = add(connection, conversation, fields)
    if not conversation.title:
        title = records.title_of(content) or records.title_of(attachments[0].name if attachments else "")
        update(connection, "conversations", conversation.id, {"title": title})
    return question


def add(connection: sqlite3.Connection, conversation: Conversation, fields: Mapping[str, Any]) -> StoredMessage:
    """A new message, below one of the same conversation, made the leaf."""
    id, now, parent_id = new_id(), time.time(), fields["parent_id"]
    if parent_id is not None:
        message_in(connection, conversation, parent_id)
    insert(connection, "messages", {**fields, "id": id, "conversation_id": conversation.id, "created_at": now})
    update(connection, "conversations", conversation.id, {"leaf_id": id, "updated_at": now})
    return message(connection, conversation.owner, id)


def insert(connection: sqlite3.Connection, table: str, fields: Mapping[str, Any]) -> None:
    """One row."""
    columns, marks = ", ".join(fields), ", ".join(f":{name}" for name in fields)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", fields)


def update(connection: sqlite3.Connection, table: str, id: str, changes: Mapping[str, Any]) -> int:
    """How many rows had this id, none or one."""
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    return connection.execute(f"UPDATE {table} SET {assignments} WHERE id = :id", {**changes, "id": id}).rowcount
