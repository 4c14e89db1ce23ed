"""What a question would take of the context before it is sent: tokens by origin, and what the policy would leave out.

Exact where the model is on this machine and in memory: counted by its own tokenizer behind its own chat template, in
the thread that prepares requests, not the one that decodes. Otherwise an estimate by characters, and said to be one.
Nothing is ever loaded for a count. A `Counter` is used by one thread at a time; knows no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from core import metrics
from core.attachments import Attachment, composed
from core.errors import ContextOverflow, WorkbenchError
from core.events import Origin
from core.messages import ChatRequest, Message
from core.models.base import ChatModel
from core.models.local import model_settings
from core.models.local.engine import Engine
from core.models.local.shelf import LocalModel
from core.overflow import drop_order, prompt_limit

WHOLE = 60_000
"""Characters of a request that is counted anew each time: a tenth of a second at most. In a longer conversation only
the question is, and a longer question is estimated."""

PROBE = " And a few more words?"


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that a question would take with all that stands before it.

    prompt_tokens: what the model would be given, after what the policy leaves out; `by_origin` sums to it, with the
    attached files under "documents". exact: counted by the tokenizer, and so the prompt tokens of the answer that
    follows. fits: False where it would be refused; nothing is then left out of the numbers.
    context_length: None where unknown. dropped_tokens without dropped_messages: the middle of the longest message.
    """

    prompt_tokens: int
    by_origin: dict[Origin, int]
    exact: bool
    fits: bool = True
    context_length: int | None = None
    dropped_messages: int = 0
    dropped_tokens: int = 0


class Counter:
    """Counts questions to one model, each added to the same conversation.

    before: gives the request as it stands without the question: the conversation's messages, the system prompt first,
    and the fields that decide its prompt. Called at the first count. like: an earlier counter, whose findings are kept
    where model and conversation turn out to be the same.
    """

    def __init__(self, model: ChatModel, before: Callable[[], ChatRequest], *, like: Counter | None = None) -> None:
        self._model = model
        self._read = before
        self._like = like
        self._before: ChatRequest | None = None
        self._base: _Base | None = None
        self._additive: bool | None = None

    def count(self, question: str, attachments: Sequence[Attachment] = (), begin_with: str = "") -> Counted | None:
        """What this question would take; None while there is nothing at all to count.

        Raises what reading the conversation raises. What goes wrong in the model's process makes it an estimate.
        """
        asked = _Asked.of(self._conversation(), question, attachments, begin_with)
        if asked.empty:
            return None
        engine = self._model.in_memory() if isinstance(self._model, LocalModel) else None
        try:
            counted = self._exact(engine, asked) if engine is not None else None
        except WorkbenchError:
            counted = None
        return counted or _estimated(self._model, asked)

    def _conversation(self) -> ChatRequest:
        if self._before is None:
            before, like = self._read(), self._like
            if like is not None and like._before == before and _identity(like._model) == _identity(self._model):
                self._base, self._additive = like._base, like._additive
            self._before, self._like = before, None
        return self._before

    def _exact(self, engine: Engine, asked: _Asked) -> Counted | None:
        """By the tokenizer; None where that would take too long."""
        counted = self._counted(engine, asked.request)
        if counted is None or not counted.fits:
            return counted and msgspec.structs.replace(
                counted, by_origin=_scaled(_by_characters(asked), counted.prompt_tokens)
            )
        if not asked.files:
            return counted
        own = self._counted(engine, asked.without_files)
        files = counted.by_origin.get("question", 0) - (own.by_origin.get("question", 0) if own is not None else 0)
        return _with_documents(counted, files)

    def _counted(self, engine: Engine, request: ChatRequest) -> Counted | None:
        if _characters(request) <= WHOLE or self._additive is False:
            return _whole(engine, request)
        alone = _alone(request)
        if _characters(alone) > WHOLE:
            return None
        short = _whole(engine, alone)
        added = self._base.plus(request, short) if self._base is not None else None
        if added is None:
            self._base = _Base(_whole(engine, request), short)
            added = self._base.whole
            if self._additive is None:
                self._additive = self._is_additive(engine, request)
        return added

    def _is_additive(self, engine: Engine, request: ChatRequest) -> bool | None:
        """Whether a longer question adds to the whole what it adds to itself alone, with this chat template; None where
        that cannot be seen."""
        assert self._base is not None
        last = _last_question(request)
        messages = [Message(m.role, m.content + PROBE) if i == last else m for i, m in enumerate(request.messages)]
        longer = msgspec.structs.replace(request, messages=tuple(messages))
        expected = self._base.plus(longer, _whole(engine, _alone(longer)))
        return None if expected is None or not expected.exact else expected == _whole(engine, longer)


class _Asked(msgspec.Struct, frozen=True):
    """The request that would be sent, and the same without the attached files."""

    request: ChatRequest
    without_files: ChatRequest
    files: bool

    @staticmethod
    def of(before: ChatRequest, question: str, attachments: Sequence[Attachment], begin_with: str) -> _Asked:
        request = _with(before, composed(question, attachments), begin_with)
        # A question has to be there to be counted: one character stands for one that is still to be typed.
        without = _with(before, question if question.strip() else ".", begin_with)
        return _Asked(request, without, bool(attachments))

    @property
    def empty(self) -> bool:
        return not any(m.content.strip() for m in self.request.messages if m.role != "system")


class _Base(msgspec.Struct, frozen=True):
    """One question counted with all that stands before it, and alone: what is the same for the next question."""

    whole: Counted
    alone: Counted

    def plus(self, request: ChatRequest, alone: Counted) -> Counted | None:
        """The count of another question, of which this is the count alone; None where only counting it whole tells."""
        more = alone.prompt_tokens - self.alone.prompt_tokens
        total, length = self.whole.prompt_tokens + more, self.whole.context_length or 0
        dropping = bool(self.whole.dropped_tokens)
        within = self.whole.fits and alone.fits and not alone.dropped_tokens and total <= prompt_limit(request, length)
        if not within or (dropping and more < 0):
            return None
        by_origin = dict(self.whole.by_origin)
        for origin in ("question", "answer"):
            gained = alone.by_origin.get(origin, 0) - self.alone.by_origin.get(origin, 0)
            by_origin[origin] = by_origin.get(origin, 0) + gained
        # What is left out depends on the question's length by whole messages: the same number only as a rule.
        return msgspec.structs.replace(
            self.whole, prompt_tokens=total, by_origin=_present(by_origin), exact=not dropping or not more
        )


def _whole(engine: Engine, request: ChatRequest) -> Counted:
    assert engine.ready is not None
    length = engine.ready.context_length
    try:
        found = engine.count(request)
    except ContextOverflow as error:
        tokens = int(error.values["prompt_tokens"])
        return Counted(
            prompt_tokens=tokens, by_origin={"question": tokens}, exact=True, fits=False, context_length=length
        )
    return Counted(
        prompt_tokens=found.prompt_tokens,
        by_origin=found.by_origin,
        exact=True,
        context_length=length,
        dropped_messages=found.dropped_messages,
        dropped_tokens=found.dropped_tokens,
    )


def _estimated(model: ChatModel, asked: _Asked) -> Counted:
    """By characters. A remote endpoint leaves nothing out by itself."""
    request, local = asked.request, isinstance(model, LocalModel)
    length = _context_length(model)
    limit = (prompt_limit(request, length) if local else length) if length else None
    sizes = [metrics.estimated_tokens(len(m.content)) for m in request.messages]
    may_drop = local and request.overflow != "stop"
    excess = max(sum(sizes) - limit, 0) if limit else 0
    dropped: list[int] = []
    for index in drop_order(request.messages, request.overflow, continue_last=request.continue_last):
        if not may_drop or excess <= 0:
            break
        dropped.append(index)
        excess -= sizes[index]
    cut = max(excess, 0) if local and request.overflow == "truncate_middle" else 0
    fits = excess <= cut
    left_out = sum(sizes[i] for i in dropped) + cut if fits else 0
    return Counted(
        prompt_tokens=sum(sizes) - left_out,
        by_origin=_scaled(_by_characters(asked, dropped if fits else ()), sum(sizes) - left_out),
        exact=False,
        fits=fits,
        context_length=length,
        dropped_messages=len(dropped) if fits else 0,
        dropped_tokens=left_out,
    )


def _by_characters(asked: _Asked, dropped: Sequence[int] = ()) -> dict[Origin, int]:
    """Characters by where they come from."""
    last, gone = _last_question(asked.request), set(dropped)
    found: dict[Origin, int] = {}
    for index, message in enumerate(asked.request.messages):
        if index not in gone:
            origin = _origin(message, index - last)
            found[origin] = found.get(origin, 0) + len(message.content)
    if asked.files:
        question = len(asked.without_files.messages[last].content)
        found |= {"documents": found["question"] - question, "question": question}
    return found


def _scaled(parts: dict[Origin, int], total: int) -> dict[Origin, int]:
    """Whole numbers in the proportions of `parts` that sum to `total`; the question has what rounding leaves."""
    whole = sum(parts.values()) or 1
    scaled = {origin: part * total // whole for origin, part in parts.items()}
    scaled["question"] = scaled.get("question", 0) + total - sum(scaled.values())
    return _present(scaled)


def _with_documents(counted: Counted, tokens: int) -> Counted:
    if tokens <= 0:
        return counted
    by_origin = counted.by_origin | {"documents": tokens, "question": counted.by_origin["question"] - tokens}
    return msgspec.structs.replace(counted, by_origin=_present(by_origin))


def _with(before: ChatRequest, question: str, begin_with: str) -> ChatRequest:
    """The request that would be sent."""
    asked = [Message("user", question)]
    if begin_with:
        asked.append(Message("assistant", begin_with))
    return msgspec.structs.replace(before, messages=(*before.messages, *asked), continue_last=bool(begin_with))


def _alone(request: ChatRequest) -> ChatRequest:
    """The same without what was said before the last question, and with nothing left out."""
    last = _last_question(request)
    messages = tuple(m for i, m in enumerate(request.messages) if m.role == "system" or i >= last)
    return msgspec.structs.replace(request, messages=messages)


def _last_question(request: ChatRequest) -> int:
    return max(i for i, message in enumerate(request.messages) if message.role == "user")


def _origin(message: Message, after_question: int) -> Origin:
    if message.role == "system":
        return "system"
    return "history" if after_question < 0 else "answer" if after_question else "question"


def _context_length(model: ChatModel) -> int | None:
    if isinstance(model, LocalModel):
        return model_settings.context_length(model.settings, trained=model.info.context_length)
    return model.info.context_length


def _identity(model: ChatModel) -> tuple[object, ...]:
    return (model.info.id, getattr(model, "settings", None))


def _characters(request: ChatRequest) -> int:
    return sum(len(message.content) for message in request.messages)


def _present(by_origin: dict[Origin, int]) -> dict[Origin, int]:
    return {origin: tokens for origin, tokens in by_origin.items() if tokens}
