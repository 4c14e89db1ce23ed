"""Searching documents in several languages: whether both ways together find as much as the better one, in each.

The same book in each of them, the Debian Administrator's Handbook (GPL-2+ and CC BY-SA 3.0, Debian's package
debian-handbook; installed, or its `html` folder named by `DEBIAN_HANDBOOK`). A passage is a paragraph without its first
sentence, which is the question; paragraphs that nobody has translated yet are left out. All of them as one collection,
and again as small ones, which tell less of how they are to be searched.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from benchmarks.figure import Figure, Plan, Unmeasurable
from benchmarks.retrieval import asked, calibrated
from core.cli.local import OWNER, opened_workbench
from core.rag import claims
from core.rag.embed import DEFAULT

FOLDER = "/usr/share/doc/debian-handbook/html"
ENGLISH = "en-US"
LANGUAGES = {
    ENGLISH: "English",
    "fr-FR": "French",
    "es-ES": "Spanish",
    "de-DE": "German",
    "ru-RU": "Russian",
    "ar-MA": "Arabic",
}
MOST = 400
"""Paragraphs of each."""

SMALL = 100
"""Paragraphs of a small collection."""

SHORTEST = 200
"""Characters of a paragraph."""


def measure(plan: Plan) -> list[Figure]:
    """A figure a language, and one of the small collections of all."""
    book = Path(os.environ.get("DEBIAN_HANDBOOK", FOLDER))
    if not (book / ENGLISH).is_dir():
        raise Unmeasurable(f"there is no handbook in {book}: install Debian's package debian-handbook")
    untranslated = set(_paragraphs(book / ENGLISH))
    with opened_workbench() as workbench:
        embedding = workbench.collections.embeddings.get(OWNER, DEFAULT)
        found, small = [], {}
        for code, language in LANGUAGES.items():
            paragraphs = _translated(book, code, untranslated)
            pairs = list(itertools.islice(_pairs(paragraphs), 60 if plan.repeat == 1 else MOST))
            name, kind = f"languages.{language.lower()}", f"paragraphs in {language}"
            found.append(calibrated(embedding, *asked(pairs), name=name, kind=kind))
            small[language] = [
                calibrated(embedding, *asked(pairs[begin : begin + SMALL]), name=name, kind=kind).value
                for begin in range(0, len(pairs) - SMALL + 1, SMALL)
            ]
    return [*found, *_least(small)]


def _least(small: dict[str, list[float]]) -> list[Figure]:
    means = {language: fmean(values) for language, values in small.items() if values}
    if not means:
        return []
    return [
        Figure(
            name="languages.small",
            what=f"the same in collections of {SMALL} paragraphs, the mean of the language that gains least",
            value=min(means.values()),
            unit="×",
            target=("≥", 1.0),
            details={"means": means, **small},
        )
    ]


def _translated(book: Path, code: str, untranslated: set[str]) -> list[str]:
    found = dict.fromkeys(_paragraphs(book / code))
    return [text for text in found if code == ENGLISH or text not in untranslated]


def _pairs(paragraphs: list[str]) -> Iterator[tuple[str, str]]:
    """First sentences and what follows them."""
    random.Random(8).shuffle(paragraphs)
    for paragraph in paragraphs:
        first, *rest = claims.sentences(paragraph)
        if len(rest) >= 2:
            yield first, " ".join(rest)


def _paragraphs(folder: Path) -> Iterator[str]:
    from lxml import html

    for path in sorted(folder.glob("*.html")):
        for found in html.parse(str(path)).findall(".//div[@class='para']"):
            text = " ".join(found.text_content().split())
            if len(text) >= SHORTEST and found.find(".//div") is None:
                yield text
