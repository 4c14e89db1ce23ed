"""`python -m core rag ask`: a question answered from a collection, with numbered citations and what they stand for.

JSON: {"model", "text", "finish_reason", "usage", "timings", "question", "search_s", "passages": [{"number", "document",
"page", "text", "score", "ranks", "cited"}], "sentences": [{"text", "citations", "verdict", "share"}]}; the verdict is
an estimate by shared words: supported, weak, uncited, or unjudged.
"""

from __future__ import annotations

import argparse
import sys

from core.answers import Answers
from core.cli import terminal
from core.cli.chat import follow
from core.cli.local import OWNER, opened_workbench
from core.cli.rag_search import calibrated, options
from core.messages import ChatRequest, Message, Sampling
from core.rag import citations, words
from core.rag.grounding import Grounding, How, Passage


def run(args: argparse.Namespace) -> int:
    """Asks. Exit code 1 when the answer failed or was stopped with Ctrl-C."""
    question = sys.stdin.buffer.read().decode("utf-8", "replace") if args.question == "-" else args.question
    how = How(mode="whole" if args.whole else "passages", options=options(args), reranker=args.reranker or "")
    request = ChatRequest(
        messages=(Message("user", question),),
        sampling=Sampling(temperature=args.temperature, seed=args.seed),
        max_tokens=args.max_tokens,
    )
    told: list[Grounding] = []
    with opened_workbench() as workbench:
        collection = workbench.collections.named(OWNER, args.collection)
        if args.method == "hybrid" and args.weight is None and not args.whole:
            calibrated(workbench, collection.id)
        model = workbench.document_chat.model(
            OWNER,
            workbench.chat_model(OWNER, args.model),
            collection.id,
            how,
            told.append,
            french=words.language(question) == "fr",
        )
        answer = Answers().start(model, request)
        interrupted = follow(answer, quiet=args.json)
    if answer.error is not None and not interrupted:
        raise answer.error
    grounding = told[0] if told else Grounding(collection_id=collection.id, how=how)
    cited = citations.cited(answer.text, len(grounding.passages))
    if args.json:
        finished = answer.finished
        terminal.write_json(
            {
                "model": answer.model_info.id,
                "text": answer.text,
                "finish_reason": finished.reason if finished else "cancelled",
                "usage": finished.usage if finished else None,
                "timings": finished.timings if finished else None,
                "question": grounding.asked or question,
                "search_s": grounding.search_s,
                "passages": [_described(one, cited=one.number in cited) for one in grounding.passages],
                "sentences": [
                    {"text": one.text, "citations": one.numbers, "verdict": one.verdict, "share": one.share}
                    for one in citations.judged(answer.text, grounding)
                ],
            }
        )
    else:
        for one in grounding.passages:
            mark = "*" if one.number in cited else " "
            terminal.say(f"{mark}[{one.number}] {_where(one)}: {' '.join(one.chunk.text.split())[:90]}")
    return 1 if interrupted else 0


def _described(passage: Passage, *, cited: bool) -> dict[str, object]:
    chunk = passage.chunk
    last = list(passage.scores.values())
    return {
        "number": passage.number,
        "document": chunk.document,
        "page": chunk.page,
        "text": chunk.text,
        "score": last[-1] if last else None,
        "ranks": passage.ranks,
        "cited": cited,
    }


def _where(passage: Passage) -> str:
    page = f", p. {passage.chunk.page}" if passage.chunk.page is not None else ""
    return f"{passage.chunk.document}{page}"
