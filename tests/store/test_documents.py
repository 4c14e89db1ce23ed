"""Collections, documents, chunks and vectors in the database: whose they are, and that nothing is ever half there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.errors import DocumentEmpty, EmbeddingFailed, NotThere
from core.rag.values import Build, Collection, Extracted, Heading, Outline, Span
from core.store.chunks import Chunks
from core.store.database import Database
from core.store.documents import Documents

ANA, BEN = "ana", "ben"


@pytest.fixture
def documents(db: Database) -> Documents:
    return Documents(db)


@pytest.fixture
def chunks(db: Database) -> Chunks:
    return Chunks(db)


@pytest.fixture
def collection(documents: Documents) -> Collection:
    return documents.create(ANA, "Island", embedding="e", chunker="sentences", size=100, overlap=10)


def spans(*texts: str) -> list[Span]:
    return [Span(text, 10 * n, 10 * n + len(text), 2, n + 1, ("A", "B")) for n, text in enumerate(texts)]


def rows(*values: float) -> np.ndarray:
    return np.array([[value, 1 - value] for value in values], dtype=np.float32)


def registered(documents: Documents, collection: Collection, hash: str = "h", name: str = "a.txt") -> str:
    found, _ = documents.register(ANA, collection.id, name=name, media_type="text/plain", hash=hash, size=3)
    return found.id


def test_what_is_put_in_comes_out(documents: Documents, chunks: Chunks, collection: Collection) -> None:
    id = registered(documents, collection)
    extracted = Extracted("some text", Outline(((0, 1),), (Heading(0, 1, "T"),)), "text/plain", 1, "a note")
    documents.set_text(ANA, collection.id, id, extracted)
    assert chunks.put(ANA, collection.id, collection.build.id, id, spans("one", "two"), rows(0.25, 0.5))
    assert documents.extracted(ANA, collection.id, id) == extracted
    first, second = chunks.chunks(ANA, collection.id)
    assert (first.text, first.start, first.end, first.page, first.headings) == ("one", 0, 3, 1, ("A", "B"))
    assert (second.position, second.document, second.document_id) == (1, "a.txt", id)
    ids, matrix = chunks.vectors(ANA, collection.id)
    assert ids == [first.id, second.id]
    assert matrix.tolist() == rows(0.25, 0.5).tolist()
    assert chunks.vectors(ANA, collection.id, [second.id])[1].tolist() == rows(0.5).tolist()
    assert chunks.some(ANA, collection.id, [second.id, "no such"]) == {second.id: second}
    found = documents.get(ANA, collection.id)
    assert (found.documents, found.chunks, found.version) == (1, 2, 1)
    assert documents.document(ANA, collection.id, id).chunks == 2


Call = Callable[[Documents, Chunks, str, Collection, str], Any]
CALLS: dict[str, Call] = {
    "get": lambda d, k, owner, c, id: d.get(owner, c.id),
    "rename": lambda d, k, owner, c, id: d.rename(owner, c.id, "mine"),
    "set_calibration": lambda d, k, owner, c, id: d.set_calibration(owner, c.id, {}),
    "delete": lambda d, k, owner, c, id: d.delete(owner, c.id),
    "documents": lambda d, k, owner, c, id: d.documents(owner, c.id),
    "document": lambda d, k, owner, c, id: d.document(owner, c.id, id),
    "extracted": lambda d, k, owner, c, id: d.extracted(owner, c.id, id),
    "register": lambda d, k, owner, c, id: d.register(owner, c.id, name="n", media_type="m", hash="x", size=1),
    "set_status": lambda d, k, owner, c, id: d.set_status(owner, c.id, id, "failed", among=["ready"]),
    "set_name": lambda d, k, owner, c, id: d.set_name(owner, c.id, id, "mine"),
    "set_text": lambda d, k, owner, c, id: d.set_text(owner, c.id, id, Extracted("mine")),
    "fail": lambda d, k, owner, c, id: d.fail(owner, c.id, id, DocumentEmpty()),
    "free": lambda d, k, owner, c, id: d.free(owner, c.id),
    "remove": lambda d, k, owner, c, id: d.remove(owner, c.id, [id]),
    "chunks": lambda d, k, owner, c, id: k.chunks(owner, c.id),
    "of_document": lambda d, k, owner, c, id: k.of_document(owner, c.id, id),
    "some": lambda d, k, owner, c, id: k.some(owner, c.id, []),
    "ids": lambda d, k, owner, c, id: k.ids(owner, c.id),
    "vectors": lambda d, k, owner, c, id: k.vectors(owner, c.id),
    "known": lambda d, k, owner, c, id: k.known(owner, c.id, "e", spans("one")),
    "put": lambda d, k, owner, c, id: k.put(owner, c.id, c.build.id, id, spans("x"), rows(1)),
    "begin_build": lambda d, k, owner, c, id: k.begin_build(owner, c.id, Build("", "f", "pages", 9, 1)),
    "missing": lambda d, k, owner, c, id: k.missing(owner, c.id, c.build.id),
    "use": lambda d, k, owner, c, id: k.use(owner, c.id, c.build.id),
}


@pytest.mark.parametrize("name", CALLS)
def test_another_owners_is_not_there(
    db: Database, documents: Documents, chunks: Chunks, collection: Collection, name: str
) -> None:
    id = registered(documents, collection)
    documents.set_text(ANA, collection.id, id, Extracted("text"))
    chunks.put(ANA, collection.id, collection.build.id, id, spans("one"), rows(1))
    before = everything(db)
    with pytest.raises(NotThere):
        CALLS[name](documents, chunks, BEN, collection, id)
    assert everything(db) == before
    assert documents.list(BEN) == []
    CALLS[name](documents, chunks, ANA, collection, id)


def test_every_method_with_an_owner_is_tried() -> None:
    public = {name for kind in (Documents, Chunks) for name in vars(kind) if not name.startswith("_")}
    assert public - CALLS.keys() == {"create", "list", "hashes", "recover", "builds"}


def everything(db: Database) -> list[tuple[Any, ...]]:
    tables = ("collections", "builds", "documents", "document_texts", "chunks", "vectors")
    with db.reading() as connection:
        return [tuple(row) for table in tables for row in connection.execute(f"SELECT * FROM {table}")]


def test_the_same_bytes_are_one_document(documents: Documents, collection: Collection) -> None:
    first, second = registered(documents, collection), registered(documents, collection, name="b.txt")
    assert first == second
    assert len(documents.documents(ANA, collection.id)) == 1


def test_a_document_of_the_same_name_takes_the_place_of_the_older_when_it_is_ready(
    documents: Documents, chunks: Chunks, collection: Collection
) -> None:
    old, new = registered(documents, collection, "old"), registered(documents, collection, "new")
    chunks.put(ANA, collection.id, collection.build.id, old, spans("one", "two"), rows(0, 1))
    (before,) = {chunk.document_id for chunk in chunks.chunks(ANA, collection.id)}
    chunks.put(ANA, collection.id, collection.build.id, new, spans("one"), rows(1))
    assert (before, [one.id for one in documents.documents(ANA, collection.id)]) == (old, [new])
    assert [one.document_id for one in chunks.chunks(ANA, collection.id)] == [new]


def test_known_vectors_are_those_of_the_same_text_and_embedding(
    documents: Documents, chunks: Chunks, collection: Collection
) -> None:
    id = registered(documents, collection)
    chunks.put(ANA, collection.id, collection.build.id, id, spans("one", "two"), rows(0.25, 0.5))
    known = chunks.known(ANA, collection.id, "e", spans("two", "three", "two"))
    assert {number: vector.tolist() for number, vector in known.items()} == {0: [0.5, 0.5], 2: [0.5, 0.5]}
    assert chunks.known(ANA, collection.id, "other", spans("two")) == {}


def test_a_build_is_used_when_nothing_is_missing_in_it(
    documents: Documents, chunks: Chunks, collection: Collection
) -> None:
    first, second = registered(documents, collection, "1", "a"), registered(documents, collection, "2", "b")
    for id in (first, second):
        chunks.put(ANA, collection.id, collection.build.id, id, spans("one"), rows(1))
    build = chunks.begin_build(ANA, collection.id, Build("", "other", "pages", 50, 5))
    assert chunks.begin_build(ANA, collection.id, build) == build, "what was begun is gone on with"
    chunks.put(ANA, collection.id, build.id, first, spans("1", "2"), rows(1, 1))
    assert chunks.missing(ANA, collection.id, build.id) == [second]
    assert not chunks.use(ANA, collection.id, build.id)
    assert documents.get(ANA, collection.id).build.embedding == "e", "the old one answers"
    chunks.put(ANA, collection.id, build.id, second, spans("3"), rows(1))
    assert chunks.use(ANA, collection.id, build.id)
    assert (documents.get(ANA, collection.id).build, chunks.builds()) == (build, {build.id})
    assert [one.text for one in chunks.chunks(ANA, collection.id)] == ["1", "2", "3"]


def test_what_is_deleted_leaves_nothing(
    db: Database, documents: Documents, chunks: Chunks, collection: Collection
) -> None:
    id = registered(documents, collection)
    documents.set_text(ANA, collection.id, id, Extracted("text"))
    chunks.put(ANA, collection.id, collection.build.id, id, spans("one"), rows(1))
    documents.delete(ANA, collection.id)
    assert everything(db) == []


def test_a_document_is_taken_once(documents: Documents, collection: Collection) -> None:
    id = registered(documents, collection)
    taken = [documents.set_status(ANA, collection.id, id, "reading", among=["waiting"]) for _ in range(2)]
    documents.recover()
    assert (taken, documents.document(ANA, collection.id, id).status) == ([True, False], "waiting")


def test_vectors_of_another_length_are_refused(documents: Documents, chunks: Chunks, collection: Collection) -> None:
    first, second = registered(documents, collection, "1", "a"), registered(documents, collection, "2", "b")
    chunks.put(ANA, collection.id, collection.build.id, first, spans("one"), rows(1))
    with pytest.raises(EmbeddingFailed):
        chunks.put(ANA, collection.id, collection.build.id, second, spans("two"), np.ones((1, 3), dtype=np.float32))
    assert [one.text for one in chunks.chunks(ANA, collection.id)] == ["one"]
