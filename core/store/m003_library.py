"""What the list of conversations knows beside them: pins, tags, whose words a title is, what was deleted; and an index
of all titles and messages.

A conversation that was deleted has no owner (''), so that no query for an owner finds it; `library` tells since when
and whose it was. Times are seconds since 1970, UTC.

The indexes are FTS5's with external content (https://sqlite.org/fts5.html): measured over 100,000 messages they take
23 MB beside 53 MB of text, where copies of the text take 76 MB, and answer as quickly. They must be told the old text
when it goes, which the triggers do. An answer is indexed when it stops streaming, not with each of its pieces.
"""

from __future__ import annotations

import sqlite3

# library.number: what titles are indexed by; the row ids of `conversations`, whose key is text, are not for keeping.
_TABLES = (
    """CREATE TABLE library (
        number INTEGER PRIMARY KEY,
        conversation_id TEXT NOT NULL UNIQUE REFERENCES conversations (id) ON DELETE CASCADE,
        pinned INTEGER NOT NULL DEFAULT 0,
        title_by TEXT NOT NULL DEFAULT 'words',
        deleted_at REAL,
        deleted_from TEXT
    )""",
    "CREATE INDEX library_pinned ON library (conversation_id) WHERE pinned",
    "CREATE INDEX library_deleted ON library (deleted_at) WHERE deleted_at IS NOT NULL",
    """CREATE TABLE tags (
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (conversation_id, tag)
    ) WITHOUT ROWID""",
    "CREATE INDEX tags_by_name ON tags (tag)",
    """CREATE VIEW titles AS
        SELECT number, title FROM library CROSS JOIN conversations ON conversations.id = conversation_id""",
    """CREATE VIRTUAL TABLE titles_index USING fts5 (
        title, content = 'titles', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
    )""",
    "CREATE VIEW ended_messages AS SELECT number, content FROM messages WHERE status <> 'streaming'",
    """CREATE VIRTUAL TABLE messages_index USING fts5 (
        content, content = 'ended_messages', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
    )""",
)
_CONTENTS = (
    "INSERT INTO library (conversation_id) SELECT id FROM conversations ORDER BY created_at, id",
    "INSERT INTO titles_index (rowid, title) SELECT number, title FROM titles",
    "INSERT INTO messages_index (rowid, content) SELECT number, content FROM ended_messages",
)
_TRIGGERS = (
    """CREATE TRIGGER conversation_made AFTER INSERT ON conversations BEGIN
        INSERT INTO library (conversation_id) VALUES (new.id);
        INSERT INTO titles_index (rowid, title)
            SELECT number, new.title FROM library WHERE conversation_id = new.id;
    END""",
    """CREATE TRIGGER conversation_titled AFTER UPDATE OF title ON conversations WHEN old.title <> new.title BEGIN
        INSERT INTO titles_index (titles_index, rowid, title)
            SELECT 'delete', number, old.title FROM library WHERE conversation_id = new.id;
        INSERT INTO titles_index (rowid, title)
            SELECT number, new.title FROM library WHERE conversation_id = new.id;
    END""",
    # Before: afterwards the cascade has taken the number.
    """CREATE TRIGGER conversation_gone BEFORE DELETE ON conversations BEGIN
        INSERT INTO titles_index (titles_index, rowid, title)
            SELECT 'delete', number, old.title FROM library WHERE conversation_id = old.id;
    END""",
    """CREATE TRIGGER message_made AFTER INSERT ON messages WHEN new.status <> 'streaming' BEGIN
        INSERT INTO messages_index (rowid, content) VALUES (new.number, new.content);
    END""",
    """CREATE TRIGGER message_changed AFTER UPDATE OF content, status ON messages
    WHEN old.status <> new.status OR (new.status <> 'streaming' AND old.content <> new.content) BEGIN
        INSERT INTO messages_index (messages_index, rowid, content)
            SELECT 'delete', old.number, old.content WHERE old.status <> 'streaming';
        INSERT INTO messages_index (rowid, content)
            SELECT new.number, new.content WHERE new.status <> 'streaming';
    END""",
    """CREATE TRIGGER message_gone AFTER DELETE ON messages WHEN old.status <> 'streaming' BEGIN
        INSERT INTO messages_index (messages_index, rowid, content) VALUES ('delete', old.number, old.content);
    END""",
)


def up(connection: sqlite3.Connection) -> None:
    """Create the tables, index what there is, and keep the indexes true from here on."""
    for statement in (*_TABLES, *_CONTENTS, *_TRIGGERS):
        connection.execute(statement)
