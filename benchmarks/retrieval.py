"""Searching documents: from a question to its hits over 50,000 passages, and whether both ways together find most.

The passages of the first are made of words as frequent as words are (Zipf), with vectors at random; the question is
embedded by the default model in its own process, as a person's is. Those of the second are the docstrings of Python's
standard library without their first sentence, which is the question; once as they are, and once with every letter
thirteen on, which no embedding can read and keywords do not mind.
"""

from __future__ import annotations

import codecs
import importlib
import inspect
import itertools
import random
import sys
import time
from collections.abc import Iterable

import numpy as np

from benchmarks.figure import Figure, Plan
from core.cli.local import OWNER, opened_workbench
from core.metrics import percentile
from core.rag import claims, embed, trial
from core.rag.embed import DEFAULT, Embedding
from core.rag.embedders.worker import loaded
from core.rag.evaluate import RETRIEVERS, evaluate
from core.rag.question_sets import Expected, Question
from core.rag.retrieve import Options, Searcher
from core.rag.values import Chunk

PASSAGES, WORDS, VOCABULARY = 50_000, 120, 60_000
QUESTIONS = 200
LIBRARY = """
argparse asyncio bisect calendar collections configparser contextlib copy csv datetime decimal difflib email fractions
functools heapq html http.client inspect io ipaddress itertools json logging mailbox math multiprocessing os pathlib
platform random re secrets shutil smtplib socket sqlite3 ssl statistics string subprocess tarfile tempfile textwrap
threading time tokenize typing unittest urllib.parse uuid xml.etree.ElementTree zipfile zoneinfo
"""


def measure(plan: Plan) -> list[Figure]:
    """The time of a search, and how much better both ways are than the better one."""
    quick = plan.repeat == 1
    with opened_workbench() as workbench:
        embedding = workbench.collections.embeddings.get(OWNER, DEFAULT)
        embedding.embed(["warm"], question=True)
        found = [_search(embedding, PASSAGES // 50 if quick else PASSAGES)]
        docstrings = _docstrings(150 if quick else 1200)
        passages, questions = asked(docstrings)
        read = calibrated(embedding, passages, questions, name="retrieval.read", kind="questions in English")
        turned = [(codecs.encode(question, "rot13"), codecs.encode(text, "rot13")) for question, text in docstrings]
        kind = "questions in letters that no embedding knows"
        unread = calibrated(embedding, *asked(turned), name="retrieval.unread", kind=kind)
        found += [read, unread, _vectors(passages, questions, ours=read.details["dense"])]
    return found


def _search(embedding: Embedding, passages: int) -> Figure:
    draw = random.Random(8)
    weights = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    words = [f"{codecs.encode(hex(number)[2:], 'rot13')}x" for number in range(VOCABULARY)]
    texts = [" ".join(draw.choices(words, cum_weights=weights, k=WORDS)) for _ in range(passages)]
    vectors = np.random.default_rng(8).normal(size=(passages, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = [Chunk(str(n), str(n), str(n), 0, text, 0, len(text), WORDS) for n, text in enumerate(texts)]
    searcher = Searcher(chunks, vectors, lambda asked: embedding.embed(asked, question=True), weight=0.6)
    began = time.perf_counter()
    searcher.search("warm")
    indexed = time.perf_counter() - began
    took = []
    for _ in range(QUESTIONS):
        question = " ".join(draw.choices(words, cum_weights=weights, k=12))
        began = time.perf_counter()
        searcher.search(question, Options(limit=6))
        took.append(1000 * (time.perf_counter() - began))
    return Figure(
        name="retrieval.search",
        what=f"question to hits, embedding it included, over {passages:,} passages, 95th percentile",
        value=percentile(sorted(took), 0.95),
        unit="ms",
        target=("≤", 100),
        details={"median_ms": percentile(sorted(took), 0.5), "keyword_index_s": indexed},
    )


def asked(pairs: Iterable[tuple[str, str]]) -> tuple[list[Chunk], list[Question]]:
    """Passages, and for each the question that it answers. pairs: question and text."""
    passages, questions = [], []
    for number, (question, text) in enumerate(pairs):
        name = str(number)
        passages.append(Chunk(name, name, name, 0, text, 0, len(text), 0))
        questions.append(Question(id=name, text=question, expected=(Expected(document=name),)))
    return passages, questions


def calibrated(
    embedding: Embedding, passages: list[Chunk], questions: list[Question], *, name: str, kind: str
) -> Figure:
    """What the calibrated hybrid finds, to the better of its halves."""
    searcher, calibration = trial.over(passages, embedding)
    means = {one.name: one.means["ndcg@10"].mean for one in evaluate(searcher, questions)}
    return Figure(
        name=name,
        what=f"nDCG@10 of calibrated hybrid ÷ the better of dense and BM25, {len(questions)} {kind}",
        value=means["hybrid"] / max(means["dense"], means["bm25"]),
        unit="×",
        target=("≥", 1.0),
        details={**means, "weight": calibration.weight, "python": sys.version.split()[0]},
    )


def _vectors(passages: list[Chunk], questions: list[Question], *, ours: float) -> Figure:
    """Dense search by the vectors of `SentenceTransformer.encode`, beside what it finds by ours (nDCG@10)."""
    model = loaded(str(embed.packaged()))
    vectors = model.encode([passage.text for passage in passages])
    searcher = Searcher(passages, vectors, lambda asked: model.encode(list(asked)))
    (dense,) = evaluate(searcher, questions, {"dense": RETRIEVERS["dense"]})
    theirs = dense.means["ndcg@10"].mean
    return Figure(
        name="retrieval.vectors",
        what=f"dense search by our vectors, how far from that by `encode`'s, {len(questions)} questions",
        value=abs(ours - theirs),
        unit="nDCG@10",
        target=("≤", 0.005),
        details={"ours": ours, "encode": theirs},
    )


def _docstrings(most: int) -> list[tuple[str, str]]:
    """First sentences and what follows them."""
    found: dict[str, tuple[str, str]] = {}
    for module in LIBRARY.split():
        for owner, thing in inspect.getmembers(importlib.import_module(module)):
            for inner, one in [(owner, thing), *(inspect.getmembers(thing) if inspect.isclass(thing) else ())]:
                said = inspect.getdoc(one) or ""
                sentences = claims.sentences(said) if callable(one) else []
                if len(sentences) >= 3 and len(sentences[0]) > 30 and not inner.startswith("__"):
                    found.setdefault(sentences[0], (f"{module}.{owner}.{inner}", " ".join(sentences[1:])))
    chosen = sorted(found.items(), key=lambda entry: entry[1][0])
    random.Random(8).shuffle(chosen)
    return [(question, text[:900]) for question, (_, text) in chosen[:most]]
