"""Comparisons and their panes, votes, polls of a class; batches and what judges said of their answers.

A pane is a conversation that belongs to a comparison: everything a conversation can do, a pane can. It is in no list of
conversations. `spec`, `vote`, `ballot`, `finished`, `error`, `checks`, `routed`, `verdict` are JSON of core's values.
A vote holds all that was voted on, so that it stays when models and comparisons are gone. Times: seconds since 1970.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    """CREATE TABLE comparisons (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        spec TEXT NOT NULL
    )""",
    "CREATE INDEX comparisons_newest ON comparisons (owner, kind, updated_at)",
    "ALTER TABLE conversations ADD COLUMN comparison_id TEXT REFERENCES comparisons (id) ON DELETE CASCADE",
    "ALTER TABLE conversations ADD COLUMN pane INTEGER",
    "CREATE UNIQUE INDEX panes ON conversations (comparison_id, pane) WHERE comparison_id IS NOT NULL",
    # One vote once, however often it is sent or imported.
    """CREATE TABLE votes (
        number INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        id TEXT NOT NULL,
        at REAL NOT NULL,
        vote TEXT NOT NULL,
        UNIQUE (owner, id)
    )""",
    """CREATE TABLE polls (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        comparison_id TEXT REFERENCES comparisons (id) ON DELETE SET NULL,
        opened_at REAL NOT NULL,
        closed_at REAL,
        spec TEXT NOT NULL
    )""",
    """CREATE TABLE ballots (
        poll_id TEXT NOT NULL REFERENCES polls (id) ON DELETE CASCADE,
        device TEXT NOT NULL,
        at REAL NOT NULL,
        ballot TEXT NOT NULL,
        PRIMARY KEY (poll_id, device)
    ) WITHOUT ROWID""",
    """CREATE TABLE batches (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        created_at REAL NOT NULL,
        state TEXT NOT NULL,
        spec TEXT NOT NULL
    )""",
    """CREATE TABLE cells (
        batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
        model INTEGER NOT NULL,
        prompt INTEGER NOT NULL,
        repeat INTEGER NOT NULL,
        status TEXT NOT NULL,
        at REAL,
        answer TEXT NOT NULL DEFAULT '',
        reasoning TEXT NOT NULL DEFAULT '',
        finished TEXT,
        error TEXT,
        checks TEXT,
        routed TEXT,
        PRIMARY KEY (batch_id, model, prompt, repeat)
    )""",
    """CREATE TABLE verdicts (
        batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
        prompt INTEGER NOT NULL,
        repeat INTEGER NOT NULL,
        model_a INTEGER NOT NULL,
        model_b INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        PRIMARY KEY (batch_id, prompt, repeat, model_a, model_b)
    ) WITHOUT ROWID""",
)


def up(connection: sqlite3.Connection) -> None:
    """Create the tables, and the columns."""
    for statement in _STATEMENTS:
        connection.execute(statement)
