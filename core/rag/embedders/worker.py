"""The process that makes vectors with sentence-transformers: `python -m core.rag.embedders.worker`.

Offline, from one folder of safetensors; no code that comes with a model is run. Texts of about one length are computed
together, few at once, which on a processor is quicker than many: padding is computed like words, and small matrices
stay in its cache. Between two batches it looks for a request with fewer texts: a question waits for one batch at most.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import EmbeddingFailed, WorkbenchError
from core.rag.attending import Desk
from core.rag.embedders.wire import Embed, Embedded, Load

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TOGETHER = 8
"""Texts of a batch. Measured by benchmarks/embedding.py."""


@dataclass
class _Work:
    """A request under way: its texts, those still to do, the shortest first, and the vectors so far."""

    id: int
    texts: list[str]
    order: list[int]
    rows: list[tuple[list[int], NDArray[np.float32]]] = field(default_factory=list)


def main() -> None:
    """Serves until the input ends."""
    desk = Desk()
    load = msgspec.json.decode(desk.hello(), type=Load)
    desk.begin()
    model: SentenceTransformer | None = None
    works: list[_Work] = []
    while True:
        while (asked := desk.waiting(block=not works)) is not None:
            embed = msgspec.json.decode(asked.body, type=Embed)
            prefix = load.prefixes[embed.question]
            texts = [prefix + text for text in embed.texts]
            works.append(_Work(asked.id, texts, _longest_first(texts)))
        if not works:
            continue
        work = min(works, key=lambda one: len(one.order))
        try:
            model = model or loaded(load.folder)
            _turn(model, work)
        except WorkbenchError as error:
            works.remove(work)
            desk.refuse(work.id, error)
            continue
        if not work.order:
            works.remove(work)
            desk.answer(work.id, _answer(work))


def loaded(folder: str) -> SentenceTransformer:
    """The model in memory. Raises `EmbeddingFailed`."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    from sentence_transformers import SentenceTransformer

    kwargs: dict[str, Any] = {"use_safetensors": True}
    try:
        return SentenceTransformer(
            folder, device="cpu", local_files_only=True, trust_remote_code=False, model_kwargs=kwargs
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as exc:
        raise EmbeddingFailed(embedding=folder, detail=str(exc).split("\n")[0][:200]) from exc


def encoded(model: SentenceTransformer, texts: list[str]) -> NDArray[np.float32]:
    """A row a text, of length 1."""
    found = model.encode(texts, batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(found, dtype=np.float32)


def _longest_first(texts: list[str]) -> list[int]:
    return sorted(range(len(texts)), key=lambda number: -len(texts[number]))


def _turn(model: SentenceTransformer, work: _Work) -> None:
    """Its next batch."""
    some, work.order = work.order[:TOGETHER], work.order[TOGETHER:]
    work.rows.append((some, encoded(model, [work.texts[number] for number in some])))


def _answer(work: _Work) -> Embedded:
    if not work.rows:
        return Embedded(0, b"")
    dimension = work.rows[0][1].shape[1]
    matrix = np.zeros((len(work.texts), dimension), dtype="<f4")
    for numbers, rows in work.rows:
        matrix[numbers] = rows
    return Embedded(dimension, matrix.tobytes())


if __name__ == "__main__":
    main()
