"""How a document comes into a collection: read, cut, embedded, kept. One document after the other, in a job.

What fails is that one document's row; the others go on. What is kept of a document is kept at once, so a process that
is killed leaves no half document, and what it had not finished waits to be taken up again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from core.errors import N_, DocumentUnreadable, EmbeddingFailed, NotThere, StoreError, WorkbenchError
from core.jobs import Halted, Job
from core.late import np
from core.rag import chunk, extract
from core.rag.embed import Embedding, Embeddings
from core.rag.files import Files
from core.rag.holding import Holding
from core.rag.values import Build, Document, Extracted, Span
from core.store.chunks import OTHER_LENGTH, Chunks
from core.store.documents import Documents

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLICE = 32
"""Texts that are embedded before somebody looks whether to stop."""

READING = 0.2
"""The share of a document's time that reading it takes, for saying how far it is."""

_ELSEWHERE = N_("Another program is adding to this collection")

Matrix: TypeAlias = "NDArray[np.float32]"
Advance = Callable[[float], None]
"""Told how much of a document is done, 0 … 1. Raises `Halted` where it is to end."""


class Summary(msgspec.Struct, frozen=True):
    """What a job did, in documents. `same`: were there already."""

    ready: int = 0
    failed: int = 0
    same: int = 0


class Ingest:
    """The work itself. Thread-safe: a document is taken by one thread of one process."""

    def __init__(
        self, documents: Documents, chunks: Chunks, files: Files, embeddings: Embeddings, holding: Holding
    ) -> None:
        self._documents = documents
        self._chunks = chunks
        self._files = files
        self._embeddings = embeddings
        self._holding = holding
        self._lock = threading.Lock()
        self._progress: dict[str, float] = {}

    def progress(self, document_id: str) -> float | None:
        """How much of a document is done, 0 … 1; None where this process is not at it."""
        return self._progress.get(document_id)

    def documents(self, job: Job, owner: str, id: str, todo: Sequence[Document], passwords: dict[str, str]) -> Summary:
        """Takes in those that wait, and says in the job how far it is: in bytes, with a little for each document."""
        with self._holding.hold(id, lambda: job.step(0, None, _ELSEWHERE)) as first:
            if first:
                self._documents.free(owner, id)
            return self._all(job, owner, id, todo, passwords)

    def _all(self, job: Job, owner: str, id: str, todo: Sequence[Document], passwords: dict[str, str]) -> Summary:
        weights = [one.size + 2000 for one in todo]
        total, done, ready, failed = float(sum(weights)), 0.0, 0, 0
        for document, weight in zip(todo, weights, strict=True):

            def advance(
                fraction: float, *, weight: float = weight, before: float = done, of: Document = document
            ) -> None:
                self._progress[of.id] = fraction
                job.step(before + fraction * weight, total, of.name)

            with self._shown(document):
                advance(0.0)
                outcome = self._one(job, owner, id, document, passwords.get(document.id, ""), advance)
            ready, failed = ready + (outcome is True), failed + (outcome is False)
            done += weight
        job.step(total, total, "")
        return Summary(ready, failed)

    def rebuild(self, job: Job, owner: str, id: str, build: Build) -> bool:
        """Cuts and embeds all documents anew into a build that takes the old one's place when it is whole."""
        with self._holding.hold(id, lambda: job.step(0, None, _ELSEWHERE)):
            return self._rebuilt(job, owner, id, build)

    def _rebuilt(self, job: Job, owner: str, id: str, build: Build) -> bool:
        made = self._chunks.begin_build(owner, id, build)
        embedding = self._embeddings.get(owner, made.embedding)
        everything = [one for one in self._documents.documents(owner, id) if one.status == "ready"]
        total = float(sum(one.size + 2000 for one in everything))
        while missing := self._chunks.missing(owner, id, made.id):
            sizes = {one.id: one.size + 2000 for one in self._documents.documents(owner, id)}
            total = max(total, float(sum(sizes.values())))
            done = total - sum(sizes.get(one, 0) for one in missing)
            for document_id in missing:
                try:
                    document = self._documents.document(owner, id, document_id)
                    extracted = self._documents.extracted(owner, id, document_id)
                except NotThere:  # taken out meanwhile
                    self._documents.get(owner, id)
                    continue

                def advance(fraction: float, *, of: Document = document, at: float = done, most: float = total) -> None:
                    job.step(at + fraction * (of.size + 2000), most, of.name)

                spans, vectors = self._embedded(owner, id, made, embedding, extracted, advance)
                self._chunks.put(owner, id, made.id, document_id, spans, vectors)
                done += document.size + 2000
        return self._chunks.use(owner, id, made.id)

    def _one(self, job: Job, owner: str, id: str, document: Document, password: str, advance: Advance) -> bool | None:
        """Whether it could be taken in; None where another thread or process has it, or it was taken out."""
        if not self._documents.set_status(owner, id, document.id, "reading", among=["waiting"]):
            return None
        try:
            self._take_in(owner, id, document, password, advance)
        except Halted:
            self._documents.set_status(owner, id, document.id, "waiting", among=["reading", "embedding"])
            raise
        except (NotThere, StoreError):
            self._documents.get(owner, id)  # raises where it is the collection that is gone
            return None
        except WorkbenchError as error:
            if job.halting:  # what it needs was ended before it
                self._documents.set_status(owner, id, document.id, "waiting", among=["reading", "embedding"])
                raise Halted from error
            self._documents.fail(owner, id, document.id, error)
            return False
        except Exception:
            self._documents.fail(owner, id, document.id, DocumentUnreadable(detail=N_("something unforeseen in it")))
            raise
        return True

    def _take_in(self, owner: str, id: str, document: Document, password: str, advance: Advance) -> None:
        path = self._files.path(id, document.hash)
        if not path.is_file():
            raise DocumentUnreadable(detail=N_("its file is gone: add it again"))

        def step(done: int, total: int) -> None:
            advance(READING * done / max(total, 1))

        extracted = extract.extract(path, document.name, password=password, step=step)
        self._documents.set_text(owner, id, document.id, extracted)
        self._documents.set_status(owner, id, document.id, "embedding", among=["reading"])
        for _ in range(3):  # the build in use may change meanwhile
            build = self._documents.get(owner, id).build
            embedding = self._embeddings.get(owner, build.embedding)

            def rest(fraction: float) -> None:
                advance(READING + (1 - READING) * fraction)

            spans, vectors = self._embedded(owner, id, build, embedding, extracted, rest)
            if self._chunks.put(owner, id, build.id, document.id, spans, vectors):
                return
            self._documents.document(owner, id, document.id)

    def _embedded(
        self, owner: str, id: str, build: Build, embedding: Embedding, extracted: Extracted, advance: Advance
    ) -> tuple[list[Span], Matrix]:
        """The chunks and their vectors; only texts that have none of this embedding yet are embedded."""

        def whole(texts: Sequence[str]) -> Matrix:
            return _vectors(embedding, texts, lambda fraction: advance(fraction / 2))

        spans = list(
            chunk.cut(
                extracted,
                embedding.tokens,
                chunker=build.chunker,
                size=build.size,
                overlap=build.overlap,
                embed=whole,
            )
        )
        known = self._chunks.known(owner, id, build.embedding, spans)
        new = [number for number in range(len(spans)) if number not in known]
        begin = 0.5 if build.chunker == "semantic" else 0.0
        made = _vectors(embedding, [spans[number].text for number in new], lambda f: advance(begin + (1 - begin) * f))
        rows = known | dict(zip(new, made, strict=True))
        if len({len(row) for row in rows.values()}) > 1:
            raise EmbeddingFailed(embedding=embedding.id, detail=OTHER_LENGTH)
        return spans, np.stack([rows[number] for number in range(len(spans))])

    @contextmanager
    def _shown(self, document: Document) -> Iterator[None]:
        try:
            yield
        finally:
            with contextlib.suppress(KeyError):
                del self._progress[document.id]


def _vectors(embedding: Embedding, texts: Sequence[str], advance: Advance) -> Matrix:
    """A row a text. Those of about one length go together: what is padded is computed too."""
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
    total, done = sum(map(len, texts)), 0
    rows: Matrix | None = None
    for at in range(0, len(order), SLICE):
        advance(done / total)
        some = order[at : at + SLICE]
        made = embedding.embed([texts[number] for number in some])
        if rows is None:
            rows = np.empty((len(texts), made.shape[1]), dtype=np.float32)
        rows[some] = made
        done += sum(len(texts[number]) for number in some)
    assert rows is not None
    advance(1.0)
    return rows
