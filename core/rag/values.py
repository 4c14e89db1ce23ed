"""What passes between the rooms of RAG, as frozen values: a collection, a document, a chunk, a hit."""

from __future__ import annotations

from typing import Literal

import msgspec

Stage = Literal["dense", "bm25", "hybrid", "rerank", "mmr"]
"""A step of the retrieval at which a chunk has a rank."""

DocumentStatus = Literal["waiting", "reading", "embedding", "ready", "failed"]


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
