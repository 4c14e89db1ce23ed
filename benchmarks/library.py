"""The list of conversations at the store: pages of it, search, and opening a long conversation beside a short one.

In a database of its own, of 10,000 conversations of 10 messages of some 70 words (drawn as words are in a language: few
often, many once), a tenth of them tagged and a hundredth pinned. What is measured has been done once before.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figure import Figure, Plan
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.library import Library
from core.store.restoring import Restoring, WholeConversation
from core.transfer.imported import message

OWNER = "benchmark"
A_PAGE = 30
MESSAGES = 10
WORDS = 70
VOCABULARY = 20_000
SHORT, LONG = 20, 500
SHOWN = 20
"""Messages that are read when a conversation is opened."""


def measure(plan: Plan) -> list[Figure]:
    """Lists, searches and openings, each the median of its repetitions; of several kinds, the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(Path(folder) / "workbench.db")
        try:
            words = _vocabulary()
            filled = _fill(db, plan.library, words)
            short, long = (_add_one(db, words, length) for length in (SHORT, LONG))
            return [
                *_lists(Library(db), plan),
                *_searches(Library(db), plan, words),
                _openings(Conversations(db), plan, short, long),
                Figure(
                    name="library.import",
                    what="messages written and indexed in a second, as an import writes them",
                    value=plan.library * MESSAGES / filled,
                    unit="/s",
                    details={"messages": plan.library * MESSAGES, "seconds": filled},
                ),
            ]
        finally:
            db.close()


def _lists(library: Library, plan: Plan) -> Iterator[Figure]:
    far = library.list(OWNER, limit=plan.library - 2 * A_PAGE)[-1]
    kinds: dict[str, Callable[[], object]] = {
        "first": lambda: library.list(OWNER, limit=A_PAGE),
        "after nearly all": lambda: library.list(OWNER, limit=A_PAGE, before=far),
        "of a tag": lambda: library.list(OWNER, limit=A_PAGE, tag="tagged"),
        "of a tag nobody uses": lambda: library.list(OWNER, limit=A_PAGE, tag="unused"),
    }
    yield _slowest("library.list", f"a page of {A_PAGE} in the list of {plan.library:,} conversations", kinds, plan, 20)
    counts: dict[str, Callable[[], object]] = {
        "tags": lambda: library.tags(OWNER),
        "count": lambda: library.count(OWNER),
    }
    yield _slowest("library.tags", "all tags with their counts, and the count of all", counts, plan, 20)


def _searches(library: Library, plan: Plan, words: list[str]) -> Iterator[Figure]:
    queries = {
        "in nearly every message": words[0],
        "common": words[50],
        "rare": words[5000],
        "two common together": f"{words[1]} {words[7]}",
        "three letters of a word": words[3000][:3],
        "the first two letters of the most common": words[0][:2],
        "nowhere": "xyzzyx",
    }
    indexed: dict[str, Callable[[], object]] = {
        kind: partial(library.search, OWNER, query) for kind, query in queries.items()
    }
    yield _slowest(
        "library.search", f"a search in {plan.library:,} conversations, the slowest query", indexed, plan, 100
    )
    literal: dict[str, Callable[[], object]] = {
        "a sign": lambda: library.search(OWNER, "☂"),
        "Chinese, nowhere": lambda: library.search(OWNER, "漢字"),
    }
    what = "the same for what no index holds (signs, Chinese) and is nowhere: every message is read"
    yield _slowest("library.scan", what, literal, plan, None)


def _openings(conversations: Conversations, plan: Plan, short: str, long: str) -> Figure:
    def opening(id: str) -> Callable[[], object]:
        return lambda: (conversations.get(OWNER, id), conversations.messages(OWNER, id, last=SHOWN))

    for_short, for_long = (_repeated(opening(id), 20 * plan.repeat) for id in (short, long))
    return Figure(
        name="library.open",
        what=f"reading a conversation of {LONG} messages for the page, to one of {SHORT}",
        value=for_long / for_short,
        unit="×",
        target=("≤", 1.2),
        details={"short_ms": for_short * 1000, "long_ms": for_long * 1000},
    )


def _slowest(
    name: str, what: str, kinds: dict[str, Callable[[], object]], plan: Plan, bound_ms: float | None
) -> Figure:
    took = {kind: 1000 * _repeated(call, 3 * plan.repeat) for kind, call in kinds.items()}
    return Figure(
        name=name,
        what=what,
        value=max(took.values()),
        unit="ms",
        target=None if bound_ms is None else ("≤", bound_ms),
        details={"median_ms": took},
    )


def _repeated(call: Callable[[], object], times: int) -> float:
    call()
    return median(_timed(call) for _ in range(times))


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _fill(db: Database, count: int, words: list[str]) -> float:
    """The seconds that writing took, without making up what is written."""
    draw, took = random.Random(4), 0.0
    with Restoring(db).writing(OWNER) as writing:
        for number in range(count):
            one = _conversation(
                draw,
                words,
                MESSAGES,
                tags=("tagged",) if number % 10 == 0 else (),
                pinned=number % 100 == 0,
                updated_at=float(number),
            )
            took += _timed(partial(writing.add, one))
    return took


def _add_one(db: Database, words: list[str], length: int) -> str:
    with Restoring(db).writing(OWNER) as writing:
        return writing.add(_conversation(random.Random(length), words, length, updated_at=0.0))


def _conversation(draw: random.Random, words: list[str], length: int, **fields: Any) -> WholeConversation:
    # The rank of a word falls as 1/x: drawn evenly on a logarithmic scale.
    ranks = [[int(len(words) ** draw.random()) - 1 for _ in range(WORDS)] for _ in range(length)]
    texts = [" ".join(words[rank] for rank in one) for one in ranks]
    messages = tuple(
        message(
            "assistant" if n % 2 else "user", text, id=str(n), parent_id=str(n - 1) if n else None, created_at=float(n)
        )
        for n, text in enumerate(texts)
    )
    title = " ".join(texts[0].split()[:6])
    return WholeConversation(title=title, created_at=0.0, leaf_id=messages[-1].id, messages=messages, **fields)


def _vocabulary() -> list[str]:
    """Words of 2 to 10 letters, the most common first."""
    draw = random.Random(1)
    return ["".join(draw.choices("abcdefghijklmnopqrstuvwxyzéè", k=draw.randint(2, 10))) for _ in range(VOCABULARY)]
