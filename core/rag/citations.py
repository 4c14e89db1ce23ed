"""Citations in an answer: found while it streams, and each sentence held against the passages that it cites.

Support is an estimate, and said to be one: the share of a sentence's own words (stems, without stop words) that are in
a passage, or how similar the two are as vectors. A true sentence in words of its own can look unsupported, and a false
one made of the passage's words supported. Knows no page and asks no model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from core.rag import claims, prompt, words
from core.rag.fusion import Floats
from core.rag.grounding import Grounding

CITATION = re.compile(r"\[(\d{1,3}(?:[ \u00a0\u202f]?[,;–-][ \u00a0\u202f]?\d{1,3})*)\]")
_BEGUN = re.compile(r"\[[\d ,;–\u00a0\u202f-]{0,24}$")
_RANGE = re.compile(r"(\d+)(?:[ \u00a0\u202f]?[–-][ \u00a0\u202f]?(\d+))?")

SHARED = 0.6
"""Share of a sentence's words in a passage, from which it counts as supported."""

SIMILAR = 0.7
"""Cosine of the two, from which it does too, where vectors are compared."""

TELLING = 3
"""Words of its own below which a sentence says too little to be judged."""

Verdict = Literal["supported", "weak", "uncited", "unjudged"]
"""`weak`: it cites passages that hardly say so; `uncited`: it cites none; `unjudged`: it says nothing to be judged."""


class Cited(msgspec.Struct, frozen=True):
    """A citation as it stands in the text, and the passages that it names."""

    text: str
    numbers: tuple[int, ...]


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of an answer, `start` to `end`. `numbers`: passages it cites; `unknown`: numbers that there are not.

    `closest`: the passage that shares most with it, cited or not. `share`: of its words in the passages it cites (where
    it cites none, in the closest one). `similarity`: cosine with the best of these, None where it was not compared.
    """

    start: int
    end: int
    text: str
    numbers: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    closest: int | None = None
    share: float = 0.0
    similarity: float | None = None
    verdict: Verdict = "unjudged"

    @property
    def said_by(self) -> int | None:
        """The passage in which most of its words are, where it cites none that supports it."""
        return self.closest if self.verdict == "uncited" and self.share >= SHARED else None


class Citing:
    """Reads an answer as it comes, in whatever pieces. `count`: how many passages there are."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held = ""

    def feed(self, text: str) -> list[str | Cited]:
        """What can be drawn now: text, and citations of passages that there are. What may become one is held back."""
        text, self._held = self._held + text, ""
        begun = _BEGUN.search(text)
        if begun is not None:
            text, self._held = text[: begun.start()], begun[0]
        return self._pieces(text)

    def end(self) -> list[str | Cited]:
        """What was held back, once nothing more comes."""
        held, self._held = self._held, ""
        return self._pieces(held)

    def _pieces(self, text: str) -> list[str | Cited]:
        found: list[str | Cited] = []
        at = 0
        for match in CITATION.finditer(text):
            numbers = tuple(one for one in numbers_in(match[1]) if 0 < one <= self._count)
            if not numbers:
                continue
            if match.start() > at:
                found.append(text[at : match.start()])
            found.append(Cited(match[0], numbers))
            at = match.end()
        if at < len(text):
            found.append(text[at:])
        return found


def pieces(text: str, count: int) -> list[str | Cited]:
    """A whole answer: text, and citations."""
    citing = Citing(count)
    return [*citing.feed(text), *citing.end()]


def numbers_in(text: str) -> tuple[int, ...]:
    """The numbers of a citation, "1, 3–5" written out, each once."""
    found: list[int] = []
    for match in _RANGE.finditer(text):
        first, last = int(match[1]), int(match[2] or match[1])
        found += range(first, min(last, first + 20) + 1) if last >= first else (first, last)
    return tuple(dict.fromkeys(found))


def cited(text: str, count: int) -> tuple[int, ...]:
    """The passages that an answer cites, in the order in which it does."""
    numbers = [number for piece in pieces(text, count) if isinstance(piece, Cited) for number in piece.numbers]
    return tuple(dict.fromkeys(numbers))


def judged(answer: str, grounding: Grounding, embed: Callable[[Sequence[str]], Floats] | None = None) -> list[Sentence]:
    """Each sentence of an answer, and what supports it. embed: compares by vectors too those that share few words."""
    given = [words.telling(one.chunk.text) for one in grounding.passages]
    found = [_judged(answer, start, end, given) for start, end in claims.spans(answer)]
    if embed is None:
        return found
    doubtful = [
        number
        for number, one in enumerate(found)
        if one.verdict in ("weak", "uncited") and (one.numbers or one.closest)
    ]
    if not doubtful:
        return found
    compared = [(found[number].numbers or (found[number].closest or 1,)) for number in doubtful]
    texts = [CITATION.sub("", found[number].text) for number in doubtful]
    pieces = {number: claims.sentences(_text(grounding, number)) for number in {n for some in compared for n in some}}
    flat = [piece for number in pieces for piece in pieces[number]]
    if not flat:
        return found
    vectors = embed([*texts, *flat])
    owners = [number for number in pieces for _ in pieces[number]]
    similar = vectors[: len(texts)] @ vectors[len(texts) :].T
    for row, number in enumerate(doubtful):
        of = [float(similar[row, at]) for at, owner in enumerate(owners) if owner in compared[row]]
        best = max(of, default=0.0)
        one = found[number]
        verdict = "supported" if one.numbers and best >= SIMILAR else one.verdict
        found[number] = msgspec.structs.replace(one, similarity=best, verdict=verdict)
    return found


def _judged(answer: str, start: int, end: int, given: Sequence[set[str]]) -> Sentence:
    text = answer[start:end]
    all_numbers = tuple(dict.fromkeys(n for match in CITATION.finditer(text) for n in numbers_in(match[1])))
    numbers = tuple(n for n in all_numbers if 0 < n <= len(given))
    own = words.telling(CITATION.sub("", text))
    shares = [len(own & one) / len(own) if own else 0.0 for one in given]
    closest = max(range(len(given)), key=shares.__getitem__) + 1 if given and max(shares) > 0 else None
    there = set().union(*(given[n - 1] for n in numbers)) if numbers else set()
    share = len(own & there) / len(own) if numbers and own else max(shares, default=0.0)
    verdict: Verdict
    if len(own) < TELLING or prompt.says_not_there(CITATION.sub("", text)):
        verdict = "unjudged"
    elif numbers:
        verdict = "supported" if share >= SHARED else "weak"
    else:
        verdict = "uncited"
    return Sentence(
        start=start,
        end=end,
        text=text,
        numbers=numbers,
        unknown=tuple(n for n in all_numbers if n not in numbers),
        closest=closest,
        share=share,
        verdict=verdict,
    )


def _text(grounding: Grounding, number: int) -> str:
    passage = grounding.passage(number)
    return passage.chunk.text if passage is not None else ""
