"""What reaches models elsewhere: endpoints, favourites, what a person decided about them, routes; and what runs cost.

No key and no header's value is in here: see core/models/remote/keys.py. `listed`: JSON of the models that an endpoint
last named; `value` and `spec` are JSON; `routed`: JSON of the `Routed` event of an answer, NULL where none chose it.
`added_at` and `listed_at` are seconds since 1970, UTC.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    """CREATE TABLE providers (
        number INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        base_url TEXT NOT NULL,
        preset TEXT,
        name TEXT NOT NULL,
        added_at REAL NOT NULL,
        listed TEXT,
        listed_at REAL,
        UNIQUE (owner, base_url)
    )""",
    """CREATE TABLE favourites (
        owner TEXT NOT NULL,
        model_id TEXT NOT NULL,
        PRIMARY KEY (owner, model_id)
    ) WITHOUT ROWID""",
    """CREATE TABLE preferences (
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (owner, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE routes (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        spec TEXT NOT NULL
    )""",
    "ALTER TABLE messages ADD COLUMN routed TEXT",
    "ALTER TABLE runs ADD COLUMN provider TEXT",
    "ALTER TABLE runs ADD COLUMN cost REAL",
    "ALTER TABLE runs ADD COLUMN currency TEXT",
    "CREATE INDEX runs_of_provider ON runs (owner, provider, currency) WHERE cost IS NOT NULL",
)


def up(connection: sqlite3.Connection) -> None:
    """Create the tables, and the columns."""
    for statement in _STATEMENTS:
        connection.execute(statement)
