"""`python -m core rag search`: the passages of a collection that are found for a question.

JSON: {"hits": [{"document", "page", "text", "score", "ranks", "scores", "headings", "start", "end"}]}; ranks and scores
by stage, ranks from 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli import terminal
from core.cli.local import OWNER, opened_workbench
from core.rag import rerank
from core.rag.retrieve import Filter, Options
from core.rag.values import Hit

if TYPE_CHECKING:
    from core.workbench import Workbench

LOOK_EVERY_S = 0.2
SHOWN = 100
"""Characters of a passage in the table."""


def run(args: argparse.Namespace) -> int:
    """Searches."""
    with opened_workbench() as workbench:
        collection = workbench.collections.named(OWNER, args.collection)
        if args.method == "hybrid" and args.weight is None:
            calibrated(workbench, collection.id)
        searcher = workbench.finding.searcher(OWNER, collection.id)
        reranker = rerank.opened(Path(args.reranker)) if args.reranker else None
        hits = searcher.search(args.query, options(args), reranker=reranker)
    if args.json:
        terminal.write_json({"hits": [described(hit) for hit in hits]})
        return 0
    rows = [(f"{hit.score:.3f}", _where(hit), " ".join(hit.chunk.text.split())[:SHOWN]) for hit in hits]
    terminal.write_table(("score", "where", "passage"), rows)
    return 0


def calibrated(workbench: Workbench, collection_id: str) -> None:
    """Has a collection that has changed much find out once how much vectors count beside keywords, and waits for it."""
    job = workbench.finding.calibrate_if_changed(OWNER, collection_id)
    progress = terminal.Progress()
    while job is not None and not job.wait(LOOK_EVERY_S):
        progress.show(f"calibrating: {job.fraction or 0:.0%}")
    progress.clear()


def options(args: argparse.Namespace) -> Options:
    """How passages are searched."""
    return Options(
        method="hybrid" if args.method == "rrf" else args.method,
        fusion="rrf" if args.method == "rrf" else "weighted",
        weight=args.weight,
        limit=args.limit,
        diversity=args.diversity,
        within=Filter(documents=tuple(args.document or ())),
    )


def described(hit: Hit) -> dict[str, object]:
    """A hit for programs."""
    chunk = hit.chunk
    return {
        "document": chunk.document,
        "page": chunk.page,
        "text": chunk.text,
        "score": hit.score,
        "ranks": hit.ranks,
        "scores": hit.scores,
        "headings": chunk.headings,
        "start": chunk.start,
        "end": chunk.end,
    }


def _where(hit: Hit) -> str:
    page = f", p. {hit.chunk.page}" if hit.chunk.page is not None else ""
    return f"{hit.chunk.document}{page}"
