"""Conversations and their messages.

A conversation is a tree of messages: asking again or editing adds a sibling, and the path from the root to
`Conversation.leaf_id` is what a person sees. Every method that takes an owner raises `NotThere` for what is another
owner's, as for what does not exist. The methods of a running answer take none: they are told a message's id, which
cannot be guessed and which `begin_answer` gave after checking.

Every method raises `StoreUnavailable` when the database fails, and has then changed nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from core.attachments import Attachment
from core.errors import N_, AnswerRunning, NotThere, WorkbenchError
from core.events import Finished, Routed, ToolCall, Trimmed
from core.messages import ChatRequest
from core.store import branches, records, rows
from core.store.database import Database
from core.store.records import Branch, Conversation, ConversationSummary, StoredMessage

_PATH = """
    WITH RECURSIVE path (number, parent_id, depth) AS (
        SELECT number, parent_id, 0 FROM messages WHERE id = :leaf
        UNION ALL
        SELECT up.number, up.parent_id, depth + 1 FROM path CROSS JOIN messages AS up ON up.id = path.parent_id
        LIMIT :last
    )
    SELECT messages.* FROM path CROSS JOIN messages USING (number) ORDER BY depth DESC
"""
_VARIANTS = """
    SELECT shown.id AS id, variant.id AS variant
    FROM json_each(:ids) CROSS JOIN messages AS shown ON shown.id = json_each.value
    CROSS JOIN conversations ON conversations.id = shown.conversation_id AND owner = :owner
    CROSS JOIN messages AS variant
        ON variant.conversation_id = shown.conversation_id AND variant.parent_id IS shown.parent_id
    ORDER BY variant.number
"""

_NOT_YET = {"finished": None, "error": None, "trimmed": None, "tool_calls": None, "routed": None}


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
        with self._db.transaction() as connection:
            return rows.add_conversation(
                connection, owner, model_id=model_id, system_prompt=system_prompt, settings=settings or {}
            )

    def get(self, owner: str, id: str) -> Conversation:
        """The conversation, without its messages."""
        with self._db.reading() as connection:
            return rows.conversation(connection, owner, id)

    def list(
        self, owner: str, *, limit: int = 100, before: ConversationSummary | None = None
    ) -> Sequence[ConversationSummary]:
        """Newest first, by the last message added; a comparison's panes are not among them.

        before: the last one already shown, for those after it.
        """
        sql = "SELECT id, title, created_at, updated_at, model_id FROM conversations"
        sql += " WHERE owner = ? AND comparison_id IS NULL"
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
            rows.conversation(connection, owner, id)
            if changes:
                rows.update(connection, "conversations", id, changes)

    def delete(self, owner: str, id: str) -> None:
        """Delete it with all its messages."""
        with self._db.transaction() as connection:
            rows.conversation(connection, owner, id)
            connection.execute("DELETE FROM conversations WHERE id = ?", (id,))

    def messages(self, owner: str, id: str, *, last: int | None = None) -> Sequence[StoredMessage]:
        """The selected path, root first. `last`: only its newest n, read without touching the others."""
        with self._db.reading() as connection:
            leaf = rows.conversation(connection, owner, id).leaf_id
            path = connection.execute(_PATH, {"leaf": leaf, "last": -1 if last is None else last})
            return [records.message(row) for row in path]

    def message(self, owner: str, message_id: str) -> StoredMessage:
        """One message, wherever in the tree."""
        with self._db.reading() as connection:
            return rows.message(connection, owner, message_id)

    def path_to(self, owner: str, message_id: str) -> Sequence[StoredMessage]:
        """The messages from the root to this one, wherever in the tree it is."""
        with self._db.reading() as connection:
            leaf = rows.message(connection, owner, message_id).id
            return [records.message(row) for row in connection.execute(_PATH, {"leaf": leaf, "last": -1})]

    def siblings(self, owner: str, message_id: str) -> Sequence[str]:
        """Ids of the variants that this message is one of, itself included, oldest first."""
        found = self.variants(owner, [message_id])
        if not found:
            raise NotThere(what=N_("message"))
        return found[message_id]

    def variants(self, owner: str, message_ids: Sequence[str]) -> dict[str, Sequence[str]]:
        """`siblings` of each of these messages, by its id, in one query. What is not the owner's is left out."""
        values = {"owner": owner, "ids": records.to_json(list(message_ids))}
        found = defaultdict(list)
        with self._db.reading() as connection:
            for row in connection.execute(_VARIANTS, values):
                found[row["id"]].append(row["variant"])
        return dict(found)

    def select(self, owner: str, message_id: str) -> None:
        """Choose this variant: the path leads through it to the newest message below it."""
        with self._db.transaction() as connection:
            id = rows.message(connection, owner, message_id).conversation_id
            leaf = rows.newest_below(connection, message_id, id)
            rows.update(connection, "conversations", id, {"leaf_id": leaf})

    def add_question(
        self, owner: str, id: str, content: str, *, parent_id: str | None, attachments: Sequence[Attachment] = ()
    ) -> StoredMessage:
        """A person's message below `parent_id` (None: a first question), selected.

        A conversation without a title gets its first words, or the name of the first attached file.
        """
        with self._db.transaction() as connection:
            conversation = rows.conversation(connection, owner, id)
            return rows.add_question(connection, conversation, content, parent_id=parent_id, attachments=attachments)

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
        begin_with: str = "",
    ) -> StoredMessage:
        """An answer that is about to come, selected, with status `streaming`.

        continue_from: an answer to go on writing; its row is used again and keeps its text, `parent_id` is not looked
        at. One that is still streaming is `NotThere`. begin_with: what a person wrote of it, where it is a new one.
        Of the request's messages are kept the system prompts and, with `continue_last`, the last: the others are the
        path up to here.
        """
        system = tuple(message for message in request.messages if message.role == "system")
        begun = request.messages[-1:] if request.continue_last else ()
        fields = {
            "role": "assistant",
            "status": "streaming",
            "model_id": records.clean(model_id),
            "model_name": records.clean(model_name),
            "answer_id": answer_id,
            "request": records.to_json(msgspec.structs.replace(request, messages=(*system, *begun))),
        }
        with self._db.transaction() as connection:
            conversation = rows.conversation(connection, owner, id)
            if continue_from is None:
                begun_text = {"content": records.clean(begin_with)}
                return rows.add(connection, conversation, {"parent_id": parent_id, **fields, **begun_text})
            return _reopen(connection, conversation, continue_from.id, fields)

    def edit_answer(self, owner: str, message_id: str, content: str) -> None:
        """Puts another text in place of an answer's, and notes that it was edited. Questions are asked anew instead.

        Raises `AnswerRunning` while it is still being written.
        """
        with self._db.transaction() as connection:
            answer = rows.message(connection, owner, message_id)
            if answer.role != "assistant":
                raise NotThere(what=N_("answer"))
            if answer.status == "streaming":
                raise AnswerRunning()
            changes = {"content": records.clean(content), "edited_at": time.time()}
            rows.update(connection, "messages", message_id, changes)

    def delete_branch(self, owner: str, message_id: str) -> Branch:
        """Takes out a message and all below it; the branch can be put back with `restore_branch`.

        A path that led through it leads to the variant before it, else the one after it, else ends above it.
        Raises `AnswerRunning` while an answer in it is still being written.
        """
        with self._db.transaction() as connection:
            return branches.take_out(connection, owner, message_id)

    def restore_branch(self, owner: str, branch: Branch) -> None:
        """Puts back what `delete_branch` took out, and selects it if it was selected. Nothing when it is there already.

        Raises `NotThere` when what it hung on has gone.
        """
        with self._db.transaction() as connection:
            branches.put_back(connection, owner, branch)

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

    def set_routed(self, message_id: str, routed: Routed) -> None:
        """Note which model a route chose: it is the one that answers."""
        chosen = {"model_id": records.clean(routed.model_id), "model_name": records.clean(routed.model_name)}
        self._set(message_id, {"routed": records.to_json(routed), **chosen})

    def add_tool_call(self, message_id: str, call: ToolCall) -> None:
        """Note a tool that the answer asks for."""
        with self._db.transaction() as connection:
            row = connection.execute("SELECT tool_calls FROM messages WHERE id = ?", (message_id,)).fetchone()
            kept = records.from_json(row["tool_calls"], list[Any]) if row else None
            calls = records.to_json([*(kept or ()), call])
            if not rows.update(connection, "messages", message_id, {"tool_calls": calls}):
                raise NotThere(what=N_("message"))

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
            if not rows.update(connection, "messages", message_id, changes):
                raise NotThere(what=N_("message"))


def _reopen(
    connection: sqlite3.Connection, conversation: Conversation, message_id: str, fields: Mapping[str, Any]
) -> StoredMessage:
    answer = rows.message_in(connection, conversation, message_id)
    if answer.role != "assistant" or answer.status == "streaming":
        raise NotThere(what=N_("answer to continue"))
    rows.update(connection, "messages", message_id, {**fields, **_NOT_YET})
    rows.update(connection, "conversations", conversation.id, {"leaf_id": message_id, "updated_at": time.time()})
    return rows.message(connection, conversation.owner, message_id)
