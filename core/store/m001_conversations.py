"""Conversations, each a tree of messages.

Times are seconds since 1970, UTC; JSON columns are described in records.py.
"""

from __future__ import annotations

import sqlite3

# messages.number: order of creation. Long columns stand last, so that walking the tree reads only a row's first page.
# parent_id is no foreign key: cascading along a chain ends at SQLite's limit of 1,000 nested triggers.
_STATEMENTS = (
    """CREATE TABLE conversations (
        id TEXT NOT NULL PRIMARY KEY,
        owner TEXT NOT NULL,
        title TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        model_id TEXT,
        leaf_id TEXT,
        settings TEXT NOT NULL,
        system_prompt TEXT NOT NULL
    )""",
    "CREATE INDEX conversations_newest ON conversations (owner, updated_at, id)",
    """CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        parent_id TEXT,
        role TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at REAL NOT NULL,
        model_id TEXT,
        model_name TEXT,
        answer_id TEXT,
        trimmed TEXT,
        error TEXT,
        request TEXT,
        finished TEXT,
        reasoning TEXT NOT NULL DEFAULT '',
        content TEXT NOT NULL DEFAULT ''
    )""",
    "CREATE INDEX messages_tree ON messages (conversation_id, parent_id)",
    "CREATE INDEX messages_streaming ON messages (status) WHERE status = 'streaming'",
)


def up(connection: sqlite3.Connection) -> None:
    """Create the tables."""
    for statement in _STATEMENTS:
        connection.execute(statement)
