"""Runs: one row for each finished answer or measurement. `at` is seconds since 1970, UTC; `figures` is JSON."""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    """CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        at REAL NOT NULL,
        kind TEXT NOT NULL,
        model_id TEXT NOT NULL,
        figures TEXT NOT NULL
    )""",
    "CREATE INDEX runs_newest ON runs (owner, at)",
    "CREATE INDEX runs_of_model ON runs (owner, model_id, at)",
)


def up(connection: sqlite3.Connection) -> None:
    """Create the table."""
    for statement in _STATEMENTS:
        connection.execute(statement)
