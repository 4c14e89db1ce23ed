"""How much vectors count beside keywords in one collection, found out without labels.

A sentence is taken out of a passage as a question, and the passage is searched for *without* that sentence, 300 times:
one sentence a passage, and where there are fewer passages two or three, as a small collection tells little. The weight
a (0 … 1) is kept around which nDCG@10 of `a · dense + (1 − a) · BM25` is the best, both min–max scaled over the
candidates of either; or one half alone, where it is far ahead of the other and no mixture surely ahead of it.
Neighbours that say the sentence too, since passages overlap, are no candidates. The same passages give the same weight.
Embeds up to 600 texts: half a minute at most, for the background.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Sequence

import msgspec

from core.late import np
from core.rag import claims, fusion
from core.rag.fusion import Floats
from core.rag.retrieve import CANDIDATES, UNCALIBRATED, Searcher, searched_text

SAMPLED, OF_EACH = 300, 3
"""Questions in all, and of one passage."""

LEAST = 10
"""Questions below which nothing is concluded."""

STEPS = 20
AROUND = 4
"""Steps to either side over which the curve is levelled before its top is looked for."""

SURE, FAR, ENOUGH = 2.0, 4.0, 50
"""Standard errors of the difference between two weights, from which the better one is surely better, and far ahead; and
questions from which such errors tell something."""

SHORTEST, LONGEST = 20, 400
"""Characters of a sentence that may be a question."""

AT_ONCE = 50
"""Questions whose similarity to all passages is computed together: 10 MB for 50,000 passages."""

STALE = 0.2
"""Share of the passages that changed, from which a collection is calibrated anew."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. curve: (weight of the dense scores, nDCG@10), from 0 (keywords alone) to 1 (vectors alone).

    questions: how many were asked; below 10 the weight is the middle and nothing is known. passages: that there were.
    """

    weight: float
    curve: tuple[tuple[float, float], ...] = ()
    questions: int = 0
    passages: int = 0

    @property
    def known(self) -> bool:
        """Whether it was found out."""
        return self.questions >= LEAST

    def at(self, weight: float) -> float | None:
        """nDCG@10 at the weight nearest to this one."""
        return min(self.curve, key=lambda point: abs(point[0] - weight))[1] if self.curve else None


def stale(found: Calibration | None, passages: int) -> bool:
    """Whether a collection of now so many passages has changed much since."""
    return found is None or abs(passages - found.passages) > STALE * max(found.passages, 1)


def calibrate(
    searcher: Searcher,
    embed_passages: Callable[[Sequence[str]], Floats] | None = None,
    *,
    sampled: int = SAMPLED,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:
    """The weight for these passages. embed_passages: where passages are embedded in another way than questions.

    step: told how many questions of how many are done; what it raises ends the work.
    """
    asked = _questions(searcher, sampled)
    passages = len(searcher.chunks)
    if len(asked) < LEAST:
        return Calibration(weight=UNCALIBRATED, questions=len(asked), passages=passages)
    weights = [number / STEPS for number in range(STEPS + 1)]
    gains = np.zeros((len(asked), len(weights)))
    for begin in range(0, len(asked), AT_ONCE):
        some = asked[begin : begin + AT_ONCE]
        step(begin, len(asked))
        vectors = searcher.embed([one.text for one in some])
        rests = (embed_passages or searcher.embed)([one.rest for one in some])
        similar = vectors.astype(np.float32) @ searcher.vectors.T
        for number, one in enumerate(some):
            dense = similar[number]
            dense[one.place] = float(vectors[number] @ rests[number])
            gains[begin + number] = _gains(searcher, one, dense, weights)
    step(len(asked), len(asked))
    curve = tuple((weight, float(gain)) for weight, gain in zip(weights, gains.mean(axis=0), strict=True))
    return Calibration(weight=_best(curve, gains), curve=curve, questions=len(asked), passages=passages)


class _Asked(msgspec.Struct, frozen=True):
    """A sentence, the passage it was taken from, and what is left of that; `excluded`: passages that say it too."""

    text: str
    place: int
    rest: str
    excluded: tuple[int, ...]


def _questions(searcher: Searcher, sampled: int) -> list[_Asked]:
    """Sentences out of the passages, at most so many, chosen by the texts alone: the first of every passage before the
    second of any."""
    chunks = searcher.chunks
    order = sorted(range(len(chunks)), key=lambda place: _number(chunks[place].text, place))
    neighbours = _neighbours(searcher)
    found: list[_Asked] = []
    for turn, place in itertools.product(range(OF_EACH), order):
        taken = _sentence(chunks[place].text, turn)
        if taken is not None:
            sentence, rest = taken
            excluded = tuple(other for other in neighbours(place) if sentence in chunks[other].text)
            found.append(_Asked(sentence, place, rest, excluded))
            if len(found) == sampled:
                break
    return found


def _sentence(text: str, turn: int) -> tuple[str, str] | None:
    """A sentence of a passage, another one at each turn, and the passage without it. None: it has none, or no more."""
    spans = claims.spans(text)
    fitting = [(a, b) for a, b in spans if SHORTEST <= b - a <= LONGEST]
    if len(spans) < 2 or turn >= len(fitting):
        return None
    start, end = fitting[(_number(text, 1) + turn) % len(fitting)]
    sentence, rest = text[start:end], f"{text[:start]} {text[end:]}".strip()
    return None if sentence in rest else (sentence, rest)


def _neighbours(searcher: Searcher) -> Callable[[int], list[int]]:
    """The passages beside one in its document."""
    places = {(chunk.document_id, chunk.position): at for at, chunk in enumerate(searcher.chunks)}

    def beside(place: int) -> list[int]:
        chunk = searcher.chunks[place]
        around = ((chunk.document_id, chunk.position + step) for step in (-2, -1, 1, 2))
        return [places[one] for one in around if one in places]

    return beside


def _number(text: str, salt: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}\0{text}".encode("utf-8", "replace")).digest()[:6], "big")


def _gains(searcher: Searcher, asked: _Asked, dense: Floats, weights: Sequence[float]) -> Floats:
    """nDCG@10 of one question at each weight: 1 ÷ log2(1 + rank), as one passage is right."""
    chunk = searcher.chunks[asked.place]
    words = searcher.bm25.scores(asked.text)
    without = searched_text(msgspec.structs.replace(chunk, text=asked.rest))
    words[asked.place] = searcher.bm25.score_of(asked.text, without, asked.place)
    gone = list(asked.excluded)
    dense[gone], words[gone] = -np.inf, -np.inf
    by_words = fusion.best(words, CANDIDATES)
    near = fusion.best(dense, CANDIDATES)
    places = np.union1d(near, by_words[words[by_words] > 0])
    places = places[~np.isin(places, gone)]
    at = np.flatnonzero(places == asked.place)
    gains = np.zeros(len(weights))
    if not at.size:
        return gains
    for number, weight in enumerate(weights):
        scores = fusion.weighted(dense[places], words[places], weight)
        rank = int(np.count_nonzero(scores >= scores[at[0]]))  # what is level with it may stand before it
        gains[number] = 1 / math.log2(1 + rank) if rank <= 10 else 0.0
    return gains


def _best(curve: Sequence[tuple[float, float]], gains: Floats) -> float:
    """The weight whose neighbourhood is the highest, of several that are equal the middle one.

    Not the highest point: where one half is poor the curve falls steeply behind its top, and the questions that people
    ask have their top elsewhere than sentences have. And one half alone where the other is far behind and the mixture
    may be better by chance; of few questions neither is sure, and the half that looks better may well be the poor one.
    gains: a row a question, a column a weight.
    """
    heights = np.convolve(np.pad([gain for _, gain in curve], AROUND, mode="edge"), np.ones(2 * AROUND + 1), "valid")
    level = np.flatnonzero(heights >= heights.max() - 1e-9)
    best = int(level[len(level) // 2])
    if len(gains) < ENOUGH:
        return curve[best][0]
    ahead, behind = sorted((0, len(curve) - 1), key=lambda end: curve[end][1], reverse=True)
    if _errors(gains[:, ahead] - gains[:, behind]) > FAR and _errors(gains[:, best] - gains[:, ahead]) <= SURE:
        best = ahead
    return curve[best][0]


def _errors(differences: Floats) -> float:
    """The mean of these, in standard errors of it."""
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    return float(differences.mean()) / error if error else 0.0
