"""Documents: how fast passages become vectors and are found, to what sentence-transformers does by itself.

The same passages of about 800 characters, by `SentenceTransformer.encode` in this process, as it comes and with our
batches, and through a collection: read, cut, embedded by its own process, kept. In turns, so that what disturbs one
disturbs all. What is loaded first is loaded before.
"""

from __future__ import annotations

import random
import re
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.figure import Figure, Plan, Unmeasurable
from core.rag import embed, extract
from core.rag.embedders.worker import TOGETHER, loaded
from core.rag.files import Incoming
from core.rag.values import Span
from core.settings import Settings
from core.workbench import Workbench, open_workbench

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

OWNER = "benchmark"
CHARACTERS = 800
PASSAGES = 256
VECTORS = 50_000
QUERIES = 200
PAGES = 500
_WORDS = re.findall(
    r"\w+",
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had "
    "an they which one you were all her she there would their we him been has when who will no more if "
    "out so up said what its about than into them can only other time new some could these two may first "
    "then do any like my now over such our man me even most made after also did many off before must well "
    "back through years much where your way down should because long each just state people those too "
    "little good world make very year still see own work men day get here old life both between being "
    "under three never know same last another while us might great go come since against right came take ",
)


def measure(plan: Plan) -> list[Figure]:
    """Embedding, indexing, searching, and a long PDF."""
    number = 32 if plan.repeat == 1 else PASSAGES
    with tempfile.TemporaryDirectory() as home:
        workbench = open_workbench(Settings(home=Path(home)))
        try:
            return [
                _reading(Path(home), PAGES if plan.repeat > 1 else 20),  # before torch is in this process
                *_embedding(workbench, plan, number),
                _searching(workbench, VECTORS if plan.repeat > 1 else 2000),
            ]
        finally:
            workbench.close()


def _embedding(workbench: Workbench, plan: Plan, number: int) -> list[Figure]:
    folder = embed.packaged()
    assert folder is not None
    model, ours = loaded(str(folder)), workbench.collections.embeddings.get(OWNER, embed.DEFAULT)
    ours.embed(["to be loaded"])
    bare: list[float] = []
    default: list[float] = []
    apart: list[float] = []
    whole: list[float] = []
    for turn in range(plan.repeat):
        texts = _texts(number, turn)
        default.append(_took(lambda texts=texts: model.encode(texts)))
        bare.append(_took(lambda texts=texts: model.encode(texts, batch_size=TOGETHER)))
        apart.append(_took(lambda texts=texts: ours.embed(texts)))
        whole.append(_took(lambda texts=texts: _indexed(workbench, texts)) * number / workbench_chunks(workbench))
    return [
        Figure(
            name="embedding.rate",
            what="passages of 800 characters embedded, to SentenceTransformer.encode as it comes",
            value=median(a / b for a, b in zip(default, apart, strict=True)),
            unit="×",
            target=("≥", 1.4),
            details={"a second": number / median(apart), "cosine": _agreement(model, ours)},
        ),
        Figure(
            name="embedding.overhead",
            what="a document read, cut, embedded and kept, to embedding its passages alone in the same way",
            value=median(a / b for a, b in zip(whole, apart, strict=True)),
            unit="×",
            target=("≤", 1.1),
            details={"to SentenceTransformer.encode in the same batches": median(whole) / median(bare)},
        ),
    ]


def workbench_chunks(workbench: Workbench) -> int:
    """Passages of the newest collection."""
    return workbench.collections.list(OWNER)[0].chunks


def _indexed(workbench: Workbench, texts: list[str]) -> None:
    collections = workbench.collections
    found = collections.create(OWNER, "benchmark", size=250, overlap=0)
    data = "\n\n".join(texts).encode()
    collections.add(OWNER, found.id, [Incoming("benchmark.txt", data=data)]).wait()


def _searching(workbench: Workbench, number: int) -> Figure:
    """From a question's text to passages, over vectors that lie anywhere."""
    collections = workbench.collections
    found = collections.create(OWNER, "many")
    # Vectors that nobody embedded: what embedding 50,000 passages takes is no part of this.
    document, _ = collections._documents.register(
        OWNER, found.id, name="many", media_type="text/plain", hash="many", size=1
    )
    rows = np.random.default_rng(0).normal(size=(number, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    spans = [Span(f"passage {place}", place, place + 1, 1) for place in range(number)]
    collections._chunks.put(OWNER, found.id, found.build.id, document.id, spans, rows)
    collections.index.sync(OWNER, collections.get(OWNER, found.id))

    def ask() -> None:
        vector = collections.embed_query(OWNER, found.id, f"Which of them is about {random.choice(_WORDS)}?")
        collections.search_dense(OWNER, found.id, vector, limit=50)

    ask()
    times = [_took(ask) for _ in range(QUERIES)]
    return Figure(
        name="embedding.query",
        what=f"from a question to 50 hits over {number:,} passages, 95th percentile",
        value=quantiles(times, n=20)[-1] * 1000,
        unit="ms",
        target=("≤", 100),
    )


def _reading(folder: Path, pages: int) -> Figure:
    """The memory that reading a long PDF takes, this process and its child together."""
    import psutil

    try:
        from fpdf import FPDF
    except ImportError:
        raise Unmeasurable("fpdf2 is not installed: pip install -r requirements-dev.txt") from None
    path, dice = folder / "long.pdf", random.Random(0)
    document = FPDF()
    document.set_font("Helvetica", size=11)
    for _ in range(pages):
        document.add_page()
        document.multi_cell(0, text=" ".join(_text(dice) for _ in range(3)))
    document.output(str(path))
    peak, stop = [0], threading.Event()

    def watch() -> None:
        own = psutil.Process()
        while not stop.wait(0.02):
            alive = [own, *own.children(recursive=True)]
            peak[0] = max(peak[0], sum(one.memory_info().rss for one in alive if one.is_running()))

    thread = threading.Thread(target=watch)
    thread.start()
    extract.extract(path, path.name)
    stop.set()
    thread.join()
    return Figure(
        name="embedding.pdf",
        what=f"resident memory of this process and its child while a PDF of {pages} pages is read",
        value=peak[0] / 1e6,
        unit="MB",
        target=("≤", 1000),
    )


def _took(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _agreement(model: SentenceTransformer, ours: embed.Embedding) -> float:
    texts = _texts(16, 99)
    return float(np.min(np.sum(model.encode(texts) * ours.embed(texts), axis=1)))


def _texts(number: int, seed: int) -> list[str]:
    """Passages of common words, one sentence each, no two alike."""
    dice = random.Random(seed)
    return [_text(dice) for _ in range(number)]


def _text(dice: random.Random) -> str:
    words: list[str] = []
    while sum(map(len, words)) + len(words) < CHARACTERS:
        words.append(dice.choice(_WORDS))
    return " ".join(words).capitalize() + "."
