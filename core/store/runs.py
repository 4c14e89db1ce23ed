"""Finished answers and measurements, kept for their history, and what was paid. Every read and write has an owner.

What is paid is kept by the request, in runs of kind `request`: one for each that a provider answered, wherever it was
made and whatever became of its answer. The other kinds are what a person sees, and no request is counted twice.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.events import Cost, Finished, Usage
from core.models.remote.permit import Spent
from core.store import records, rows
from core.store.database import Database
from core.store.records import Run


class Runs:
    """The runs of all owners in one database. Every method raises `StoreUnavailable` when the database fails."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, owner: str, *, kind: str, model_id: str, figures: Mapping[str, Any] | msgspec.Struct) -> Run:
        """Keep one run, as of now. `kind`: what was run ("chat", "bench" …); `figures`: its `Finished` or a mapping."""
        cost = figures.cost if isinstance(figures, Finished) else None
        return self._add(owner, kind, model_id, figures, provider=None, cost=cost)

    def pay(self, owner: str, *, model_id: str, provider: str, usage: Usage, cost: Cost | None) -> None:
        """Keep what one request cost, as of now; None where no price is known."""
        self._add(owner, REQUEST, model_id, usage, provider=provider, cost=cost)

    def list(
        self, owner: str, *, model_id: str | None = None, kind: str | None = None, limit: int = 1000
    ) -> Sequence[Run]:
        """Newest first; of one model, of one kind, where given. Requests only where their kind is asked for."""
        wanted = {"owner": owner, "model_id": model_id, "kind": kind}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given) + ("" if kind else f" AND kind != '{REQUEST}'")
        sql = f"SELECT {_COLUMNS} FROM runs WHERE {where} ORDER BY at DESC, number DESC LIMIT :limit"
        with self._db.reading() as connection:
            return [records.run(row) for row in connection.execute(sql, {**given, "limit": limit})]

    def spent(self, owner: str, *, since: float | None = None) -> dict[tuple[str, str | None], Spent]:
        """What requests cost, by provider and currency; the currency is None for those whose price was not known.

        since: seconds since 1970; None is all of them.
        """
        values = {"owner": owner, "kind": REQUEST, "since": since or 0.0}
        with self._db.reading() as connection:
            found = connection.execute(_SPENT, values).fetchall()
        return {(row["provider"], row["currency"]): _spent(row) for row in found}

    def _add(
        self,
        owner: str,
        kind: str,
        model_id: str,
        figures: Mapping[str, Any] | msgspec.Struct,
        *,
        provider: str | None,
        cost: Cost | None,
    ) -> Run:
        fields = {
            "id": rows.new_id(),
            "owner": owner,
            "at": time.time(),
            "kind": kind,
            "model_id": records.clean(model_id),
            "figures": records.to_json(figures),
            "provider": provider,
            "cost": cost.amount if cost is not None else None,
            "currency": cost.currency if cost is not None else None,
        }
        with self._db.transaction() as connection:
            rows.insert(connection, "runs", fields)
            sql = f"SELECT {_COLUMNS} FROM runs WHERE id = ?"
            return records.run(connection.execute(sql, (fields["id"],)).fetchone())


def _spent(row: sqlite3.Row) -> Spent:
    known = row["currency"] is not None
    return Spent(amount=row["amount"], answers=row["answers"], unknown=0 if known else row["answers"])


REQUEST = "request"
_SPENT = """
    SELECT provider, currency, sum(cost) AS amount, count(*) AS answers FROM runs
    WHERE owner = :owner AND kind = :kind AND provider IS NOT NULL AND at >= :since
    GROUP BY provider, currency ORDER BY provider, currency
"""
_COLUMNS = ", ".join(Run.__struct_fields__)
