"""From a pass over a text to its figures, by the formulas of llama.cpp's tools/perplexity/perplexity.cpp.

A mean's standard error is √(variance ÷ (n − 1)), of variances with n in the denominator; it takes the positions for
independent of each other, which neighbours in a text are not quite: take it for a lower bound. That of a perplexity, or
of a ratio, is the error of its logarithm times itself. Percentiles are interpolated between the values next to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from core.gguf.measures import Chunk
from core.late import np


class Estimate(msgspec.Struct, frozen=True):
    """A value and its standard error."""

    value: float
    error: float

    def __sub__(self, other: Estimate) -> Estimate:
        """The difference of two that know nothing of each other."""
        return Estimate(self.value - other.value, math.hypot(self.error, other.error))


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """KL divergence from the reference's distribution, over the scored positions; natural logarithm."""

    mean: Estimate
    median: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a pass; those from `ratio` on only with a reference.

    positions: scored. ratio: perplexity ÷ the reference's, its error from the covariance of both. delta_p: p of the
    token that came minus the reference's p of it; delta_p_rms: its root mean square. same_top: share of positions at
    which both hold the same token most probable.
    """

    perplexity: Estimate
    chunks: int
    positions: int
    base_perplexity: Estimate | None = None
    ratio: Estimate | None = None
    kl: Divergence | None = None
    delta_p: Estimate | None = None
    delta_p_rms: Estimate | None = None
    same_top: Estimate | None = None


def quality(chunks: Sequence[Chunk]) -> Quality:
    """The figures of at least one chunk."""
    nll = np.array([value for chunk in chunks for value in chunk.nll])
    plain = Quality(perplexity=_exp(mean(nll)), chunks=len(chunks), positions=len(nll))
    if not chunks[0].kl:
        return plain
    base = np.array([value for chunk in chunks for value in chunk.base_nll])
    delta = np.array([value for chunk in chunks for value in chunk.delta_p])
    same = np.array([value for chunk in chunks for value in chunk.same_top], dtype=float)
    squares = mean(delta**2)
    rms = math.sqrt(squares.value)
    return msgspec.structs.replace(
        plain,
        base_perplexity=_exp(mean(base)),
        ratio=_exp(mean(nll - base)),
        kl=divergence([value for chunk in chunks for value in chunk.kl]),
        delta_p=mean(delta),
        delta_p_rms=Estimate(rms, 0.5 / rms * squares.error if rms else 0.0),
        same_top=mean(same),
    )


def divergence(values: Sequence[float]) -> Divergence:
    """Of at least one position."""
    own = np.asarray(values)
    median, p90, p95, p99, p999 = (float(one) for one in np.quantile(own, (0.5, 0.9, 0.95, 0.99, 0.999)))
    return Divergence(mean=mean(own), median=median, p90=p90, p95=p95, p99=p99, p999=p999, max=float(own.max()))


def mean(values: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Estimate:
    """The mean of values, and its standard error; 0 of a single one."""
    own = np.asarray(values, dtype=float)
    error = math.sqrt(float(own.var()) / (len(own) - 1)) if len(own) > 1 else 0.0
    return Estimate(float(own.mean()), error)


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """How much more ours is than theirs, position by position: chance that both share is not in the error."""
    return mean(np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float))


def _exp(log: Estimate) -> Estimate:
    value = math.exp(min(log.value, 700.0))  # beyond, there is no number for it
    return Estimate(value, value * log.error)
