"""What passes between the rooms of RAG, as frozen values: a collection, a document, a chunk, a hit."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Stage = Literal["dense", "bm25", "hybrid", "rerank", "mmr"]
"""A step of the retrieval at which a chunk has a rank."""

DocumentStatus = Literal["waiting", "reading", "embedding", "ready", "failed"]


class Build(msgspec.Struct, frozen=True):
    """What a collection is cut and embedded into: by which embedding and which chunker. `size` and `overlap`: tokens of
    the embedding model."""

    id: str
    embedding: str
    chunker: str
    size: int
    overlap: int


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection of documents. `version` counts the changes of what can be found in it; `calibration` is JSON-able,
    whatever the retrieval keeps with it. `documents` and `chunks`: how many can be found."""

    id: str
    owner: str
    name: str
    created_at: float
    build: Build
    version: int
    documents: int = 0
    chunks: int = 0
    calibration: dict[str, Any] | None = None


class Document(msgspec.Struct, frozen=True):
    """A document of a collection. `hash`: SHA-256 of its bytes, hexadecimal. `pages`: None where it has none.

    `error`: `WorkbenchError.to_dict()` of what made it fail; `note`: what a person should know of it (a msgid).
    """

    id: str
    collection_id: str
    name: str
    media_type: str
    hash: str
    size: int
    status: DocumentStatus
    added_at: float
    pages: int | None = None
    chunks: int = 0
    error: dict[str, object] | None = None
    note: str = ""


class Heading(msgspec.Struct, frozen=True, array_like=True):
    """A heading of a text: where it begins, how deep it is (1 is the outermost), what it says."""

    start: int
    level: int
    title: str


class Outline(msgspec.Struct, frozen=True):
    """What is known of an extracted text besides its characters. `pages`: where each begins and its number, ascending;
    a document without pages has none."""

    pages: tuple[tuple[int, int], ...] = ()
    headings: tuple[Heading, ...] = ()


class Extracted(msgspec.Struct, frozen=True):
    """The text that was read out of a document, whole. `note`: what a person should know of it (a msgid)."""

    text: str
    outline: Outline = Outline()
    media_type: str = "text/plain"
    pages: int | None = None
    note: str = ""


class Span(msgspec.Struct, frozen=True):
    """A passage as a chunker cut it; what `Chunk` has of it, without the document. `text` is `whole[start:end]`."""

    text: str
    start: int
    end: int
    tokens: int
    page: int | None = None
    headings: tuple[str, ...] = ()


class Chunk(msgspec.Struct, frozen=True):
    """A passage. `start` and `end`: characters of the document's extracted text; `page`: from 1, None where the
    document has none; `headings`: those above it, the outermost first; `tokens`: of the embedding model."""

    id: str
    document_id: str
    document: str
    position: int
    text: str
    start: int
    end: int
    tokens: int
    page: int | None = None
    headings: tuple[str, ...] = ()


class Hit(msgspec.Struct, frozen=True):
    """A chunk that was found. `score`: of the last stage; `scores` and `ranks` (from 1): by stage, where it had one."""

    chunk: Chunk
    score: float
    scores: dict[Stage, float]
    ranks: dict[Stage, int]
