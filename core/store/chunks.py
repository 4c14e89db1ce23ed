"""The chunks of collections and their vectors, as they lie in the database; and their builds.

A document's chunks and vectors are kept together or not at all, so no half document is ever found. Owners are checked
as in core/store/documents.py, and the same errors raised. Vectors pass as float32 matrices, a row a chunk.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from core.errors import N_, EmbeddingFailed
from core.late import np
from core.rag.values import Build, Chunk, Span
from core.store import records, rows
from core.store.database import Database
from core.store.documents import bump, insert_build, owned

if TYPE_CHECKING:
    from numpy.typing import NDArray

Matrix: TypeAlias = "NDArray[np.float32]"

OTHER_LENGTH = N_("its vectors have another length than before")
"""Of an embedding that gives others than it gave."""


class Chunks:
    """The chunks of all collections in one database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def chunks(self, owner: str, id: str) -> list[Chunk]:
        """Of the collection as it can be searched: document by document, in the order of their texts."""
        with self._db.reading() as connection:
            build = owned(connection, owner, id)["build_id"]
            return [_chunk(row) for row in connection.execute(f"{_CHUNKS} ORDER BY d.number, k.position", (build,))]

    def of_document(self, owner: str, id: str, document_id: str) -> list[Chunk]:
        """Those of one document."""
        with self._db.reading() as connection:
            build = owned(connection, owner, id)["build_id"]
            found = connection.execute(f"{_CHUNKS} AND d.id = ? ORDER BY k.position", (build, document_id))
            return [_chunk(row) for row in found]

    def some(self, owner: str, id: str, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Those of these ids, by id; what is not (any more) in the collection is left out."""
        with self._db.reading() as connection:
            build = owned(connection, owner, id)["build_id"]
            marks = _in(connection, chunk_ids)
            return {row["id"]: _chunk(row) for row in connection.execute(f"{_CHUNKS} AND k.id IN {marks}", (build,))}

    def ids(self, owner: str, id: str) -> list[str]:
        """Of the collection as it can be searched."""
        with self._db.reading() as connection:
            build = owned(connection, owner, id)["build_id"]
            return [row["id"] for row in connection.execute("SELECT id FROM chunks WHERE build_id = ?", (build,))]

    def vectors(self, owner: str, id: str, chunk_ids: Sequence[str] | None = None) -> tuple[list[str], Matrix]:
        """Ids, and a row each, of length 1; of these chunks, None: of all."""
        with self._db.reading() as connection:
            build = owned(connection, owner, id)["build_id"]
            only = "" if chunk_ids is None else f" AND k.id IN {_in(connection, chunk_ids)}"
            sql = f"SELECT k.id, vector FROM chunks AS k JOIN vectors USING (number) WHERE build_id = ?{only}"
            found = connection.execute(f"{sql} ORDER BY k.number", (build,)).fetchall()
        ids = [row["id"] for row in found]
        if not ids:
            return [], np.zeros((0, 0), dtype=np.float32)
        matrix = np.frombuffer(b"".join(row["vector"] for row in found), dtype="<f4").reshape(len(ids), -1)
        return ids, matrix

    def known(self, owner: str, id: str, embedding: str, spans: Sequence[Span]) -> dict[int, NDArray[np.float32]]:
        """The vectors that texts of the collection already have of this embedding, by the number of the span."""
        by_hash: dict[bytes, list[int]] = {}
        for number, span in enumerate(spans):
            by_hash.setdefault(_hash(span.text), []).append(number)
        found: dict[int, NDArray[np.float32]] = {}
        with self._db.reading() as connection:
            owned(connection, owner, id)
            for some in _slices(list(by_hash)):
                marks = ", ".join("?" * len(some))
                sql = f"{_KNOWN} AND k.hash IN ({marks})"
                for row in connection.execute(sql, (id, records.clean(embedding), *some)):
                    vector = np.frombuffer(row["vector"], dtype="<f4")
                    found |= dict.fromkeys(by_hash[row["hash"]], vector)
        return found

    def put(self, owner: str, id: str, build_id: str, document_id: str, spans: Sequence[Span], vectors: Matrix) -> bool:
        """Keeps a document's chunks of one build in place of those it had there; in the build in use it is then ready,
        and what had its name before is gone. False where the document or the build is gone meanwhile.

        Raises `EmbeddingFailed` for vectors that are not as long as the others of the build."""
        assert len(spans) == len(vectors)
        with self._db.transaction() as connection:
            in_use = owned(connection, owner, id)["build_id"] == build_id
            name = _name(connection, id, document_id)
            if name is None or not _is_build(connection, id, build_id):
                return False
            connection.execute("DELETE FROM chunks WHERE build_id = ? AND document_id = ?", (build_id, document_id))
            before = connection.execute(_LENGTH, (build_id,)).fetchone()
            if before is not None and before["bytes"] != vectors.shape[1] * 4:
                embedding = connection.execute("SELECT embedding FROM builds WHERE id = ?", (build_id,)).fetchone()
                raise EmbeddingFailed(embedding=embedding["embedding"], detail=OTHER_LENGTH)
            for position, span in enumerate(spans):
                number = connection.execute(_INSERT, _values(build_id, document_id, position, span)).lastrowid
                vector = vectors[position].astype("<f4").tobytes()
                connection.execute("INSERT INTO vectors (number, vector) VALUES (?, ?)", (number, vector))
            if in_use:
                connection.execute("UPDATE documents SET status = 'ready', error = NULL WHERE id = ?", (document_id,))
                connection.execute(_DELETE_OLDER, (id, name, document_id))
                bump(connection, id)
            return True

    def begin_build(self, owner: str, id: str, build: Build) -> Build:
        """A build like this one that is not in use: that which was begun before, else a new one."""
        with self._db.transaction() as connection:
            in_use = owned(connection, owner, id)["build_id"]
            values = (id, in_use, records.clean(build.embedding), build.chunker, build.size, build.overlap)
            row = connection.execute(_LIKE, values).fetchone()
            if row is not None:
                return Build(row["id"], build.embedding, build.chunker, build.size, build.overlap)
            connection.execute("DELETE FROM builds WHERE collection_id = ? AND id <> ?", (id, in_use))
            made = Build(rows.new_id(), records.clean(build.embedding), build.chunker, build.size, build.overlap)
            insert_build(connection, id, made)
            return made

    def missing(self, owner: str, id: str, build_id: str) -> list[str]:
        """The documents that can be found in the collection and are not in this build yet."""
        with self._db.reading() as connection:
            in_use = owned(connection, owner, id)["build_id"]
            return [row["id"] for row in connection.execute(_MISSING, (id, in_use, build_id))]

    def use(self, owner: str, id: str, build_id: str) -> bool:
        """Takes a build into use, and drops the others, where no document is missing in it; whether it did."""
        with self._db.transaction() as connection:
            in_use = owned(connection, owner, id)["build_id"]
            missing = connection.execute(_MISSING, (id, in_use, build_id)).fetchone() is not None
            if missing or not _is_build(connection, id, build_id):
                return False
            rows.update(connection, "collections", id, {"build_id": build_id})
            connection.execute("DELETE FROM builds WHERE collection_id = ? AND id <> ?", (id, build_id))
            bump(connection, id)
            return True

    def builds(self) -> set[str]:
        """The ids of all builds of all owners: what an index may hold."""
        with self._db.reading() as connection:
            return {row["id"] for row in connection.execute("SELECT id FROM builds")}


_CHUNKS = """
    SELECT k.*, d.name FROM chunks AS k JOIN documents AS d ON d.id = k.document_id WHERE k.build_id = ?
"""
_KNOWN = """
    SELECT k.hash, v.vector FROM chunks AS k JOIN vectors AS v USING (number) JOIN builds AS b ON b.id = k.build_id
    WHERE b.collection_id = ? AND b.embedding = ?
"""
_DELETE_OLDER = """
    DELETE FROM documents WHERE collection_id = ? AND name = ? AND id <> ? AND status IN ('ready', 'failed')
"""
_LENGTH = "SELECT length(vector) AS bytes FROM vectors JOIN chunks USING (number) WHERE build_id = ? LIMIT 1"
_INSERT = """
    INSERT INTO chunks (id, build_id, document_id, position, text, start, "end", tokens, page, headings, hash)
    VALUES (:id, :build, :document, :position, :text, :start, :end, :tokens, :page, :headings, :hash)
"""
_LIKE = """
    SELECT id FROM builds
    WHERE collection_id = ? AND id <> ? AND embedding = ? AND chunker = ? AND size = ? AND overlap = ?
"""
_MISSING = """
    SELECT d.id FROM documents AS d WHERE collection_id = ? AND status = 'ready'
        AND EXISTS (SELECT 1 FROM chunks AS k WHERE k.build_id = ? AND k.document_id = d.id)
        AND NOT EXISTS (SELECT 1 FROM chunks AS k WHERE k.build_id = ? AND k.document_id = d.id)
    ORDER BY d.number
"""


def _name(connection: sqlite3.Connection, id: str, document_id: str) -> str | None:
    sql = "SELECT name FROM documents WHERE id = ? AND collection_id = ?"
    row = connection.execute(sql, (document_id, id)).fetchone()
    return None if row is None else str(row["name"])


def _is_build(connection: sqlite3.Connection, id: str, build_id: str) -> bool:
    sql = "SELECT 1 FROM builds WHERE id = ? AND collection_id = ?"
    return connection.execute(sql, (build_id, id)).fetchone() is not None


def _values(build_id: str, document_id: str, position: int, span: Span) -> dict[str, object]:
    return {
        "id": rows.new_id(),
        "build": build_id,
        "document": document_id,
        "position": position,
        "text": records.clean(span.text),
        "start": span.start,
        "end": span.end,
        "tokens": span.tokens,
        "page": span.page,
        "headings": records.to_json(span.headings) if span.headings else None,
        "hash": _hash(span.text),
    }


def _chunk(row: sqlite3.Row) -> Chunk:
    return Chunk(
        id=row["id"],
        document_id=row["document_id"],
        document=row["name"],
        position=row["position"],
        text=row["text"],
        start=row["start"],
        end=row["end"],
        tokens=row["tokens"],
        page=row["page"],
        headings=records.from_json(row["headings"], tuple[str, ...]) or (),
    )


def _hash(text: str) -> bytes:
    return hashlib.sha256(records.clean(text).encode()).digest()[:16]


def _in(connection: sqlite3.Connection, ids: Sequence[str]) -> str:
    """A temporary table of these ids, for `IN`: there may be more than SQLite takes variables."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM asked")
    connection.executemany("INSERT OR IGNORE INTO asked VALUES (?)", [(records.clean(one),) for one in ids])
    return "(SELECT id FROM asked)"


def _slices(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for begin in range(0, len(items), 500):
        yield items[begin : begin + 500]
