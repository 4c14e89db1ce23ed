"""Branches of a conversation's tree: taking one out, and putting it back as it was."""

from __future__ import annotations

import sqlite3

from core.errors import AnswerRunning
from core.store import records, rows
from core.store.records import Branch, StoredMessage


def take_out(connection: sqlite3.Connection, owner: str, message_id: str) -> Branch:
    """Deletes a message and all below it. Raises `AnswerRunning` while an answer in it is still being written."""
    top = rows.message(connection, owner, message_id)
    selected = rows.conversation(connection, owner, top.conversation_id).leaf_id
    taken = rows.all_below(connection, top)
    if any(row["status"] == "streaming" for row in taken):
        raise AnswerRunning()
    ids = [row["id"] for row in taken]
    neighbour = _neighbour(connection, top)
    connection.execute("DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))", (records.to_json(ids),))
    if selected in ids:
        leaf = rows.newest_below(connection, neighbour, top.conversation_id) if neighbour else top.parent_id
        rows.update(connection, "conversations", top.conversation_id, {"leaf_id": leaf})
    return Branch(conversation_id=top.conversation_id, leaf_id=selected, rows=tuple(taken))


def put_back(connection: sqlite3.Connection, owner: str, branch: Branch) -> None:
    """Inserts a branch again, and selects the path that was selected when it led through it.

    Nothing when it is there already. Raises `NotThere` when what it hung on has gone.
    """
    conversation = rows.conversation(connection, owner, branch.conversation_id)
    top = branch.rows[0]
    if connection.execute("SELECT 1 FROM messages WHERE id = ?", (top["id"],)).fetchone():
        return
    if top["parent_id"] is not None:
        rows.message_in(connection, conversation, top["parent_id"])
    numbers = records.to_json([row["number"] for row in branch.rows])
    taken = "SELECT 1 FROM messages WHERE number IN (SELECT value FROM json_each(?))"
    # A number that another message has got meanwhile is not taken from it: the branch is then the newest.
    renumber = {"number": None} if connection.execute(taken, (numbers,)).fetchone() else {}
    for row in branch.rows:
        rows.insert(connection, "messages", {**row, **renumber})
    if branch.leaf_id in {row["id"] for row in branch.rows}:
        rows.update(connection, "conversations", conversation.id, {"leaf_id": branch.leaf_id})


def _neighbour(connection: sqlite3.Connection, message: StoredMessage) -> str | None:
    """The variant before this one, else the one after it."""
    found = connection.execute(
        "SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY number",
        (message.conversation_id, message.parent_id),
    )
    ids = [row["id"] for row in found]
    at = ids.index(message.id)
    return ids[at - 1] if at else next(iter(ids[1:]), None)
