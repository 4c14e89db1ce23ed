"""Keyword search over chunks: BM25 (Robertson et al. 1994, as Lucene writes it) by `bm25s`, MIT.

Scores are computed when the index is built, so that a question sums a few sparse columns. Each document's words are
stemmed in its own language (words.py). The index lives in memory and is built anew from the chunks: 50,000 of them take
some seconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from core.late import np
from core.rag import words
from core.rag.words import Language

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float32]"

K1, B = 1.5, 0.75

TOLD_BY = 4000
"""Characters of a document by which its language is told."""


class Bm25:
    """The index of these texts. `documents`: for each text, whose it is; a document has one language."""

    def __init__(self, texts: Sequence[str], documents: Sequence[str] | None = None) -> None:
        import bm25s

        self._size = len(texts)
        self._languages = _languages(texts, documents if documents is not None else [str(i) for i in range(len(texts))])
        self.languages: tuple[Language | None, ...] = tuple(sorted(set(self._languages), key=str)) or (None,)
        """Those of the collection."""
        tokens = [words.words(text, (one,)) for text, one in zip(texts, self._languages, strict=True)]
        lengths = [len(one) for one in tokens]
        self._average = sum(lengths) / len(lengths) if lengths else 0.0
        self._index: Any = None
        if any(lengths):
            self._index = bm25s.BM25(k1=K1, b=B, method="lucene")
            self._index.index(tokens, show_progress=False)

    def scores(self, question: str) -> Floats:
        """One for each text; 0 where no word of the question is in it."""
        ids = self._ids(question)
        if not ids:
            return np.zeros(self._size, np.float32)
        return cast(Floats, self._index.get_scores_from_ids(ids))

    def score_of(self, question: str, text: str, number: int) -> float:
        """What the text at this place would score if it read so: for calibration, which takes a sentence out of it."""
        asked = Counter(words.words(question, self.languages))
        there = Counter(words.words(text, (self._languages[number],)))
        length = sum(there.values())
        weight = K1 * (1 - B + B * length / self._average) if self._average else K1
        return sum(
            n * self._idf(word) * there[word] / (there[word] + weight) for word, n in asked.items() if word in there
        )

    def _ids(self, question: str) -> list[int]:
        if self._index is None:
            return []
        known = self._index.vocab_dict
        return [known[word] for word in words.words(question, self.languages) if word in known]

    def _idf(self, word: str) -> float:
        id = self._index.vocab_dict.get(word) if self._index is not None else None
        starts = self._index.scores["indptr"] if id is not None else ()
        holding = int(starts[id + 1] - starts[id]) if id is not None else 0
        return math.log(1 + (self._size - holding + 0.5) / (holding + 0.5))


def _languages(texts: Sequence[str], documents: Sequence[str]) -> list[Language | None]:
    """Each text's: its document's, and where a document does not tell, that of most others."""
    samples: dict[str, str] = {}
    for text, document in zip(texts, documents, strict=True):
        sample = samples.get(document, "")
        if len(sample) < TOLD_BY:
            samples[document] = f"{sample} {text}"[:TOLD_BY]
    told = {document: words.language(sample) for document, sample in samples.items()}
    latin = {document for document, sample in samples.items() if _is_latin(sample)}
    known = Counter(one for one in told.values() if one is not None)
    # A short French text in a French collection is French; a Russian one is not.
    usual = known.most_common(1)[0][0] if known and known.total() * 2 > len(told) else None
    found = {document: one or (usual if document in latin else None) for document, one in told.items()}
    return [found[document] for document in documents]


def _is_latin(text: str) -> bool:
    letters = [c for c in text[:400] if c.isalpha()]
    return sum(c < "\u0250" for c in letters) * 2 > len(letters)
