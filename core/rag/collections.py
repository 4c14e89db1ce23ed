"""Collections of documents: what a page, a command and the retrieval do with them. Each owner has their own.

The database holds everything (core/store/documents.py, chunks.py), files.py what was added as it came, index.py makes
it quick to search. Adding is a job in the background that a page may leave. Thread-safe.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import N_, DocumentTooLarge, NotThere, PageRefused
from core.jobs import Job, Jobs
from core.models.remote.permit import Preferences
from core.rag import chunk, extract, fetch
from core.rag.embed import DEFAULT, Embeddings
from core.rag.files import Files, Incoming, shown_name
from core.rag.holding import Holding
from core.rag.index import SearchIndex
from core.rag.ingest import Ingest, Summary
from core.rag.values import Build, Chunk, Collection, Document, Extracted, Span
from core.store.chunks import Chunks
from core.store.documents import UNFINISHED, Documents

Matrix = NDArray[np.float32]

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
        todo: builtins.list[Document] = []
        passwords: dict[str, str] = {}
        same = 0
        for file in files:
            document, new = self._register(owner, id, file)
            if document.id in passwords:
                same += 1
                continue
            passwords[document.id] = file.password
            if new and document.status in UNFINISHED:
                todo.append(document)
            elif not new:
                same += 1
        return self._start(owner, id, todo, passwords, same)

    def resume(self, owner: str, id: str) -> Job:
        """Takes up again what waits: after a stop, or the end of the process that was at it."""
        waiting = [one for one in self._documents.documents(owner, id) if one.status == "waiting"]
        return self._start(owner, id, waiting, {}, 0)

    def retry(self, owner: str, id: str, document_id: str, *, password: str = "") -> Job:
        """Tries a document that failed once more."""
        self._documents.set_status(owner, id, document_id, "waiting", among=["failed"])
        document = self._documents.document(owner, id, document_id)
        return self._start(owner, id, [document], {document_id: password}, 0)

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

    def unfinished(self, owner: str, id: str) -> builtins.list[Document]:
        """The documents that nothing has become of yet."""
        return [one for one in self._documents.documents(owner, id) if one.status in UNFINISHED]

    def preview(self, owner: str, id: str, document_id: str, build: Build) -> Iterator[Span]:
        """The chunks that a document would be cut into; the semantic way embeds. Raises `ChunkingInvalid`."""
        self._check(owner, build)
        embedding = self.embeddings.get(owner, build.embedding)
        extracted = self._documents.extracted(owner, id, document_id)
        return chunk.cut(
            extracted,
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
        """Fetches a page of the web, and adds it; its row is there when it has come.

        Raises `PageRefused`, `AddressInvalid` or `LocalOnly`.
        """
        if not self.web(owner):
            raise PageRefused(detail=N_("reading pages of the web is off"))
        return self.add(owner, id, [fetch.page(url, local_only=local_only)])

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

    def _register(self, owner: str, id: str, file: Incoming) -> tuple[Document, bool]:
        kept = self._files.put(id, file, most=extract.FILE_LIMIT)
        document, new = self._documents.register(
            owner,
            id,
            name=shown_name(file.name),
            media_type="application/octet-stream",
            hash=kept.hash,
            size=kept.size,
        )
        if kept.size > extract.FILE_LIMIT and document.status != "failed":
            self._documents.fail(owner, id, document.id, DocumentTooLarge(detail=N_("it has more than 200 MB")))
            return self._documents.document(owner, id, document.id), True
        return document, new

    def _start(self, owner: str, id: str, todo: Sequence[Document], passwords: dict[str, str], same: int) -> Job:
        def work(job: Job) -> Summary:
            done = self._ingest.documents(job, owner, id, todo, passwords)
            self.index.sync_soon(owner, self._documents.get(owner, id))
            return Summary(done.ready, done.failed, same)

        return self._jobs.start(owner, KIND, id, work)
