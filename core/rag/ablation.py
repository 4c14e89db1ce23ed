"""One question answered several ways: without documents, by meaning, by keywords, by both, reranked, from everything.

What an answer owes to the documents, and to the way they were searched, is seen side by side, with time, tokens and
price. The ways run one after another, so that their times can be compared. Keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from core.answers import Answers
from core.errors import WorkbenchError
from core.events import Finished
from core.jobs import Job
from core.messages import ChatRequest
from core.models.base import ChatModel
from core.rag.grounding import Grounding, How

LOOK_S = 0.1

NAMES = ("none", "dense", "bm25", "hybrid", "rerank", "whole")
"""In the order in which they are asked."""

Asked = Callable[[How, Callable[[Grounding], None]], ChatModel]
"""A model that answers with documents so, and tells what it was given."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way. `finished` and `text` are None and empty while it has not answered; `error` is why it did not."""

    name: str
    how: How
    text: str = ""
    grounding: Grounding | None = None
    finished: Finished | None = None
    error: WorkbenchError | None = None


def ways(how: How) -> dict[str, How]:
    """All there are of one way of asking; `rerank` where it names a cross-encoder."""
    plain = msgspec.structs.replace(how, mode="passages", reranker="", rewrite=False, wordings=0)
    found = {
        "none": msgspec.structs.replace(plain, mode="none"),
        **{name: _searching(plain, name) for name in ("dense", "bm25", "hybrid")},
    }
    if how.reranker:
        found["rerank"] = msgspec.structs.replace(found["hybrid"], reranker=how.reranker)
    return {**found, "whole": msgspec.structs.replace(plain, mode="whole")}


def run(job: Job, answers: Answers, request: ChatRequest, chosen: Mapping[str, How], asked: Asked) -> list[Row]:
    """The work of a job: `job.result` grows by a row for each way as it ends. A way that fails is a row with why."""
    rows: list[Row] = []
    job.result = rows
    for number, (name, how) in enumerate(chosen.items()):
        job.step(number, len(chosen), name)
        told: list[Grounding] = []
        answer = answers.start(asked(how, told.append), request)
        try:
            while not answer.wait(LOOK_S):
                job.check()
        except BaseException:
            answer.stop()
            raise
        rows.append(
            Row(
                name=name,
                how=how,
                text=answer.text,
                grounding=told[0] if told else None,
                finished=answer.finished,
                error=answer.error,
            )
        )
    job.step(len(chosen), len(chosen), "")
    return rows


def _searching(how: How, method: str) -> How:
    options = msgspec.structs.replace(how.options, method=method, fusion="weighted")
    return msgspec.structs.replace(how, options=options)
