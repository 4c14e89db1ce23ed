"""Text into the words that keyword search compares: lower case, no stop words, stems, no accents.

French and English are stemmed (Snowball) and lose their stop words; other languages are split at what Unicode calls no
letter and no digit. Chinese, Japanese, Thai and their neighbours write no spaces: they are cut into pairs of
characters, as search engines do. Arabic loses its vowel marks and the variants of its alef. A question is stemmed
in every language of the collection, since five words seldom tell which one they are in.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from core.arena.language import language_of

Language = Literal["en", "fr"]

_STEMMERS: dict[Language, str] = {"en": "english", "fr": "french"}
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
"""Thai and Lao, Burmese, Khmer, Japanese, Chinese."""
_ARABIC = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ـ": None} | {chr(mark): None for mark in range(0x64B, 0x653)}
)


def language(text: str) -> Language | None:
    """French, English, or None."""
    found = language_of(text)
    return found if found in ("en", "fr") else None  # type: ignore[return-value]


def words(text: str, languages: Sequence[Language | None] = (None,)) -> list[str]:
    """The words of a text, in order, as they are indexed. With several languages each word has all its stems, once."""
    split = _split(text)
    if len(languages) == 1:
        return list(filter(None, map(_indexed(languages[0]), split)))
    ways = [_indexed(one) for one in languages]
    return [stem for word in split for stem in _once(way(word) for way in ways)]


def telling(text: str) -> set[str]:
    """The stems of a text in either language, without what is a stop word in one of them: for comparing two texts."""
    ways = [_indexed("en"), _indexed("fr")]
    return {stem for word in _split(text) for stems in [[way(word) for way in ways]] if all(stems) for stem in stems}


def _once(stems: Iterable[str]) -> list[str]:
    found = dict.fromkeys(stems)
    return [stem for stem in found if stem]


def _split(text: str) -> list[str]:
    lowered = unicodedata.normalize("NFKC", text).casefold()
    if not lowered.isascii():
        lowered = lowered.translate(_ARABIC)
    found: list[str] = _WORD.findall(lowered)
    return found if _UNSPACED.search(lowered) is None else _cut(found)


def _cut(words: Iterable[str]) -> list[str]:
    """What is written without spaces in them, as pairs of characters."""
    found: list[str] = []
    for word in words:
        runs = list(_UNSPACED.finditer(word))
        if not runs:
            found.append(word)
            continue
        at = 0
        for run in runs:
            if run.start() > at:
                found.append(word[at : run.start()])
            found += _pairs(run[0])
            at = run.end()
        if at < len(word):
            found.append(word[at:])
    return found


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


@functools.cache
def _indexed(language: Language | None) -> Callable[[str], str]:
    """What a word of that language is indexed as; an empty string for a stop word."""
    if language is None:
        return functools.lru_cache(maxsize=100_000)(_plain)
    import Stemmer
    from bm25s import stopwords

    stemmer = Stemmer.Stemmer(_STEMMERS[language])
    stop = {"en": stopwords.STOPWORDS_EN_PLUS, "fr": stopwords.STOPWORDS_FRENCH}[language]
    stopped = frozenset(stop) | frozenset(map(_plain, stop)) if language == "fr" else frozenset(stop)

    @functools.lru_cache(maxsize=100_000)
    def indexed(word: str) -> str:
        return "" if word in stopped else _plain(stemmer.stemWord(word))

    return indexed


def _plain(word: str) -> str:
    """Without accents, so that "ete" finds "été"; letters of other scripts keep what makes them other letters."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", re.sub("(?<=[a-z])[\u0300-\u036f]+", "", apart))
