"""What was measured of models on this machine, as it came; and studies, which say what is to be measured.

`key`: a digest of everything that a measurement depends on. `head`, `end` and `data` are JSON of the frames of
core/gguf/measures.py: what was opened, how it ended (NULL while it is not whole), and each part by its number. `spec`,
`errors` and `settings` are JSON. `file_hashes`: of files as they stood (size, time of change in nanoseconds).
`load_settings`: with what a person wants a model loaded. `at` and `created_at` are seconds since 1970, UTC.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    """CREATE TABLE file_hashes (
        path TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        sha256 TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE measurements (
        number INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        at REAL NOT NULL,
        head TEXT,
        end TEXT,
        UNIQUE (owner, key)
    )""",
    """CREATE TABLE measurement_parts (
        measurement INTEGER NOT NULL REFERENCES measurements (number) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (measurement, number)
    ) WITHOUT ROWID""",
    """CREATE TABLE studies (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        created_at REAL NOT NULL,
        state TEXT NOT NULL,
        spec TEXT NOT NULL,
        errors TEXT NOT NULL DEFAULT '{}'
    )""",
    """CREATE TABLE load_settings (
        owner TEXT NOT NULL,
        model_id TEXT NOT NULL,
        settings TEXT NOT NULL,
        PRIMARY KEY (owner, model_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX studies_of_owner ON studies (owner, created_at)",
)


def up(connection: sqlite3.Connection) -> None:
    """Create the tables."""
    for statement in _STATEMENTS:
        connection.execute(statement)
