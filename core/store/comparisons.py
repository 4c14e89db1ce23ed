"""Comparisons: one question, several models. Each pane is a conversation of its own, which is in no list of them.

Every method that takes an owner raises `NotThere` for what is another owner's, as for what does not exist. Every method
raises `StoreUnavailable` when the database fails, and has then changed nothing. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

import builtins
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from core.attachments import Attachment
from core.errors import N_, NotThere
from core.store import records, restoring, rows
from core.store.database import Database
from core.store.records import Conversation, StoredMessage

Kind = Literal["side", "duel"]
"""`side`: side by side, with names; `duel`: two, blind."""

Timing = Literal["alone", "together"]
"""`alone`: one after another, each with the machine to itself; `together`: at the same time."""


class NewPane(msgspec.Struct, frozen=True, kw_only=True):
    """How a pane is asked, as a conversation keeps it, and what it begins with: a path, root first."""

    model_id: str | None
    system_prompt: str = ""
    settings: dict[str, Any] = {}
    said: tuple[StoredMessage, ...] = ()


class KeptComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison as it is kept; its panes in the order of their numbers.

    `title`: the first words of its first question. `spec`: whatever its kind keeps beside, JSON-able. `together`: ids
    of the answers that came at the same time as others.
    """

    id: str
    owner: str
    kind: Kind
    title: str
    created_at: float
    updated_at: float
    timing: Timing
    together: frozenset[str]
    spec: dict[str, Any]
    panes: tuple[Conversation, ...]


class Summary(msgspec.Struct, frozen=True):
    """A line in the list of comparisons. `panes`: how many it has."""

    id: str
    kind: Kind
    title: str
    updated_at: float
    panes: int


class _Spec(msgspec.Struct, frozen=True, kw_only=True):
    """The column of that name."""

    timing: Timing = "alone"
    together: frozenset[str] = frozenset()
    kept: dict[str, Any] = {}


class Comparisons:
    """The comparisons of all owners in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self,
        owner: str,
        panes: Sequence[NewPane],
        *,
        kind: Kind = "side",
        timing: Timing = "alone",
        spec: Mapping[str, Any] | None = None,
    ) -> KeptComparison:
        """A new comparison, its panes numbered from 1."""
        now = time.time()
        asked = next((one.content for pane in panes for one in pane.said if one.role == "user"), "")
        fields = {
            "id": rows.new_id(),
            "owner": owner,
            "kind": kind,
            "title": records.title_of(asked),
            "created_at": now,
            "updated_at": now,
            "spec": records.to_json(_Spec(timing=timing, kept=dict(spec or {}))),
        }
        with self._db.transaction() as connection:
            rows.insert(connection, "comparisons", fields)
            for number, pane in enumerate(panes, start=1):
                _add_pane(connection, owner, str(fields["id"]), number, pane)
            return _comparison(connection, owner, str(fields["id"]))

    def get(self, owner: str, id: str) -> KeptComparison:
        """The comparison by this id."""
        with self._db.reading() as connection:
            return _comparison(connection, owner, id)

    def list(self, owner: str, *, kind: Kind = "side", limit: int = 50) -> builtins.list[Summary]:
        """Newest first, by the last question."""
        sql = """SELECT id, kind, title, updated_at,
                (SELECT count(*) FROM conversations WHERE comparison_id = comparisons.id) AS panes
            FROM comparisons WHERE owner = ? AND kind = ? ORDER BY updated_at DESC, number DESC LIMIT ?"""
        with self._db.reading() as connection:
            return [Summary(**dict(row)) for row in connection.execute(sql, (owner, kind, limit))]

    def update(
        self, owner: str, id: str, *, timing: Timing | UnsetType = UNSET, spec: Mapping[str, Any] | UnsetType = UNSET
    ) -> None:
        """Change what is given."""
        changes = {"timing": timing, "kept": spec}
        self._respec(owner, id, {name: value for name, value in changes.items() if value is not UNSET})

    def note_together(self, owner: str, id: str, message_ids: Sequence[str]) -> None:
        """These answers did not come alone."""
        self._respec(owner, id, {}, together=message_ids)

    def add_pane(self, owner: str, id: str, pane: NewPane) -> int:
        """Its number: the smallest that is free."""
        with self._db.transaction() as connection:
            taken = {one.pane for one in _comparison(connection, owner, id).panes}
            number = next(number for number in range(1, len(taken) + 2) if number not in taken)
            _add_pane(connection, owner, id, number, pane)
            return number

    def remove_pane(self, owner: str, id: str, number: int) -> None:
        """Delete a pane with all its messages; the others keep their numbers."""
        sql = "DELETE FROM conversations WHERE comparison_id = ? AND pane = ?"
        with self._db.transaction() as connection:
            _comparison(connection, owner, id)
            if not connection.execute(sql, (id, number)).rowcount:
                raise NotThere(what=N_("pane"))

    def add_questions(
        self, owner: str, id: str, content: str, *, attachments: Sequence[Attachment] = ()
    ) -> builtins.list[StoredMessage]:
        """The same question at the end of every pane. A comparison without a title gets its first words."""
        with self._db.transaction() as connection:
            comparison = _comparison(connection, owner, id)
            asked = [
                rows.add_question(connection, pane, content, parent_id=pane.leaf_id, attachments=attachments)
                for pane in comparison.panes
            ]
            title = comparison.title or rows.conversation(connection, owner, asked[0].conversation_id).title
            rows.update(connection, "comparisons", id, {"title": title, "updated_at": time.time()})
            return asked

    def delete(self, owner: str, id: str) -> None:
        """Delete it with all its panes; the votes on it stay."""
        with self._db.transaction() as connection:
            _comparison(connection, owner, id)
            connection.execute("DELETE FROM comparisons WHERE id = ?", (id,))

    def _respec(self, owner: str, id: str, changes: Mapping[str, Any], *, together: Sequence[str] = ()) -> None:
        with self._db.transaction() as connection:
            kept = _comparison(connection, owner, id)
            spec = _Spec(timing=kept.timing, together=kept.together.union(together), kept=kept.spec)
            changed = msgspec.structs.replace(spec, **changes)
            rows.update(connection, "comparisons", id, {"spec": records.to_json(changed)})


def _comparison(connection: sqlite3.Connection, owner: str, id: str) -> KeptComparison:
    sql = "SELECT * FROM comparisons WHERE id = ? AND owner = ?"
    row = connection.execute(sql, (records.clean(id), owner)).fetchone()
    if row is None:
        raise NotThere(what=N_("comparison"))
    spec = records.from_json(row["spec"], _Spec) or _Spec()
    panes = connection.execute(
        "SELECT * FROM conversations WHERE comparison_id = ? AND owner = ? ORDER BY pane", (row["id"], owner)
    )
    return KeptComparison(
        id=row["id"],
        owner=row["owner"],
        kind=row["kind"],
        title=row["title"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        timing=spec.timing,
        together=spec.together,
        spec=spec.kept,
        panes=tuple(records.conversation(pane) for pane in panes),
    )


def _add_pane(connection: sqlite3.Connection, owner: str, id: str, number: int, pane: NewPane) -> None:
    made = rows.add_conversation(
        connection,
        owner,
        model_id=pane.model_id,
        system_prompt=pane.system_prompt,
        settings=pane.settings,
        comparison_id=id,
        pane=number,
    )
    new_ids = {message.id: rows.new_id() for message in pane.said}
    restoring.add_messages(connection, made.id, pane.said, new_ids)
    if pane.said:
        rows.update(connection, "conversations", made.id, {"leaf_id": new_ids[pane.said[-1].id]})
