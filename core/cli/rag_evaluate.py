"""`python -m core rag evaluate`: how well passages are found, on questions whose answers' places are known.

A folder in the form of BEIR (corpus.jsonl, queries.jsonl, qrels/test.tsv) is embedded as it is, a document a passage;
a file of questions is asked of a collection (--collection). No model is asked. JSON: {"retrievers": {"dense":
{"ndcg@10", "recall@5", "recall@10", "mrr"}, "bm25": {…}, "hybrid": {…}, "hybrid_rrf": {…}}, "intervals": the same with
[low, high], "queries", "weight": of the vectors in the hybrid one, as calibrated without looking at the questions}.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli import terminal
from core.cli.local import OWNER, opened_workbench
from core.cli.rag_search import calibrated
from core.errors import N_, QuestionSetUnreadable
from core.rag import evaluate, question_sets, rerank, trial
from core.rag.embed import DEFAULT
from core.rag.evaluate import Measured
from core.rag.measures import NAMES
from core.rag.question_sets import Question
from core.rag.retrieve import Searcher

if TYPE_CHECKING:
    from core.workbench import Workbench


def run(args: argparse.Namespace) -> int:
    """Measures."""
    progress = terminal.Progress()

    def step(done: int, total: int, note: str) -> None:
        progress.show(f"{note}: {done} of {total}")

    reranker = rerank.opened(Path(args.reranker)) if args.reranker else None
    with opened_workbench() as workbench:
        searcher, questions = _given(workbench, args, step)
        measured = evaluate.evaluate(
            searcher, questions, reranker=reranker, step=lambda done, total: step(done, total, "searching")
        )
    progress.clear()
    if args.json:
        terminal.write_json({**evaluate.described(measured, len(questions)), "weight": searcher.weight})
        return 0
    terminal.write_table(("retriever", *NAMES[:-1], NAMES[-1]), [_row(one) for one in measured])
    terminal.say(f"{len(questions)} questions, {len(searcher.chunks)} passages; in brackets 95 of 100 resamplings")
    if searcher.weight is not None:
        terminal.say(f"hybrid: vectors count {searcher.weight:.2f}, keywords {1 - searcher.weight:.2f}, as calibrated")
    return 0


def _given(workbench: Workbench, args: argparse.Namespace, step: trial.Step) -> tuple[Searcher, Sequence[Question]]:
    path = Path(args.path)
    if path.is_dir():
        folder = question_sets.beir(path)
        embedding = workbench.collections.embeddings.get(OWNER, args.embedding or DEFAULT)
        return trial.over(folder.passages, embedding, step=step)[0], folder.questions
    if args.collection is None:
        raise QuestionSetUnreadable(
            name=path.name, detail=N_("a file of questions needs --collection, and a folder was not found")
        )
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise QuestionSetUnreadable(name=path.name, detail=exc.strerror or str(exc)) from exc
    collection = workbench.collections.named(OWNER, args.collection)
    calibrated(workbench, collection.id)
    return workbench.finding.searcher(OWNER, collection.id), question_sets.from_file(path.name, data)


def _row(one: Measured) -> tuple[str, ...]:
    return one.name, *(f"{of.mean:.3f} [{of.low:.3f}–{of.high:.3f}]" for of in (one.means[name] for name in NAMES))
