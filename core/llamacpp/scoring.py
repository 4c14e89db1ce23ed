"""Logits to figures: what perplexity.cpp computes for a position, here for some positions at once with numpy.

Let z be the logits and lse = ln Σ exp z. The negative log-likelihood of the token that came is lse − z. Against a
reference with log-probabilities b: KL = Σ exp(b) · (b − z + lse) over the tokens whose b is above −16.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import LogitsInvalid
from core.llamacpp.measuring import Logits, Measured
from core.llamacpp.stored_probabilities import HEAD, RANGE, STEPS, Kept, Rows, width

TOGETHER = 8
"""Positions computed at once by a thread: what they take stays in the processor's cache."""

Floats = NDArray[np.float64]


@dataclass
class Scored:
    """The figures of a chunk, a value for each position, as they come."""

    nll: list[float] = field(default_factory=list)
    base_nll: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    delta_p: list[float] = field(default_factory=list)
    same_top: list[bool] = field(default_factory=list)

    def columns(self) -> dict[str, Any]:
        """As a `Chunk` takes them."""
        return {name: tuple(values) for name, values in vars(self).items()}


class Scorer:
    """Scores positions in several threads; numpy leaves Python's lock while it computes."""

    def __init__(self, model: Measured, *, threads: int, reference: Kept | None, kept: Kept | None) -> None:
        self._name = model.name
        self._reference = reference
        self._kept = kept
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self) -> Scorer:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def score(self, logits: Logits, came: Sequence[int], into: Scored, *, chunk: int, place: int) -> None:
        """Adds positions from `place` of a chunk on. Raises `LogitsInvalid`."""

        def part(start: int) -> tuple[Scored, Rows | None]:
            end = min(start + TOGETHER, len(came))
            rows = self._reference.rows(chunk, place + start, end - start) if self._reference is not None else None
            return figures(logits[start:end], np.asarray(came[start:end]), rows, keep=self._kept is not None)

        for scored, rows in self._pool.map(part, range(0, len(came), TOGETHER)):
            if not np.isfinite(scored.nll).all():
                raise LogitsInvalid(model=self._name, chunk=chunk + 1)
            for name, values in vars(into).items():
                values += getattr(scored, name)
            if rows is not None and self._kept is not None:
                self._kept.append(rows)
        if self._kept is not None:
            self._kept.flush()


def figures(
    logits: Logits, came: NDArray[np.int64], base: Rows | None, *, keep: bool = False
) -> tuple[Scored, Rows | None]:
    """The figures of some positions; with `keep` also their log-probabilities as a file has them."""
    each = np.arange(len(came))
    top = logits.max(axis=1, keepdims=True)
    work = logits - top
    np.exp(work, out=work)
    lse = top + np.log(work.sum(axis=1, keepdims=True))
    nll = (lse[:, 0] - logits[each, came]).astype(np.float64)
    scored = Scored(nll=nll.tolist())
    if base is not None:
        _compare(scored, logits, lse, came, base, work)
    return scored, _rows(logits, top, lse) if keep else None


def _compare(scored: Scored, logits: Logits, lse: Logits, came: NDArray[np.int64], base: Rows, work: Logits) -> None:
    each = np.arange(len(came))
    head = np.ascontiguousarray(base[:, :HEAD]).view(np.float32)
    scale, least = head[:, :1], head[:, 1:2]
    steps = base[:, HEAD : HEAD + logits.shape[1]]
    wanted = np.multiply(steps, scale, dtype=np.float32)
    wanted += least
    np.exp(wanted, out=work)
    work[wanted <= -RANGE] = 0.0
    base_nll = -wanted[each, came].astype(np.float64)
    wanted -= logits
    wanted += lse
    nll = np.asarray(scored.nll)
    scored.base_nll = base_nll.tolist()
    scored.kl = np.einsum("ij,ij->i", work, wanted).astype(np.float64).tolist()
    scored.delta_p = (np.exp(-nll) - np.exp(-base_nll)).tolist()
    scored.same_top = (logits.argmax(axis=1) == steps.argmax(axis=1)).tolist()


def _rows(logits: Logits, top: Logits, lse: Logits) -> Rows:
    least = np.maximum(logits.min(axis=1, keepdims=True), top - np.float32(RANGE))
    scale = (top - least) / np.float32(STEPS)
    rows = np.zeros((len(logits), width(logits.shape[1])), np.uint16)
    rows[:, :HEAD] = np.concatenate([scale, least - lse], axis=1).astype(np.float32).view(np.uint16)
    steps = logits - least
    steps /= np.where(scale > 0, scale, np.float32(1))
    np.maximum(steps, 0.0, out=steps)
    np.rint(steps, out=steps)
    rows[:, HEAD : HEAD + logits.shape[1]] = steps
    return rows
