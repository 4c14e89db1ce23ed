"""Collections and their documents, as they lie in the database. Whoever acts for a person names the owner.

What another owner has is not there: every method raises `NotThere` for it, as for what does not exist, and
`StoreUnavailable` when the database fails, and has then changed nothing. Chunks are in core/store/chunks.py.
"""

from __future__ import annotations

import builtins
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from core.errors import N_, NotThere, WorkbenchError
from core.rag.values import Build, Collection, Document, DocumentStatus, Extracted, Outline
from core.store import records, rows
from core.store.database import Database

UNFINISHED = ("waiting", "reading", "embedding")
"""What a document is until it is ready or has failed."""


class Documents:
    """The collections of all owners in one database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create(self, owner: str, name: str, *, embedding: str, chunker: str, size: int, overlap: int) -> Collection:
        """An empty collection."""
        id, build = rows.new_id(), rows.new_id()
        with self._db.transaction() as connection:
            fields = {"id": id, "owner": owner, "name": records.clean(name), "created_at": time.time()}
            rows.insert(connection, "collections", {**fields, "build_id": build})
            made = Build(build, records.clean(embedding), chunker, size, overlap)
            insert_build(connection, id, made)
            return _collection(connection, owner, id)

    def list(self, owner: str) -> Sequence[Collection]:
        """The newest first."""
        with self._db.reading() as connection:
            found = connection.execute(f"{_COLLECTIONS} WHERE owner = ? ORDER BY c.number DESC", (owner,))
            return [_to_collection(row) for row in found]

    def get(self, owner: str, id: str) -> Collection:
        """The collection by this id."""
        with self._db.reading() as connection:
            return _collection(connection, owner, id)

    def rename(self, owner: str, id: str, name: str) -> None:
        """Gives a collection another name."""
        self._change(owner, id, {"name": records.clean(name)})

    def set_calibration(self, owner: str, id: str, calibration: dict[str, Any] | None) -> None:
        """Keeps with the collection what the retrieval found out about it."""
        self._change(owner, id, {"calibration": None if calibration is None else records.to_json(calibration)})

    def delete(self, owner: str, id: str) -> None:
        """With all that is in it."""
        with self._db.transaction() as connection:
            owned(connection, owner, id)
            connection.execute("DELETE FROM collections WHERE id = ?", (id,))

    def documents(self, owner: str, id: str) -> builtins.list[Document]:
        """In the order in which they were added."""
        with self._db.reading() as connection:
            collection = owned(connection, owner, id)
            found = connection.execute(f"{_DOCUMENTS} ORDER BY d.number", (collection["build_id"], id))
            return [_to_document(row) for row in found]

    def document(self, owner: str, id: str, document_id: str) -> Document:
        """One of them."""
        with self._db.reading() as connection:
            return _document(connection, owner, id, document_id)

    def extracted(self, owner: str, id: str, document_id: str) -> Extracted:
        """The text that was read out of a document. Raises `NotThere` before it has been read."""
        with self._db.reading() as connection:
            document = _document(connection, owner, id, document_id)
            row = connection.execute("SELECT * FROM document_texts WHERE document_id = ?", (document_id,)).fetchone()
            if row is None:
                raise NotThere(what=N_("text"))
            outline = records.from_json(row["outline"], Outline) or Outline()
            return Extracted(row["text"], outline, document.media_type, document.pages, document.note)

    def register(
        self, owner: str, id: str, *, name: str, media_type: str, hash: str, size: int
    ) -> tuple[Document, bool]:
        """The document of these bytes, and whether it is new or is to be tried again; the same bytes are one document.

        One that is there already takes the new name when it has failed.
        """
        values = {"name": records.clean(name), "media_type": media_type, "hash": hash, "size": size}
        with self._db.transaction() as connection:
            owned(connection, owner, id)
            row = connection.execute(
                "SELECT id, status FROM documents WHERE collection_id = ? AND hash = ?", (id, hash)
            ).fetchone()
            if row is None:
                document_id = rows.new_id()
                fields = {"id": document_id, "collection_id": id, "status": "waiting", "added_at": time.time()}
                rows.insert(connection, "documents", {**values, **fields})
                return _document(connection, owner, id, document_id), True
            if row["status"] == "failed":
                rows.update(connection, "documents", row["id"], {**values, "status": "waiting", "error": None})
            return _document(connection, owner, id, row["id"]), row["status"] != "ready"

    def set_name(self, owner: str, id: str, document_id: str, name: str) -> None:
        """Gives a document another name."""
        with self._db.transaction() as connection:
            _document(connection, owner, id, document_id)
            rows.update(connection, "documents", document_id, {"name": records.clean(name)})

    def set_status(
        self, owner: str, id: str, document_id: str, status: DocumentStatus, *, among: Sequence[DocumentStatus]
    ) -> bool:
        """Sets it where it is one of `among`; whether it was. So one thread of one process takes a document."""
        marks = ", ".join("?" * len(among))
        with self._db.transaction() as connection:
            owned(connection, owner, id)
            sql = f"UPDATE documents SET status = ? WHERE id = ? AND collection_id = ? AND status IN ({marks})"
            return connection.execute(sql, (status, document_id, id, *among)).rowcount > 0

    def set_text(self, owner: str, id: str, document_id: str, extracted: Extracted) -> None:
        """Keeps what was read out of a document."""
        values = {"media_type": extracted.media_type, "pages": extracted.pages, "note": extracted.note}
        with self._db.transaction() as connection:
            _document(connection, owner, id, document_id)
            rows.update(connection, "documents", document_id, values)
            connection.execute(
                "INSERT OR REPLACE INTO document_texts (document_id, text, outline) VALUES (?, ?, ?)",
                (document_id, records.clean(extracted.text), records.to_json(extracted.outline)),
            )

    def fail(self, owner: str, id: str, document_id: str, error: WorkbenchError) -> None:
        """Says why a document could not be taken in."""
        with self._db.transaction() as connection:
            owned(connection, owner, id)
            connection.execute(
                "UPDATE documents SET status = 'failed', error = ? WHERE id = ? AND collection_id = ? "
                "AND status <> 'ready'",
                (records.to_json(error.to_dict()), document_id, id),
            )

    def remove(self, owner: str, id: str, document_ids: Sequence[str]) -> None:
        """Takes documents out, with their chunks; those that are not there are left out."""
        with self._db.transaction() as connection:
            owned(connection, owner, id)
            gone = connection.executemany(
                "DELETE FROM documents WHERE id = ? AND collection_id = ?", [(one, id) for one in document_ids]
            )
            if gone.rowcount:
                bump(connection, id)

    def hashes(self) -> set[str]:
        """Of all documents of all owners: whose files are still needed."""
        with self._db.reading() as connection:
            return {row["hash"] for row in connection.execute("SELECT DISTINCT hash FROM documents")}

    def free(self, owner: str, id: str) -> None:
        """What was being read or embedded waits: whoever was at it has ended."""
        with self._db.transaction() as connection:
            owned(connection, owner, id)
            sql = (
                "UPDATE documents SET status = 'waiting' WHERE collection_id = ? AND status IN ('reading', 'embedding')"
            )
            connection.execute(sql, (id,))

    def recover(self) -> None:
        """The same in all collections, after a start."""
        with self._db.transaction() as connection:
            connection.execute(_FREE)

    def _change(self, owner: str, id: str, changes: dict[str, Any]) -> None:
        with self._db.transaction() as connection:
            owned(connection, owner, id)
            rows.update(connection, "collections", id, changes)


_COLLECTIONS = """
    SELECT c.*, b.embedding, b.chunker, b.size, b.overlap,
        (SELECT count(*) FROM documents AS d WHERE d.collection_id = c.id AND d.status = 'ready') AS documents,
        (SELECT count(*) FROM chunks AS k WHERE k.build_id = c.build_id) AS chunks
    FROM collections AS c JOIN builds AS b ON b.id = c.build_id
"""
_FREE = "UPDATE documents SET status = 'waiting' WHERE status IN ('reading', 'embedding')"
_DOCUMENTS = """
    SELECT d.*, (SELECT count(*) FROM chunks AS k WHERE k.build_id = ? AND k.document_id = d.id) AS chunks
    FROM documents AS d WHERE d.collection_id = ?
"""


def owned(connection: sqlite3.Connection, owner: str, id: str) -> sqlite3.Row:
    """The row of a collection."""
    sql = "SELECT * FROM collections WHERE id = ? AND owner = ?"
    row: sqlite3.Row | None = connection.execute(sql, (records.clean(id), owner)).fetchone()
    if row is None:
        raise NotThere(what=N_("collection"))
    return row


def insert_build(connection: sqlite3.Connection, collection_id: str, build: Build) -> None:
    """Keeps a build, empty."""
    fields = {name: getattr(build, name) for name in Build.__struct_fields__}
    rows.insert(connection, "builds", {**fields, "collection_id": collection_id})


def bump(connection: sqlite3.Connection, id: str) -> None:
    """What can be found in the collection has changed."""
    connection.execute("UPDATE collections SET version = version + 1 WHERE id = ?", (id,))


def _collection(connection: sqlite3.Connection, owner: str, id: str) -> Collection:
    owned(connection, owner, id)
    return _to_collection(connection.execute(f"{_COLLECTIONS} WHERE c.id = ?", (id,)).fetchone())


def _document(connection: sqlite3.Connection, owner: str, id: str, document_id: str) -> Document:
    collection = owned(connection, owner, id)
    values = (collection["build_id"], id, records.clean(document_id))
    row = connection.execute(f"{_DOCUMENTS} AND d.id = ?", values).fetchone()
    if row is None:
        raise NotThere(what=N_("document"))
    return _to_document(row)


def _to_collection(row: sqlite3.Row) -> Collection:
    return Collection(
        id=row["id"],
        owner=row["owner"],
        name=row["name"],
        created_at=row["created_at"],
        build=Build(row["build_id"], row["embedding"], row["chunker"], row["size"], row["overlap"]),
        version=row["version"],
        documents=row["documents"],
        chunks=row["chunks"],
        calibration=records.from_json(row["calibration"], dict[str, Any]),
    )


def _to_document(row: sqlite3.Row) -> Document:
    fields: dict[str, Any] = {name: row[name] for name in Document.__struct_fields__ if name != "error"}
    return Document(**fields, error=records.from_json(row["error"], dict[str, object]))
