"""What a message carries beside its text: attached files, the tools it asks for, when a person last edited it.

`attachments` and `tool_calls` are JSON (records.py), NULL where there are none; `edited_at` is seconds since 1970, UTC.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    "ALTER TABLE messages ADD COLUMN edited_at REAL",
    "ALTER TABLE messages ADD COLUMN tool_calls TEXT",
    "ALTER TABLE messages ADD COLUMN attachments TEXT",
)


def up(connection: sqlite3.Connection) -> None:
    """Add the columns."""
    for statement in _STATEMENTS:
        connection.execute(statement)
