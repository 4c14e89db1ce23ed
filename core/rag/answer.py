"""A model that answers from documents: any `ChatModel`, given what was found for the question.

The search runs in the answer's own thread, so that a page never waits for it and *stop* works while it does. Its time
is in no figure of the model's. What was found is told before the first token. Where the prompt's tokens are known by
origin, those of the passages are told apart from the question's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import TypeVar, cast

import msgspec

from core.errors import WholeTooLong, WorkbenchError
from core.events import Event, Finished, Idle, Origin, Prefill
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo
from core.models.local import model_settings
from core.models.local.shelf import LocalModel
from core.overflow import prompt_limit
from core.rag import prompt, rewrite
from core.rag.grounding import Grounding, How, LeftOut, Passage, passages
from core.rag.rerank import Reranker
from core.rag.retrieve import Options, Searcher
from core.rag.values import Chunk, Hit

IDLE_S = 0.1

CHARACTERS_PER_TOKEN = 3
"""Where nobody counts: fewer than a token has, so that what is given fits."""

AROUND = 24
"""Tokens of the marks around a passage, about."""

BESIDE = 5
"""Passages that were just not good enough, and are kept to be looked at."""

ANSWER_TOKENS = 512
"""Room that is left for an answer where nothing says how long it may be."""

T = TypeVar("T")

Ground = Callable[[ChatRequest], Generator[Idle, None, Grounding]]
"""What is found for the last question of a request; `Idle` meanwhile."""


class Grounded:
    """`model` with documents: a `ChatModel`. ground: finds; told: what was found, before the model is asked."""

    def __init__(self, model: ChatModel, ground: Ground, told: Callable[[Grounding], None]) -> None:
        self._model = model
        self._ground = ground
        self._told = told

    @property
    def info(self) -> ModelInfo:
        return self._model.info

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """See `ChatModel.stream`. Raises what searching raises."""
        grounding = yield from self._ground(request)
        self._told(grounding)
        sent = prompt.request(request, grounding)
        share: int | None = None
        with closing(cast("Generator[Event]", self._model.stream(sent))) as events:
            for event in events:
                if isinstance(event, Prefill | Finished) and share is None:
                    share = documents_tokens(self._model, request, sent)
                yield _told_apart(event, share or 0)

    def close(self) -> None:
        self._model.close()


def ground(
    searcher: Callable[[], Searcher],
    model: ChatModel,
    how: How,
    *,
    collection_id: str,
    french: bool,
    reranker: Callable[[], Reranker] | None = None,
) -> Ground:
    """How documents are found for one answer; the searcher and the reranker are made in the answer's own thread."""

    def found(request: ChatRequest) -> Generator[Idle, None, Grounding]:
        if how.mode == "none":
            return Grounding(collection_id=collection_id, how=how, french=french)
        question = request.messages[prompt.last_question(request)].content
        history = [m for m in request.messages[: prompt.last_question(request)] if m.role != "system"]
        began = time.perf_counter()
        asked, also = yield from _wordings(model, how, question, request)
        rewritten = time.perf_counter()
        limit = room(model, request)
        if how.mode == "whole":
            chosen, left_out = yield from working(lambda: _whole(searcher(), how, limit))
            weight = None
        else:
            options = msgspec.structs.replace(how.options, limit=how.options.limit + BESIDE)
            hits, weight = yield from working(
                lambda: _hits(searcher(), asked, options, also, reranker() if reranker is not None else None)
            )
            chosen, left_out = _fitting(hits, how.options.limit, limit)
        grounding = Grounding(
            collection_id=collection_id,
            how=how,
            asked=asked,
            also=also,
            weight=weight,
            passages=chosen,
            left_out=left_out,
            tokens=sum(tokens(one.chunk) for one in chosen),
            limit=limit,
            rewrite_s=rewritten - began,
            search_s=time.perf_counter() - rewritten,
            french=french,
        )
        return exactly(model, request, prompt.marked(grounding, question, history))

    return found


def room(model: ChatModel, request: ChatRequest) -> int | None:
    """Tokens that passages may have beside what else is asked, about; None where the context length is unknown."""
    length = context_length(model)
    if length is None:
        return None
    answer = min(request.max_tokens or ANSWER_TOKENS, length // 4)
    said = sum(len(message.content) for message in request.messages) // CHARACTERS_PER_TOKEN
    return max(length - answer - said - len(prompt.SYSTEM[True]) // CHARACTERS_PER_TOKEN, 0)


def context_length(model: ChatModel) -> int | None:
    """In tokens; a local model's as it is loaded."""
    if isinstance(model, LocalModel):
        return model_settings.context_length(model.settings, trained=model.info.context_length)
    return model.info.context_length


def tokens(chunk: Chunk) -> int:
    """About how many tokens a passage takes of a context, rather too many."""
    return len(chunk.text) // CHARACTERS_PER_TOKEN + AROUND


def whole_passages(chunks: Sequence[Chunk]) -> tuple[Passage, ...]:
    """Everything, in its order, what overlaps once."""
    found: list[Passage] = []
    ends: dict[str, int] = {}
    for chunk in sorted(chunks, key=lambda one: (one.document, one.document_id, one.position)):
        end = ends.get(chunk.document_id, 0)
        text = chunk.text[max(end - chunk.start, 0) :] if chunk.start < end else chunk.text
        ends[chunk.document_id] = max(end, chunk.end)
        if text.strip():
            start = chunk.end - len(text)
            own = msgspec.structs.replace(chunk, text=text, start=start) if text != chunk.text else chunk
            found.append(Passage(number=len(found) + 1, chunk=own))
    return tuple(found)


def exactly(model: ChatModel, request: ChatRequest, grounding: Grounding) -> Grounding:
    """Without the last passages that do not fit, where the model is in memory and counts for itself."""
    engine = model.in_memory() if isinstance(model, LocalModel) else None
    length = context_length(model)
    if engine is None or length is None or grounding.how.mode != "passages":
        return grounding
    while grounding.passages:
        sent = prompt.request(request, grounding)
        try:
            counted = engine.count(msgspec.structs.replace(sent, overflow="stop"))
        except WorkbenchError:
            counted = None
        if counted is not None and counted.prompt_tokens <= prompt_limit(sent, length):
            break
        *kept, gone = grounding.passages
        left = LeftOut(chunk=gone.chunk, reason="context", place=gone.number, scores=gone.scores, ranks=gone.ranks)
        grounding = msgspec.structs.replace(
            grounding,
            passages=tuple(kept),
            left_out=(left, *grounding.left_out),
            tokens=grounding.tokens - tokens(gone.chunk),
        )
    return grounding


def documents_tokens(model: ChatModel, without: ChatRequest, sent: ChatRequest) -> int | None:
    """How many of the question's tokens are the passages'; None where nobody can count them."""
    engine = model.in_memory() if isinstance(model, LocalModel) else None
    if engine is None or sent is without:
        return None
    # The same system prompt in both: what differs is the last question alone.
    messages = list(sent.messages)
    at = prompt.last_question(sent)
    messages[at] = without.messages[prompt.last_question(without)]
    try:
        whole = engine.count(sent).by_origin.get("question", 0)
        bare = engine.count(msgspec.structs.replace(sent, messages=tuple(messages))).by_origin.get("question", 0)
    except WorkbenchError:
        return None
    return max(whole - bare, 0)


def working(work: Callable[[], T]) -> Generator[Idle, None, T]:
    """Runs `work` in a thread and gives `Idle` meanwhile. Raises what it raises."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # whatever it is, it is raised where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run, name="searching", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(IDLE_S)
        yield Idle()
    if failed:
        raise failed[0]
    return done[0]


def _wordings(
    model: ChatModel, how: How, question: str, request: ChatRequest
) -> Generator[Idle, None, tuple[str, tuple[str, ...]]]:
    """The question as it is searched, and other wordings of it."""
    history = [m for m in request.messages[: prompt.last_question(request)] if m.role != "system"]
    asked, also = question, tuple[str, ...]()
    if how.rewrite and history:
        text = yield from rewrite.written(model, rewrite.alone(history, question))
        asked = rewrite.read_alone(text, question)
    if how.wordings:
        text = yield from rewrite.written(model, rewrite.wordings(asked, how.wordings))
        also = rewrite.read_wordings(text, asked, how.wordings)
    return asked, also


def _hits(
    searcher: Searcher, asked: str, options: Options, also: Sequence[str], reranker: Reranker | None
) -> tuple[list[Hit], float | None]:
    hits = searcher.search(asked, options, also=also, reranker=reranker)
    both = options.method == "hybrid" and options.fusion == "weighted"
    return hits, searcher.weight_of(options) if both else None


def _fitting(hits: Sequence[Hit], wanted: int, limit: int | None) -> tuple[tuple[Passage, ...], tuple[LeftOut, ...]]:
    """The best that fit, and the others with the reason why not."""
    chosen: list[Hit] = []
    left_out: list[LeftOut] = []
    taken = 0
    for place, hit in enumerate(hits, start=1):
        size = tokens(hit.chunk)
        if place > wanted or (limit is not None and taken + size > limit):
            left_out.append(
                LeftOut(
                    chunk=hit.chunk,
                    reason="rank" if place > wanted else "context",
                    place=place,
                    scores=hit.scores,
                    ranks=hit.ranks,
                )
            )
            continue
        chosen.append(hit)
        taken += size
    return passages(chosen), tuple(left_out)


def _whole(searcher: Searcher, how: How, limit: int | None) -> tuple[tuple[Passage, ...], tuple[LeftOut, ...]]:
    """Everything that the conditions let through. Raises `WholeTooLong`."""
    chosen = whole_passages([chunk for chunk in searcher.chunks if how.options.within(chunk)])
    needed = sum(tokens(one.chunk) for one in chosen)
    if limit is not None and needed > limit:
        raise WholeTooLong(tokens=needed, limit=limit)
    return chosen, ()


def _told_apart(event: Event, documents: int) -> Event:
    """The event with the passages' tokens under their own origin."""
    if not documents:
        return event
    if isinstance(event, Prefill) and event.by_origin:
        return msgspec.structs.replace(event, by_origin=_moved(event.by_origin, documents))
    if isinstance(event, Finished) and event.usage.by_origin:
        usage = msgspec.structs.replace(event.usage, by_origin=_moved(event.usage.by_origin, documents))
        return msgspec.structs.replace(event, usage=usage)
    return event


def _moved(by_origin: dict[Origin, int], documents: int) -> dict[Origin, int]:
    question = by_origin.get("question", 0)
    moved = min(documents, question)
    return {**by_origin, "documents": by_origin.get("documents", 0) + moved, "question": question - moved}
