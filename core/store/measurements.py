"""Measurements as they come, part by part, so that a killed one goes on where it was; and the studies they belong to.

Knows frames only as values that JSON has a form for. Every method that takes an owner sees that owner's alone; what is
another's is as if it were not there. Every method raises `StoreUnavailable` when the database fails. Times are seconds
since 1970, UTC.
"""

from __future__ import annotations

import builtins
import sqlite3
import time
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from core.errors import N_, NotThere
from core.store import records, rows
from core.store.database import Database

State = Literal["running", "paused", "done", "failed"]

T = TypeVar("T")


class KeptMeasurement(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement: JSON of how it began, of how it ended (None: not whole) and of each part in order, without gaps.
    `at`: when it was begun."""

    kind: str
    at: float
    head: str | None
    end: str | None
    parts: tuple[str, ...]

    def read(self, text: str | None, kind: type[T]) -> T | None:
        """A value of it; None where it is not there, or in another version's form."""
        return records.from_json(text, kind)


class KeptStudy(msgspec.Struct, frozen=True, kw_only=True):
    """A study: `spec` says what is to be measured (JSON-able), `errors` what could not be, by its name."""

    id: str
    owner: str
    created_at: float
    state: State
    spec: str
    errors: dict[str, dict[str, Any]]

    def read(self, kind: type[T]) -> T | None:
        """The spec; None in another version's form."""
        return records.from_json(self.spec, kind)


class Measurements:
    """The measurements and studies of all owners in one database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, owner: str, key: str) -> KeptMeasurement | None:
        """What there is by this key."""
        with self._db.reading() as connection:
            row = connection.execute("SELECT * FROM measurements WHERE owner = ? AND key = ?", (owner, key)).fetchone()
            if row is None:
                return None
            parts = connection.execute(
                "SELECT number, data FROM measurement_parts WHERE measurement = ? ORDER BY number", (row["number"],)
            ).fetchall()
        whole = tuple(part["data"] for place, part in enumerate(parts) if part["number"] == place)
        return KeptMeasurement(kind=row["kind"], at=row["at"], head=row["head"], end=row["end"], parts=whole)

    def whole_since(self, owner: str, key: str) -> float | None:
        """When a measurement that is whole was begun; None where there is none. Reads none of it."""
        sql = "SELECT at FROM measurements WHERE owner = ? AND key = ? AND end IS NOT NULL"
        with self._db.reading() as connection:
            row = connection.execute(sql, (owner, key)).fetchone()
        return float(row["at"]) if row is not None else None

    def begin(self, owner: str, key: str, kind: str) -> None:
        """A measurement that has nothing yet; what there was by this key is gone."""
        with self._db.transaction() as connection:
            connection.execute("DELETE FROM measurements WHERE owner = ? AND key = ?", (owner, key))
            rows.insert(connection, "measurements", {"owner": owner, "key": key, "kind": kind, "at": time.time()})

    def head(self, owner: str, key: str, value: Any) -> None:
        """How it began."""
        self._set(owner, key, "head", value)

    def part(self, owner: str, key: str, number: int, value: Any) -> None:
        """Its next part; they count from 0."""
        sql = (
            "INSERT OR REPLACE INTO measurement_parts (measurement, number, data) "
            "SELECT number, ?, ? FROM measurements WHERE owner = ? AND key = ?"
        )
        with self._db.transaction() as connection:
            _found(connection.execute(sql, (number, records.to_json(value), owner, key)).rowcount, N_("measurement"))

    def end(self, owner: str, key: str, value: Any) -> None:
        """It is whole."""
        self._set(owner, key, "end", value)

    def forget(self, owner: str, key: str) -> None:
        """Takes it away; nothing where it is not there."""
        with self._db.transaction() as connection:
            connection.execute("DELETE FROM measurements WHERE owner = ? AND key = ?", (owner, key))

    def hashed(self, path: str, size: int, changed: int) -> str | None:
        """The SHA-256 of a file that has not changed since it was taken."""
        sql = "SELECT sha256 FROM file_hashes WHERE path = ? AND size = ? AND changed = ?"
        with self._db.reading() as connection:
            row = connection.execute(sql, (records.clean(path), size, changed)).fetchone()
        return row["sha256"] if row is not None else None

    def keep_hash(self, path: str, size: int, changed: int, sha256: str) -> None:
        """Keeps the SHA-256 of a file as it stands."""
        sql = "INSERT OR REPLACE INTO file_hashes (path, size, changed, sha256) VALUES (?, ?, ?, ?)"
        with self._db.transaction() as connection:
            connection.execute(sql, (records.clean(path), size, changed, sha256))

    def load_settings(self, owner: str, model_id: str, kind: type[T]) -> T | None:
        """With what this owner wants a model loaded; None: nothing was decided, or by another version."""
        sql = "SELECT settings FROM load_settings WHERE owner = ? AND model_id = ?"
        with self._db.reading() as connection:
            row = connection.execute(sql, (owner, records.clean(model_id))).fetchone()
        return records.from_json(row["settings"], kind) if row is not None else None

    def keep_load_settings(self, owner: str, model_id: str, settings: Any) -> None:
        """From now on. None forgets it."""
        key = (owner, records.clean(model_id))
        with self._db.transaction() as connection:
            connection.execute("DELETE FROM load_settings WHERE owner = ? AND model_id = ?", key)
            if settings is not None:
                sql = "INSERT INTO load_settings (owner, model_id, settings) VALUES (?, ?, ?)"
                connection.execute(sql, (*key, records.to_json(settings)))

    def create(self, owner: str, spec: Any) -> KeptStudy:
        """A new study, paused."""
        fields = {
            "id": rows.new_id(),
            "owner": owner,
            "created_at": time.time(),
            "state": "paused",
            "spec": records.to_json(spec),
        }
        with self._db.transaction() as connection:
            rows.insert(connection, "studies", fields)
            return _study(connection, owner, str(fields["id"]))

    def study(self, owner: str, id: str) -> KeptStudy:
        """Raises `NotThere`."""
        with self._db.reading() as connection:
            return _study(connection, owner, id)

    def studies(self, owner: str, *, limit: int = 50) -> builtins.list[KeptStudy]:
        """Newest first."""
        sql = "SELECT * FROM studies WHERE owner = ? ORDER BY created_at DESC, number DESC LIMIT ?"
        with self._db.reading() as connection:
            return [_kept(row) for row in connection.execute(sql, (owner, limit))]

    def set_state(self, owner: str, id: str, state: State) -> None:
        """Raises `NotThere`."""
        self._change(owner, id, {"state": state})

    def set_errors(self, owner: str, id: str, errors: Mapping[str, Mapping[str, Any]]) -> None:
        """What could not be measured, instead of what was said before. Raises `NotThere`."""
        self._change(owner, id, {"errors": records.to_json(errors)})

    def delete(self, owner: str, id: str) -> None:
        """The study; what was measured stays, for others that ask for the same. Raises `NotThere`."""
        with self._db.transaction() as connection:
            _study(connection, owner, id)
            connection.execute("DELETE FROM studies WHERE id = ?", (id,))

    def recover(self) -> None:
        """After a start: no study runs until it is asked to."""
        with self._db.transaction() as connection:
            connection.execute("UPDATE studies SET state = 'paused' WHERE state = 'running'")

    def _set(self, owner: str, key: str, column: Literal["head", "end"], value: Any) -> None:
        sql = f"UPDATE measurements SET {column} = ? WHERE owner = ? AND key = ?"
        with self._db.transaction() as connection:
            _found(connection.execute(sql, (records.to_json(value), owner, key)).rowcount, N_("measurement"))

    def _change(self, owner: str, id: str, changes: dict[str, Any]) -> None:
        with self._db.transaction() as connection:
            _study(connection, owner, id)
            rows.update(connection, "studies", id, changes)


def _study(connection: sqlite3.Connection, owner: str, id: str) -> KeptStudy:
    sql = "SELECT * FROM studies WHERE id = ? AND owner = ?"
    row = connection.execute(sql, (records.clean(id), owner)).fetchone()
    if row is None:
        raise NotThere(what=N_("measurement"))
    return _kept(row)


def _kept(row: sqlite3.Row) -> KeptStudy:
    errors = records.from_json(row["errors"], dict[str, dict[str, Any]]) or {}
    fields: dict[str, Any] = {name: row[name] for name in KeptStudy.__struct_fields__ if name != "errors"}
    return KeptStudy(**fields, errors=errors)


def _found(changed: int, what: str) -> None:
    if not changed:
        raise NotThere(what=what)
