"""Searching documents in several languages: whether both ways together find as much as the better one, in each.

The same book in each of them, the Debian Administrator's Handbook (GPL-2+ and CC BY-SA 3.0, Debian's package
debian-handbook; installed, or its `html` folder named by `DEBIAN_HANDBOOK`). A passage is a paragraph without its first
sentence, which is the question; paragraphs that nobody has translated yet are left out.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, Plan, Unmeasurable
from core.cli.local import OWNER, opened_workbench
from core.rag import claims, trial
from core.rag.embed import DEFAULT, Embedding
from core.rag.evaluate import evaluate
from core.rag.question_sets import Expected, Question
from core.rag.values import Chunk

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

SHORTEST = 200
"""Characters of a paragraph."""


def measure(plan: Plan) -> list[Figure]:
    """One figure a language."""
    book = Path(os.environ.get("DEBIAN_HANDBOOK", FOLDER))
    if not (book / ENGLISH).is_dir():
        raise Unmeasurable(f"there is no handbook in {book}: install Debian's package debian-handbook")
    untranslated = set(_paragraphs(book / ENGLISH))
    with opened_workbench() as workbench:
        embedding = workbench.collections.embeddings.get(OWNER, DEFAULT)
        return [
            _figure(embedding, language, _translated(book, code, untranslated), 60 if plan.repeat == 1 else MOST)
            for code, language in LANGUAGES.items()
        ]


def _translated(book: Path, code: str, untranslated: set[str]) -> list[str]:
    found = dict.fromkeys(_paragraphs(book / code))
    return [text for text in found if code == ENGLISH or text not in untranslated]


def _figure(embedding: Embedding, language: str, paragraphs: list[str], most: int) -> Figure:
    random.Random(8).shuffle(paragraphs)
    passages, questions = [], []
    for paragraph in paragraphs:
        first, *rest = claims.sentences(paragraph)
        if len(rest) >= 2 and len(passages) < most:
            name, text = str(len(passages)), " ".join(rest)
            passages.append(Chunk(name, name, name, 0, text, 0, len(text), 0))
            questions.append(Question(id=name, text=first, expected=(Expected(document=name),)))
    searcher, calibration = trial.over(passages, embedding)
    means = {one.name: one.means["ndcg@10"].mean for one in evaluate(searcher, questions)}
    return Figure(
        name=f"languages.{language.lower()}",
        what=f"nDCG@10 of calibrated hybrid ÷ the better of dense and BM25, {len(questions)} paragraphs in {language}",
        value=means["hybrid"] / max(means["dense"], means["bm25"]),
        unit="×",
        target=("≥", 1.0),
        details={**means, "weight": calibration.weight},
    )


def _paragraphs(folder: Path) -> Iterator[str]:
    from lxml import html

    for path in sorted(folder.glob("*.html")):
        for found in html.parse(str(path)).findall(".//div[@class='para']"):
            text = " ".join(found.text_content().split())
            if len(text) >= SHORTEST and found.find(".//div") is None:
                yield text
