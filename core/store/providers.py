"""Endpoints that people connected, their favourite models, and what they decided. Every read and write has an owner.

What an endpoint listed is kept as it was said, so that its models are there again after a restart. No key is in here.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from core.models.remote.kept import Provider
from core.models.remote.listing import Listed
from core.store import records
from core.store.database import Database


class Providers:
    """Those of all owners in one database. Every method raises `StoreUnavailable` when the database fails."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, owner: str, provider: Provider) -> None:
        """Keep an endpoint; at an address where there was one, in its place in the list."""
        fields = msgspec.structs.asdict(provider) | {"owner": owner, "listed": records.to_json(provider.listed)}
        with self._db.transaction() as connection:
            connection.execute(_PUT, fields)

    def get(self, owner: str, base_url: str) -> Provider | None:
        """The endpoint at this address, if it is this owner's."""
        sql = f"SELECT {_COLUMNS} FROM providers WHERE owner = ? AND base_url = ?"
        with self._db.reading() as connection:
            row = connection.execute(sql, (owner, base_url)).fetchone()
            return _provider(row) if row is not None else None

    def list(self, owner: str) -> Sequence[Provider]:
        """The first connected first."""
        sql = f"SELECT {_COLUMNS} FROM providers WHERE owner = ? ORDER BY number"
        with self._db.reading() as connection:
            return [_provider(row) for row in connection.execute(sql, (owner,))]

    def set_listed(self, owner: str, base_url: str, listed: Sequence[Listed], at: float | None) -> bool:
        """Keep what an endpoint listed; False when it is not there any more."""
        sql = "UPDATE providers SET listed = ?, listed_at = ? WHERE owner = ? AND base_url = ?"
        with self._db.transaction() as connection:
            return bool(connection.execute(sql, (records.to_json(listed), at, owner, base_url)).rowcount)

    def remove(self, owner: str, base_url: str) -> None:
        """Nothing where there is none."""
        with self._db.transaction() as connection:
            connection.execute("DELETE FROM providers WHERE owner = ? AND base_url = ?", (owner, base_url))

    def favourites(self, owner: str) -> frozenset[str]:
        """Ids of models."""
        with self._db.reading() as connection:
            rows = connection.execute("SELECT model_id FROM favourites WHERE owner = ?", (owner,))
            return frozenset(str(row["model_id"]) for row in rows)

    def set_favourite(self, owner: str, model_id: str, on: bool) -> None:
        """Twice is as once."""
        sql = "INSERT OR IGNORE INTO favourites VALUES (?, ?)" if on else _NO_FAVOURITE
        with self._db.transaction() as connection:
            connection.execute(sql, (owner, records.clean(model_id)))

    def preference(self, owner: str, name: str) -> Any:
        """What was decided, as plain JSON values; None where nothing was."""
        with self._db.reading() as connection:
            row = connection.execute(
                "SELECT value FROM preferences WHERE owner = ? AND name = ?", (owner, name)
            ).fetchone()
        return records.from_json(row["value"], object) if row is not None else None

    def set_preference(self, owner: str, name: str, value: Any) -> None:
        """None forgets it."""
        with self._db.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM preferences WHERE owner = ? AND name = ?", (owner, name))
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO preferences VALUES (?, ?, ?)", (owner, name, records.to_json(value))
                )


_COLUMNS = ", ".join(Provider.__struct_fields__)
_PUT = """
    INSERT INTO providers (owner, base_url, preset, name, added_at, listed, listed_at)
    VALUES (:owner, :base_url, :preset, :name, :added_at, :listed, :listed_at)
    ON CONFLICT (owner, base_url) DO UPDATE SET
        preset = excluded.preset, name = excluded.name, listed = excluded.listed, listed_at = excluded.listed_at
"""
_NO_FAVOURITE = "DELETE FROM favourites WHERE owner = ? AND model_id = ?"


def _provider(row: sqlite3.Row) -> Provider:
    return Provider(**{**dict(row), "listed": _listed(row["listed"])})


@functools.lru_cache(maxsize=32)
def _listed(text: str | None) -> tuple[Listed, ...]:
    """Pages ask at every turn, and a list may have thousands of models."""
    return records.from_json(text, tuple[Listed, ...]) or ()
