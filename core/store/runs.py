"""Finished answers and measurements, kept for their history. Every read and write has an owner."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.store import records
from core.store.database import Database
from core.store.records import Run


class Runs:
    """The runs of all owners in one database. Every method raises `StoreUnavailable` when the database fails."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, owner: str, *, kind: str, model_id: str, figures: Mapping[str, Any] | msgspec.Struct) -> Run:
        """Keep one run, as of now. `kind`: what was run ("chat", "bench" …); `figures`: its `Finished` or a mapping."""
        id = secrets.token_urlsafe(16)
        values = (id, owner, time.time(), kind, records.clean(model_id), records.to_json(figures))
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO runs (id, owner, at, kind, model_id, figures) VALUES (?, ?, ?, ?, ?, ?)", values
            )
            return records.run(connection.execute(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", (id,)).fetchone())

    def list(
        self, owner: str, *, model_id: str | None = None, kind: str | None = None, limit: int = 1000
    ) -> Sequence[Run]:
        """Newest first; of one model, of one kind, where given."""
        wanted = {"owner": owner, "model_id": model_id, "kind": kind}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given)
        sql = f"SELECT {_COLUMNS} FROM runs WHERE {where} ORDER BY at DESC, number DESC LIMIT :limit"
        with self._db.reading() as connection:
            return [records.run(row) for row in connection.execute(sql, {**given, "limit": limit})]


_COLUMNS = ", ".join(Run.__struct_fields__)
