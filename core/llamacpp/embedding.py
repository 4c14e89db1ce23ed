"""Texts to vectors: a small context of its own over a model's weights, made on first use, as large as is asked.

A text's vector is made of those of its tokens in the last layer: their mean, the first one's or the last one's, as the
model was trained for (`pooling_type` in its file), the mean where it does not say; then scaled to length 1. llama.cpp
would pool itself, but only what is computed at once, with room for as many logits; here a model that reads from left to
right takes a long text in slices, and somebody's answer goes on between two of them. `Embedder` is used by one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from core.errors import ContextOverflow, EmptyPrompt, ModelLoadFailed, ModelUnsupported, WorkbenchError
from core.llamacpp.loading import Batch, LoadedModel

TOGETHER = 8
"""Short texts computed at once."""

SHARED_SLICE = 32
"""Tokens computed at once while somebody's answer waits for its next one."""

SMALLEST = 512
"""Tokens of the smallest context; a larger one is given back when its texts are done."""

Vectors = NDArray[np.float64]

_WEIGHTS: dict[int, Callable[[int, int], float]] = {
    llama.LLAMA_POOLING_TYPE_NONE: lambda place, length: 1.0,
    llama.LLAMA_POOLING_TYPE_MEAN: lambda place, length: 1.0,
    llama.LLAMA_POOLING_TYPE_CLS: lambda place, length: float(place == 0),
    llama.LLAMA_POOLING_TYPE_LAST: lambda place, length: float(place == length - 1),
}
"""What a token counts for in its text's vector, by pooling."""


@dataclass
class Job:
    """Texts of one request, as tokens, and their vectors as far as they have been computed."""

    id: int
    texts: list[list[int]]
    vectors: list[list[float]] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Tokens of all texts."""
        return sum(map(len, self.texts))


@dataclass
class _Wave:
    """The next texts of a job that fit together; `rows`: text, token, place and weight of what is still to compute."""

    rows: deque[tuple[int, int, int, float]]
    sums: Vectors


Done = Callable[[Job], None]
Fail = Callable[[int, WorkbenchError], None]


class Embedder:
    """Jobs in, vectors out, a slice at each `turn`."""

    def __init__(self, model: LoadedModel, *, done: Done, fail: Fail) -> None:
        self._model = model
        self._done = done
        self._fail = fail
        self._jobs: deque[Job] = deque()
        self._wave: _Wave | None = None
        self._context: llama.llama_context_p | None = None
        self._batch: Batch | None = None
        self._size = 0
        self._in_slices = llama.llama_get_memory(model.context) is not None and model.metadata(
            "{arch}.attention.causal"
        ) not in ("false", "0")

    @property
    def busy(self) -> bool:
        """Whether another turn has anything to do."""
        return bool(self._jobs)

    def job(self, number: int, texts: Sequence[str]) -> Job:
        """A request's texts as tokens; from any thread. Raises `EmptyPrompt` or `ContextOverflow`."""
        limit = min(self._model.context_length, self._model.trained_context or self._model.context_length)
        tokens = [self._model.vocabulary.tokenize(text, special=False, begin=True) if text else [] for text in texts]
        if not tokens or not all(tokens):
            raise EmptyPrompt()
        longest = max(map(len, tokens))
        if longest > limit:
            raise ContextOverflow(prompt_tokens=longest, context_length=limit)
        return Job(number, tokens)

    def submit(self, job: Job) -> None:
        """To the end of the queue."""
        self._jobs.append(job)

    def cancel(self, number: int) -> None:
        """Forgets a request. Unknown ids are ignored."""
        if self._jobs and self._jobs[0].id == number:
            self._wave = None
        self._jobs = deque(job for job in self._jobs if job.id != number)

    def turn(self, *, alone: bool) -> None:
        """Computes the next slice of the oldest job, a small one unless `alone`, and says when the job is done."""
        job = self._jobs[0]
        try:
            self._wave = self._wave or self._next_wave(job)
            self._compute(self._wave, at_most=None if alone or not self._in_slices else SHARED_SLICE)
        except WorkbenchError as error:
            self.cancel(job.id)
            self._fail(job.id, error)
            return
        if self._wave.rows:
            return
        job.vectors += _normalised(self._wave.sums)
        self._wave = None
        if len(job.vectors) == len(job.texts):
            self._jobs.popleft()
            self._done(job)
            if not self._jobs and self._size > SMALLEST:
                self._close()

    def _next_wave(self, job: Job) -> _Wave:
        waiting = job.texts[len(job.vectors) :]
        self._make_room(max(map(len, waiting)))
        texts = waiting[:1]
        for text in waiting[1:TOGETHER]:
            if sum(map(len, texts)) + len(text) > self._size:
                break
            texts.append(text)
        weight = self._weight()
        rows = deque(
            (number, token, place, weight(place, len(text)))
            for number, text in enumerate(texts)
            for place, token in enumerate(text)
        )
        memory = llama.llama_get_memory(self._context)
        if memory is not None:
            llama.llama_memory_clear(memory, False)
        return _Wave(rows, np.zeros((len(texts), self._model.dimension)))

    def _compute(self, wave: _Wave, *, at_most: int | None) -> None:
        assert self._batch is not None and self._context is not None
        self._batch.clear()
        taken = [wave.rows.popleft() for _ in range(min(at_most or self._batch.room, self._batch.room, len(wave.rows)))]
        for number, token, place, _ in taken:
            self._batch.add(number, token, place, True)
        llama.llama_set_n_threads(self._context, self._model.threads_now, self._model.threads_now)
        code = llama.llama_decode(self._context, self._batch.handle)
        if code != 0:
            raise ModelLoadFailed(model=self._model.name, detail=f"llama_decode returned {code}")
        given = llama.llama_get_embeddings(self._context)
        vectors = np.ctypeslib.as_array(given, shape=(len(taken), self._model.dimension)).astype(np.float64)
        weights = np.array([weight for *_, weight in taken])
        np.add.at(wave.sums, [number for number, *_ in taken], vectors * weights[:, None])

    def _make_room(self, longest: int) -> None:
        """A context that takes the longest text, in slices where the model reads from left to right."""
        if longest <= self._size:
            return
        self._close()
        size = max(SMALLEST, 1 << (longest - 1).bit_length())
        at_once = min(size, self._model.batch_size) if self._in_slices else size
        self._context = self._model.embedding_context(tokens=size, at_once=at_once, sequences=TOGETHER)
        self._batch, self._size = self._model.new_batch(at_once), size

    def _weight(self) -> Callable[[int, int], float]:
        pooling = int(self._model.metadata("{arch}.pooling_type") or llama.LLAMA_POOLING_TYPE_MEAN)
        if pooling not in _WEIGHTS:
            raise ModelUnsupported(model=self._model.name, detail="it ranks texts and gives no vectors for them")
        return _WEIGHTS[pooling]

    def _close(self) -> None:
        if self._context is not None and self._batch is not None:
            llama.llama_free(self._context)
            self._batch.close()
        self._context, self._batch, self._size = None, None, 0


def _normalised(vectors: Vectors) -> list[list[float]]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: list[list[float]] = (vectors / np.where(lengths > 0, lengths, 1.0)).tolist()
    return rows
