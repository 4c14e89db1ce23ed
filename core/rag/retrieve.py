"""From a question to passages, stage by stage: dense, BM25, hybrid, rerank, MMR; every stage's scores and ranks kept.

Dense: the inner product of unit vectors, exact over all passages unless an index gives the nearest. Hybrid: the scores
of both, min–max scaled over the candidates of either, weighted as the collection calibrated itself (calibrate.py), or
reciprocal rank fusion. A `Searcher` is over passages that do not change; it is safe from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec

from core.errors import NothingToSearch
from core.late import np
from core.rag import fusion, mmr
from core.rag.bm25 import Bm25
from core.rag.fusion import Floats
from core.rag.rerank import Reranker
from core.rag.values import Chunk, Hit, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["dense", "bm25", "hybrid"]
Fusion = Literal["weighted", "rrf"]

UNCALIBRATED = 0.5
"""The weight of the dense scores where none was found."""

CANDIDATES = 100
"""Of each ranking, that go into the hybrid one."""

Embed = Callable[[Sequence[str]], Floats]
"""Questions in, a unit vector a row out."""

Nearest = Callable[[Floats, int], Sequence[tuple[str, float]]]
"""A unit vector and a number in; ids of passages and their similarity out, the nearest first."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on where a passage stands; what is empty or None is none. Pages are inclusive."""

    documents: tuple[str, ...] = ()
    """Ids, or names."""
    heading: str = ""
    """Part of a heading above the passage, capitals apart."""
    first_page: int | None = None
    last_page: int | None = None

    def __call__(self, chunk: Chunk) -> bool:
        """Whether the passage is within."""
        if self.documents and chunk.document_id not in self.documents and chunk.document not in self.documents:
            return False
        if self.heading and not any(self.heading.casefold() in one.casefold() for one in chunk.headings):
            return False
        if self.first_page is not None and (chunk.page is None or chunk.page < self.first_page):
            return False
        return self.last_page is None or (chunk.page is not None and chunk.page <= self.last_page)

    @property
    def empty(self) -> bool:
        """Whether everything is within."""
        return self == EVERYTHING


EVERYTHING = Filter()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How passages are searched.

    limit: passages that are wanted. weight: of the dense scores, 0 … 1; None: as the collection calibrated itself.
    candidates: of each ranking, that go on to the next stage. diversity: MMR's, 0 … 1; 0 leaves the stage out.
    """

    method: Method = "hybrid"
    fusion: Fusion = "weighted"
    weight: float | None = None
    limit: int = 6
    candidates: int = CANDIDATES
    diversity: float = 0.0
    within: Filter = EVERYTHING


@dataclass(frozen=True)
class _Stages:
    """Candidates of one question: places of passages, and for each stage their scores; NaN where it gave none."""

    places: NDArray[np.int64]
    scores: Mapping[Stage, Floats]
    last: Stage

    def ranks(self, stage: Stage) -> NDArray[np.int64]:
        """From 1; 0 for those without a score."""
        given = self.scores[stage]
        known = ~np.isnan(given)
        found = np.zeros(len(given), np.int64)
        found[known] = fusion.ranks(given[known])
        return found


@dataclass(eq=False)
class Searcher:
    """Over these passages and their vectors, a unit vector a row in the same order. embed: gives a
    question its vector. nearest: an index over the same vectors. weight: of the dense scores, as calibrated.
    """

    chunks: Sequence[Chunk]
    vectors: Floats
    embed: Embed
    nearest: Nearest | None = None
    weight: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _bm25: Bm25 | None = None
    _places: dict[str, int] | None = None

    @property
    def bm25(self) -> Bm25:
        """The keyword index, made when it is first asked for."""
        with self._lock:
            if self._bm25 is None:
                texts = [searched_text(chunk) for chunk in self.chunks]
                self._bm25 = Bm25(texts, [chunk.document_id for chunk in self.chunks])
            return self._bm25

    def search(
        self,
        question: str,
        options: Options | None = None,
        *,
        also: Sequence[str] = (),
        reranker: Reranker | None = None,
        vector: Floats | None = None,
    ) -> list[Hit]:
        """The passages for a question, the best first. also: other wordings of it, fused by reciprocal ranks.

        vector: the question's own, where it is known already. Raises `NothingToSearch`.
        """
        options = options or Options()
        if not self.chunks:
            raise NothingToSearch()
        mask = self._mask(options.within)
        asked = list(dict.fromkeys(one for one in (question, *also) if one.strip()))
        if not asked:
            return []
        vectors = None
        if options.method != "bm25":
            vectors = vector[np.newaxis] if vector is not None and len(asked) == 1 else self.embed(asked)
        staged = [
            self._staged(one, vectors[number] if vectors is not None else None, options, mask)
            for number, one in enumerate(asked)
        ]
        stages = staged[0] if len(staged) == 1 else _together(staged, options.method)
        if reranker is not None:
            stages = self._reranked(stages, question, options, reranker)
        return self._hits(stages, options)

    def dense(self, vector: Floats) -> Floats:
        """The similarity of every passage."""
        return self.vectors @ vector.astype(np.float32)

    def weight_of(self, options: Options) -> float:
        """How much vectors count beside keywords, asked so."""
        return next((one for one in (options.weight, self.weight) if one is not None), UNCALIBRATED)

    def _mask(self, within: Filter) -> NDArray[np.bool_] | None:
        if within.empty:
            return None
        mask = np.fromiter((within(chunk) for chunk in self.chunks), bool, len(self.chunks))
        if not mask.any():
            raise NothingToSearch()
        return mask

    def _staged(
        self, question: str, vector: Floats | None, options: Options, mask: NDArray[np.bool_] | None
    ) -> _Stages:
        number = max(options.candidates, options.limit)
        words = self.bm25.scores(question) if options.method != "dense" else None
        none: NDArray[np.int64] = np.empty(0, np.int64)
        found_by_words = _candidates(words, number, mask, above=0.0) if words is not None else none
        near = none
        similarity: Floats | None = None
        if options.method != "bm25" and vector is not None:
            near, similarity = self._near(vector, number, mask, found_by_words)
        places = np.union1d(near, found_by_words).astype(np.int64)
        scores: dict[Stage, Floats] = {}
        if similarity is not None:
            scores["dense"] = similarity[places]
        if words is not None:
            scores["bm25"] = np.where(words[places] > 0, words[places], np.nan)
        if similarity is not None and words is not None:
            scores["hybrid"] = fused(scores["dense"], words[places], options, self.weight_of(options))
        return _Stages(places, scores, options.method)

    def _near(
        self, vector: Floats, number: int, mask: NDArray[np.bool_] | None, also: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], Floats]:
        """The nearest passages, and similarities by place: of these and of `also` at least."""
        if self.nearest is None or mask is not None:
            similarity = self.dense(vector)
            return _candidates(similarity, number, mask), similarity
        known = self._numbers()
        found = [(known[id], score) for id, score in self.nearest(vector, number) if id in known]
        near = np.array([place for place, _ in found], np.int64)
        similarity = np.full(len(self.chunks), np.nan, np.float32)
        # From the vectors that are kept, so that all are measured alike, whatever the index rounds.
        places = np.union1d(near, also).astype(np.int64)
        similarity[places] = self.vectors[places] @ vector.astype(np.float32)
        return near, similarity

    def _numbers(self) -> dict[str, int]:
        if self._places is None:
            self._places = {chunk.id: place for place, chunk in enumerate(self.chunks)}
        return self._places

    def _reranked(self, stages: _Stages, question: str, options: Options, reranker: Reranker) -> _Stages:
        number = max(min(options.candidates, RERANKED), options.limit)
        ordered = fusion.best(np.nan_to_num(stages.scores[stages.last], nan=-np.inf), number)
        texts = [self.chunks[int(place)].text for place in stages.places[ordered]]
        scores = np.full(len(stages.places), np.nan, np.float32)
        scores[ordered] = reranker.scores(question, texts)
        return _Stages(stages.places, {**stages.scores, "rerank": scores}, "rerank")

    def _hits(self, stages: _Stages, options: Options) -> list[Hit]:
        final = stages.scores[stages.last]
        ordered = [
            int(at) for at in fusion.best(np.nan_to_num(final, nan=-np.inf), len(final)) if not np.isnan(final[at])
        ]
        worth: dict[int, float] = {}
        if options.diversity > 0 and len(ordered) > 1:
            ordered = ordered[: max(options.candidates, options.limit)]
            vectors = self.vectors[stages.places[ordered]]
            taken, worths = mmr.order(final[ordered], vectors, options.limit, diversity=options.diversity)
            worth = {ordered[at]: value for at, value in zip(taken, worths, strict=True)}
            ordered = [ordered[at] for at in taken]
        ranks = {stage: stages.ranks(stage) for stage in stages.scores}
        hits = []
        for number, at in enumerate(ordered[: options.limit], start=1):
            scores = {stage: float(of[at]) for stage, of in stages.scores.items() if not np.isnan(of[at])}
            ranked = {stage: int(of[at]) for stage, of in ranks.items() if of[at]}
            if worth:
                scores["mmr"], ranked["mmr"] = worth[at], number
            last: Stage = "mmr" if worth else stages.last
            hits.append(Hit(self.chunks[int(stages.places[at])], scores[last], scores, ranked))
        return hits


RERANKED = 30
"""Candidates that a cross-encoder reads: each takes it some hundredths of a second."""


def searched_text(chunk: Chunk) -> str:
    """What keyword search reads of a passage: the headings above it too, since they often name what it is of."""
    return "\n".join((*chunk.headings, chunk.text))


def fused(dense: Floats, words: Floats, options: Options, weight: float) -> Floats:
    """The hybrid scores of candidates."""
    if options.fusion == "rrf":
        by_words = np.where(words > 0, fusion.ranks(words), 0)
        return fusion.reciprocal_rank([fusion.ranks(dense), by_words])
    return fusion.weighted(dense, words, weight)


def _candidates(
    scores: Floats, number: int, mask: NDArray[np.bool_] | None, *, above: float | None = None
) -> NDArray[np.int64]:
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    chosen = fusion.best(scores, number)
    least = -np.inf if above is None else above
    return chosen[scores[chosen] > least]


def _together(staged: Sequence[_Stages], last: Method) -> _Stages:
    """Several wordings as one: at each stage the best score of any, at the last the sum of their reciprocal ranks."""
    places = np.unique(np.concatenate([one.places for one in staged])).astype(np.int64)
    scores: dict[Stage, Floats] = {}
    fusing: list[NDArray[np.int64]] = []
    for one in staged:
        at = np.searchsorted(places, one.places)
        for stage, given in one.scores.items():
            wide = np.full(len(places), np.nan, np.float64)
            wide[at] = given
            scores[stage] = np.fmax(scores[stage], wide) if stage in scores else wide
        ranks = np.zeros(len(places), np.int64)
        ranks[at] = one.ranks(last)
        fusing.append(ranks)
    total = fusion.reciprocal_rank(fusing)
    return _Stages(places, {**scores, "hybrid": np.where(total > 0, total, np.nan)}, "hybrid")
