"""Collections of documents: what a page, a command and the retrieval do with them. Each owner has their own.

The database holds everything (core/store/documents.py, chunks.py), files.py what was added as it came, index.py makes
it quick to search. Adding is a job in the background that a page may leave. Thread-safe.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from core.errors import N_, DocumentTooLarge, NotThere, PageRefused, WorkbenchError
from core.jobs import Job, Jobs
from core.late import np
from core.models.remote.permit import Preferences
from core.rag import chunk, extract, fetch
from core.rag.embed import DEFAULT, Embeddings
from core.rag.files import Files, Incoming, numbered, shown_name
from core.rag.holding import Holding
from core.rag.index import SearchIndex
from core.rag.ingest import Ingest, Summary
from core.rag.values import Build, Chunk, Collection, Document, Extracted, Span
from core.store.chunks import Chunks
from core.store.documents import UNFINISHED, Documents

if TYPE_CHECKING:
    from numpy.typing import NDArray

Matrix: TypeAlias = "NDArray[np.float32]"

KIND = "documents"
"""Of the jobs; their subject is the collection's id."""

WEB = "read web pages"
"""Name of a preference."""

SIZE, OVERLAP = 200, 40
"""Tokens of a chunk, and of those that it has in common with the one before."""


class Collections:
    """The collections of one workbench."""

    def __init__(
        self,
        documents: Documents,
        chunks: Chunks,
        files: Files,
        embeddings: Embeddings,
        index: SearchIndex,
        jobs: Jobs,
        preferences: Preferences,
    ) -> None:
        self.embeddings = embeddings
        self.index = index
        self._documents = documents
        self._chunks = chunks
        self._files = files
        self._jobs = jobs
        self._preferences = preferences
        self._ingest = Ingest(documents, chunks, files, embeddings, Holding(files.locks))

    def create(
        self,
        owner: str,
        name: str,
        *,
        embedding: str = DEFAULT,
        chunker: str = "sentences",
        size: int = SIZE,
        overlap: int = OVERLAP,
    ) -> Collection:
        """An empty collection. Raises `ChunkingInvalid` or `EmbeddingMissing`."""
        self._check(owner, Build("", embedding, chunker, size, overlap))
        name = shown_name(name)
        return self._documents.create(owner, name, embedding=embedding, chunker=chunker, size=size, overlap=overlap)

    def list(self, owner: str) -> Sequence[Collection]:
        """The newest first."""
        return self._documents.list(owner)

    def get(self, owner: str, id: str) -> Collection:
        """The collection by this id. Raises `NotThere`, as all below."""
        return self._documents.get(owner, id)

    def named(self, owner: str, name: str) -> Collection:
        """The newest of this name, or by this id."""
        for one in self._documents.list(owner):
            if name in (one.name, one.id):
                return one
        raise NotThere(what=N_("collection"))

    def rename(self, owner: str, id: str, name: str) -> None:
        """Gives a collection another name."""
        self._documents.rename(owner, id, shown_name(name))

    def delete(self, owner: str, id: str) -> None:
        """With all that is in it; what is being added to it ends."""
        build = self._documents.get(owner, id).build
        for job in self.jobs(owner, id):
            job.cancel()
        self._documents.delete(owner, id)
        self._files.remove(id)
        self.index.forget(build.id)

    def set_calibration(self, owner: str, id: str, calibration: dict[str, object] | None) -> None:
        """Keeps what the retrieval found out about the collection: JSON-able."""
        self._documents.set_calibration(owner, id, calibration)

    def documents(self, owner: str, id: str) -> builtins.list[Document]:
        """In the order in which they were added."""
        return self._documents.documents(owner, id)

    def document(self, owner: str, id: str, document_id: str) -> Document:
        """One of them."""
        return self._documents.document(owner, id, document_id)

    def progress(self, document_id: str) -> float | None:
        """How much of a document is done, 0 … 1; None where nothing is being done here."""
        return self._ingest.progress(document_id)

    def extracted(self, owner: str, id: str, document_id: str) -> Extracted:
        """The text that was read out of a document."""
        return self._documents.extracted(owner, id, document_id)

    def original(self, owner: str, id: str, document_id: str) -> Path:
        """The file as it was added. Raises `NotThere` where it is gone."""
        path = self._files.path(id, self._documents.document(owner, id, document_id).hash)
        if not path.is_file():
            raise NotThere(what=N_("file"))
        return path

    def add(self, owner: str, id: str, files: Sequence[Incoming]) -> Job:
        """Takes files in, in the background; their rows are there when this returns.

        The same bytes are one document; a file whose name is there already takes that one's place when it is ready.
        """
        self._documents.get(owner, id)
        taking = self._registered(owner, id, files)
        return self._jobs.start(owner, KIND, id, lambda job: self._take_in(job, owner, id, taking))

    def resume(self, owner: str, id: str) -> Job:
        """Takes up again what waits: after a stop, or the end of the process that was at it."""
        waiting = [one for one in self._documents.documents(owner, id) if one.status == "waiting"]
        return self._jobs.start(owner, KIND, id, lambda job: self._take_in(job, owner, id, _Taking(waiting)))

    def retry(self, owner: str, id: str, document_id: str, *, password: str = "") -> Job:
        """Tries a document that failed once more."""
        self._documents.set_status(owner, id, document_id, "waiting", among=["failed"])
        document = self._documents.document(owner, id, document_id)
        taking = _Taking([document], {document_id: password})
        return self._jobs.start(owner, KIND, id, lambda job: self._take_in(job, owner, id, taking))

    def remove(self, owner: str, id: str, document_ids: Sequence[str]) -> None:
        """Takes documents out."""
        gone = [one for one in self._documents.documents(owner, id) if one.id in set(document_ids)]
        self._documents.remove(owner, id, [one.id for one in gone])
        self._files.remove(id, [one.hash for one in gone])
        self.index.sync_soon(owner, self._documents.get(owner, id))

    def change(self, owner: str, id: str, *, embedding: str, chunker: str, size: int, overlap: int) -> Job:
        """Cuts and embeds everything anew, in the background; until that is done, all stays as it is.

        Raises `ChunkingInvalid` or `EmbeddingMissing`.
        """
        before = self._documents.get(owner, id).build
        build = Build(before.id, embedding, chunker, size, overlap)
        self._check(owner, build)

        def work(job: Job) -> bool:
            if build == before:
                return True
            changed = self._ingest.rebuild(job, owner, id, build)
            if changed:
                self.index.forget(before.id)
                self.index.sync_soon(owner, self._documents.get(owner, id))
            return changed

        return self._jobs.start(owner, KIND, id, work)

    def jobs(self, owner: str, id: str) -> builtins.list[Job]:
        """What runs for a collection, the newest first."""
        return [job for job in self._jobs.list(owner, KIND) if job.subject == id and job.state == "running"]

    def failure(self, owner: str, id: str) -> WorkbenchError | None:
        """Why the newest job of a collection failed as a whole; None where it did not."""
        newest = next((job for job in self._jobs.list(owner, KIND) if job.subject == id), None)
        return newest.error if newest is not None else None

    def unfinished(self, owner: str, id: str) -> builtins.list[Document]:
        """The documents that nothing has become of yet."""
        return [one for one in self._documents.documents(owner, id) if one.status in UNFINISHED]

    def preview(
        self, owner: str, id: str, document_id: str, build: Build, *, characters: int | None = None
    ) -> Iterator[Span]:
        """The chunks that a document, or its first `characters`, would be cut into; the semantic way embeds.

        Raises `ChunkingInvalid`.
        """
        self._check(owner, build)
        embedding = self.embeddings.get(owner, build.embedding)
        extracted = self._documents.extracted(owner, id, document_id)
        return chunk.cut(
            msgspec.structs.replace(extracted, text=extracted.text[:characters]),
            embedding.tokens,
            chunker=build.chunker,
            size=build.size,
            overlap=build.overlap,
            embed=embedding.embed,
        )

    def chunks(self, owner: str, id: str) -> Sequence[Chunk]:
        """All, document by document, in the order of their texts."""
        return self._chunks.chunks(owner, id)

    def some_chunks(self, owner: str, id: str, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Those of these ids, by id; what is gone is left out."""
        return self._chunks.some(owner, id, chunk_ids)

    def document_chunks(self, owner: str, id: str, document_id: str) -> Sequence[Chunk]:
        """Those of one document."""
        return self._chunks.of_document(owner, id, document_id)

    def vectors(self, owner: str, id: str) -> tuple[builtins.list[str], Matrix]:
        """The ids of all chunks, and a row each, of length 1. Not to be written to."""
        return self.index.vectors(owner, self._documents.get(owner, id))

    def search_dense(self, owner: str, id: str, vector: Matrix, *, limit: int) -> builtins.list[tuple[str, float]]:
        """Ids of the nearest chunks, the nearest first, with their cosines."""
        return self.index.search(owner, self._documents.get(owner, id), vector, limit=limit)

    def embed_query(self, owner: str, id: str, text: str) -> Matrix:
        """A question's vector, of length 1. Raises what the collection's embedding raises."""
        build = self._documents.get(owner, id).build
        vector: Matrix = self.embeddings.get(owner, build.embedding).embed([text], question=True)[0]
        return vector

    def version(self, owner: str, id: str) -> str:
        """Another one after each change of what can be found."""
        collection = self._documents.get(owner, id)
        return f"{collection.build.id}.{collection.version}"

    def web(self, owner: str) -> bool:
        """Whether this owner may add pages of the web by their address: off until they say so."""
        return self._preferences.preference(owner, WEB) is True

    def set_web(self, owner: str, on: bool) -> None:
        """Says so, or takes it back."""
        self._preferences.set_preference(owner, WEB, on or None)

    def add_page(self, owner: str, id: str, url: str, *, local_only: bool) -> Job:
        """Fetches a page of the web in the background, and adds it; its row is there when it has come.

        The job fails with `PageRefused`, `AddressInvalid` or `LocalOnly`.
        """
        self._documents.get(owner, id)
        if not self.web(owner):
            raise PageRefused(detail=N_("reading pages of the web is off"))

        def work(job: Job) -> Summary:
            job.step(0, None, N_("The page is being fetched"))
            taking = self._registered(owner, id, [fetch.page(url, local_only=local_only)])
            return self._take_in(job, owner, id, taking)

        return self._jobs.start(owner, KIND, id, work)

    def recover(self) -> None:
        """After a start of the server: what was being taken in waits."""
        self._documents.recover()

    def close(self) -> None:
        """Ends the processes."""
        self.embeddings.close()
        self.index.close()

    def _check(self, owner: str, build: Build) -> None:
        most = self.embeddings.get(owner, build.embedding).max_tokens
        chunk.check(chunker=build.chunker, size=build.size, overlap=build.overlap, most=most)

    def _register(self, owner: str, id: str, file: Incoming, name: str) -> tuple[Document, bool]:
        kept = self._files.put(id, file, most=extract.FILE_LIMIT)
        document, new = self._documents.register(
            owner,
            id,
            name=name,
            media_type="application/octet-stream",
            hash=kept.hash,
            size=kept.size,
        )
        if kept.size > extract.FILE_LIMIT and document.status != "failed":
            self._documents.fail(owner, id, document.id, DocumentTooLarge(detail=N_("it has more than 200 MB")))
            return self._documents.document(owner, id, document.id), True
        return document, new

    def _registered(self, owner: str, id: str, files: Sequence[Incoming]) -> _Taking:
        """Their rows. Files of one name that come together are not versions of one another: each has its own name."""
        taking = _Taking([])
        names: dict[str, str] = {}
        for file in files:
            name, number = shown_name(file.name), 1
            document, new = self._register(owner, id, file, name)
            while names.get(document.name, document.id) != document.id:
                number += 1
                self._documents.set_name(owner, id, document.id, numbered(name, number))
                document = self._documents.document(owner, id, document.id)
            names[document.name] = document.id
            if document.id in taking.passwords or not new:
                taking.same += 1
            elif document.status in UNFINISHED:
                taking.documents.append(document)
            taking.passwords.setdefault(document.id, file.password)
        return taking

    def _take_in(self, job: Job, owner: str, id: str, taking: _Taking) -> Summary:
        before = {one.hash for one in self._documents.documents(owner, id)}
        try:
            done = self._ingest.documents(job, owner, id, taking.documents, taking.passwords)
        finally:
            with suppress(NotThere):
                self._files.remove(id, before - {one.hash for one in self._documents.documents(owner, id)})
        self.index.sync_soon(owner, self._documents.get(owner, id))
        return Summary(done.ready, done.failed, taking.same)


@dataclass
class _Taking:
    """What a job is to take in. `same`: how many of what was given are there already."""

    documents: list[Document]
    passwords: dict[str, str] = field(default_factory=dict)
    same: int = 0
