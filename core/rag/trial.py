"""Passages made searchable for a measurement: embedded here, calibrated, kept nowhere; and many ways of doing so in one
run: chunkers × embeddings × retrievers over the same documents and questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from core.late import np
from core.rag import calibrate, chunk, evaluate
from core.rag.calibrate import Calibration
from core.rag.embed import Embedding
from core.rag.evaluate import Measured
from core.rag.fusion import Floats
from core.rag.question_sets import Question
from core.rag.retrieve import Options, Searcher
from core.rag.values import Chunk, Document, Extracted

AT_ONCE = 64
"""Passages between two looks at how far it is."""

PHASES = {"embedding": (0.0, 0.7), "calibrating": (0.7, 0.2)}
"""Where each begins within a way's work, and its share of it; searching is the rest."""

Step = Callable[[int, int, str], None]
"""Told how many of how many are done, and what it is at; what it raises ends the work."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How documents are cut and embedded."""

    chunker: str
    size: int
    overlap: int
    embedding: str


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one way. `seconds`: cutting and embedding."""

    way: Way
    passages: int
    seconds: float
    calibration: Calibration
    measured: tuple[Measured, ...]


def _silent(done: int, total: int, note: str) -> None:
    """Says nothing."""


def over(passages: Sequence[Chunk], embedding: Embedding, *, step: Step = _silent) -> tuple[Searcher, Calibration]:
    """A searcher over these passages, calibrated. Raises what embedding raises."""
    parts: list[Floats] = []
    for begin in range(0, len(passages), AT_ONCE):
        step(begin, len(passages), "embedding")
        parts.append(embedding.embed([one.text for one in passages[begin : begin + AT_ONCE]]))
    step(len(passages), len(passages), "embedding")
    vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)

    def embed(texts: Sequence[str]) -> Floats:
        return embedding.embed(texts, question=True)

    searcher = Searcher(passages, vectors, embed)
    found = calibrate.calibrate(searcher, embedding.embed, step=lambda done, total: step(done, total, "calibrating"))
    searcher.weight = found.weight if found.known else None
    return searcher, found


def cut(texts: Sequence[tuple[Document, Extracted]], way: Way, embedding: Embedding) -> list[Chunk]:
    """The passages that documents are cut into."""
    found: list[Chunk] = []
    for document, extracted in texts:
        spans = chunk.cut(
            extracted,
            embedding.tokens,
            chunker=way.chunker,
            size=way.size,
            overlap=way.overlap,
            embed=embedding.embed,
        )
        for position, span in enumerate(spans):
            found.append(
                Chunk(
                    id=f"{document.id}-{position}",
                    document_id=document.id,
                    document=document.name,
                    position=position,
                    text=span.text,
                    start=span.start,
                    end=span.end,
                    tokens=span.tokens,
                    page=span.page,
                    headings=span.headings,
                )
            )
    return found


def grid(
    texts: Sequence[tuple[Document, Extracted]],
    ways: Sequence[Way],
    questions: Sequence[Question],
    embedding: Callable[[str], Embedding],
    retrievers: Mapping[str, Options] | None = None,
    *,
    step: Step = _silent,
) -> list[Tried]:
    """Every way, each with every retriever, on the same questions. embedding: gives one by its id.

    Raises `ChunkingInvalid` for sizes that an embedding does not take, before anything is done.
    """
    for way in ways:
        most = embedding(way.embedding).max_tokens
        chunk.check(chunker=way.chunker, size=way.size, overlap=way.overlap, most=most)
    tried = []
    for number, way in enumerate(ways):

        def stepped(done: int, total: int, note: str, number: int = number) -> None:
            begin, share = PHASES[note]
            step(round(1000 * (number + begin + share * done / max(total, 1))), 1000 * len(ways), note)

        one = embedding(way.embedding)
        began = time.perf_counter()
        passages = cut(texts, way, one)
        searcher, found = over(passages, one, step=stepped)
        took = time.perf_counter() - began
        measured = evaluate.evaluate(searcher, questions, retrievers)
        tried.append(Tried(way=way, passages=len(passages), seconds=took, calibration=found, measured=tuple(measured)))
    step(1000 * len(ways), 1000 * len(ways), "")
    return tried
