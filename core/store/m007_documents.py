"""Collections of documents: what they hold, the text that was read out of it, its chunks and their vectors.

This is the truth; an index to search in is made from it. A build is what a collection was cut and embedded into with
one embedding and one chunker; a collection has one in use (`build_id`), and another one while it is built anew.
`version` counts the changes of what can be found. `vector`: float32, little-endian, of length 1. `hash` of a document:
SHA-256 of its bytes, hexadecimal; of a chunk: the first 16 bytes of its text's. `outline` and `headings`, `error` and
`calibration` are JSON. Times: seconds since 1970, UTC.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    """CREATE TABLE collections (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        created_at REAL NOT NULL,
        build_id TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 0,
        calibration TEXT
    )""",
    "CREATE INDEX collections_owner ON collections (owner)",
    """CREATE TABLE builds (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        embedding TEXT NOT NULL,
        chunker TEXT NOT NULL,
        size INTEGER NOT NULL,
        overlap INTEGER NOT NULL
    )""",
    "CREATE INDEX builds_collection ON builds (collection_id)",
    """CREATE TABLE documents (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        hash TEXT NOT NULL,
        size INTEGER NOT NULL,
        status TEXT NOT NULL,
        added_at REAL NOT NULL,
        pages INTEGER,
        error TEXT,
        note TEXT NOT NULL DEFAULT '',
        UNIQUE (collection_id, hash)
    )""",
    """CREATE TABLE document_texts (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        text TEXT NOT NULL,
        outline TEXT NOT NULL
    )""",
    """CREATE TABLE chunks (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        build_id TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        tokens INTEGER NOT NULL,
        page INTEGER,
        headings TEXT,
        hash BLOB NOT NULL,
        UNIQUE (build_id, document_id, position)
    )""",
    "CREATE INDEX chunks_document ON chunks (document_id)",
    "CREATE INDEX chunks_hash ON chunks (hash)",
    """CREATE TABLE vectors (
        number INTEGER PRIMARY KEY REFERENCES chunks (number) ON DELETE CASCADE,
        vector BLOB NOT NULL
    )""",
    # What answers from documents were given; a collection may go, and what was said of it stays.
    """CREATE TABLE groundings (
        message_id TEXT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
        collection_id TEXT NOT NULL,
        grounding TEXT NOT NULL
    )""",
)


def up(connection: sqlite3.Connection) -> None:
    """Create the tables."""
    for statement in _STATEMENTS:
        connection.execute(statement)
