"""The process that makes vectors with sentence-transformers: `python -m core.rag.embedders.worker`.

Offline, from one folder of safetensors; no code that comes with a model is run. Texts of about one length are computed
together, few at once, and each batch by one core: padding is computed like words, small matrices stay in a core's
cache, and cores that share a small matrix wait for each other more than they compute (benchmarks/embedding.py). When a
batch is done, the next is of the request with the fewest texts: a question waits for no document.

Where the processor multiplies bfloat16 by itself, matrices are multiplied in it, twice as fast; norms, sums and the
vectors stay float32. Their cosine to those computed in float32 alone is 0.9999, and they find the same
(benchmarks/retrieval.py).
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import EmbeddingFailed, WorkbenchError
from core.models.local.model_settings import physical_cores
from core.rag.attending import Desk
from core.rag.embedders.wire import Embed, Embedded, Load

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TOGETHER = 4
"""Texts of a batch."""

BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""What a processor is said to have (`torch.cpu.get_capabilities`) that multiplies bfloat16 by itself. Others would take
longer, each number being made a float32 first."""

Rows = NDArray[np.float32]


@dataclass(eq=False)
class _Work:
    """A request under way: its texts, those still to do, the longest first, and the vectors so far."""

    id: int
    texts: list[str]
    order: list[int]
    rows: list[tuple[list[int], Rows]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return sum(len(numbers) for numbers, _ in self.rows) == len(self.texts)


class Embedder:
    """A model, and a thread a core that computes with it. Raises `EmbeddingFailed` where there is none to load."""

    def __init__(self, folder: str) -> None:
        self._model = loaded(folder)
        self._preparing = threading.Lock()  # a tokenizer is not made for several threads
        self.lanes = physical_cores()
        self._pool = ThreadPoolExecutor(self.lanes, initializer=_one_core)
        self._bfloat16 = multiplies_bfloat16()

    def start(self, texts: list[str]) -> Future[Rows]:
        """A row a text, of length 1."""
        return self._pool.submit(self._rows, texts)

    def _rows(self, texts: list[str]) -> Rows:
        import torch

        with self._preparing:
            features = self._model.preprocess(texts)
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bfloat16):
            given = self._model(features)["sentence_embedding"]
        rows = np.asarray(given.float().numpy(), dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


def main() -> None:
    """Serves until the input ends."""
    desk = Desk()
    load = msgspec.json.decode(desk.hello(), type=Load)
    desk.begin()
    embedder: Embedder | None = None
    works: list[_Work] = []
    running: dict[Future[Rows], tuple[_Work, list[int]]] = {}
    while True:
        while (asked := desk.waiting(block=not works)) is not None:
            embed = msgspec.json.decode(asked.body, type=Embed)
            prefix = load.prefixes[embed.question]
            works.append(_work(asked.id, [prefix + text for text in embed.texts]))
        try:
            embedder = embedder or Embedder(load.folder)
        except WorkbenchError as error:
            for work in works:
                desk.refuse(work.id, error)
            works.clear()
            continue
        while len(running) < embedder.lanes and (waiting := [one for one in works if one.order]):
            work = min(waiting, key=lambda one: len(one.order))
            some, work.order = work.order[:TOGETHER], work.order[TOGETHER:]
            running[embedder.start([work.texts[number] for number in some])] = (work, some)
        if running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                work, some = running.pop(future)
                _take(desk, works, work, some, future, load.folder)
        for work in [one for one in works if one.done]:
            works.remove(work)
            desk.answer(work.id, _answer(work))


def multiplies_bfloat16() -> bool:
    """Whether this processor does, faster than float32."""
    import torch

    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in BFLOAT16)


def loaded(folder: str) -> SentenceTransformer:
    """The model in memory. Raises `EmbeddingFailed`."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    from sentence_transformers import SentenceTransformer

    kwargs: dict[str, Any] = {"use_safetensors": True}
    try:
        model = SentenceTransformer(
            folder, device="cpu", local_files_only=True, trust_remote_code=False, model_kwargs=kwargs
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as exc:
        raise EmbeddingFailed(embedding=folder, detail=str(exc).split("\n")[0][:200]) from exc
    model.eval()
    return model


def _one_core() -> None:
    import torch

    torch.set_num_threads(1)


def _work(id: int, texts: list[str]) -> _Work:
    return _Work(id, texts, sorted(range(len(texts)), key=lambda number: -len(texts[number])))


def _take(desk: Desk, works: list[_Work], work: _Work, some: list[int], future: Future[Rows], folder: str) -> None:
    """What a batch came to; a request one of whose batches failed is refused."""
    error = future.exception()
    if error is None:
        work.rows.append((some, future.result()))
    elif work in works:
        works.remove(work)
        desk.refuse(work.id, EmbeddingFailed(embedding=folder, detail=str(error).split("\n")[0][:200]))


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
