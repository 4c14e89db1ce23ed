"""From a request to the tokens of its prompt: the chat template, where each token comes from, and what to leave out
when it does not fit.

A message is data: a control token spelled out in its text (`<|im_end|>` …) is tokenized as those characters, so that a
message cannot end its own turn. Everything else is tokenized in one piece, as llama.cpp and transformers do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import ContextOverflow, EmptyPrompt, TemplateInvalid
from core.events import Origin, Trimmed
from core.llamacpp.templates import ChatTemplate
from core.llamacpp.vocabulary import Vocabulary
from core.messages import ChatRequest, Message, Overflow

ANSWER_SHARE = 4
"""A policy that drops something leaves at least this part of the context (1/4) free for the answer."""

KEPT_TEMPLATES = 8
"""Compiled templates that are kept: the model's own and overrides."""

CUT_MARK = "\n[…]\n"


@dataclass(frozen=True)
class Prompt:
    """Tokens to prefill; how many come from where; what was left out; how many at the start a full context keeps."""

    tokens: list[int]
    by_origin: dict[Origin, int]
    trimmed: Trimmed | None = None
    keep: int = 0


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    origin: Origin
    is_data: bool


@dataclass
class PromptMaker:
    """Makes prompts for one model; `template` is its own. Used by one thread."""

    vocabulary: Vocabulary
    template: str
    context_length: int
    _templates: dict[str, ChatTemplate] = field(default_factory=dict)

    def make(self, request: ChatRequest) -> Prompt:
        """The prompt of a request, made to fit by the request's policy.

        Raises `EmptyPrompt`, `TemplateInvalid`, or `ContextOverflow` when the policy drops nothing (more).
        """
        if request.prompt is not None:
            return self._plain(request)
        if not any(m.content.strip() for m in request.messages if m.role != "system"):
            raise EmptyPrompt()
        prompt = self._from_messages(request, request.messages)
        limit = self._limit(request)
        if len(prompt.tokens) <= limit:
            return prompt
        if request.overflow == "stop":
            raise ContextOverflow(prompt_tokens=len(prompt.tokens), context_length=self.context_length)
        return self._trim(request, prompt, limit)

    def _limit(self, request: ChatRequest) -> int:
        if request.overflow == "stop":
            return self.context_length - 1
        share = self.context_length // ANSWER_SHARE
        return self.context_length - max(1, min(request.max_tokens or share, share))

    def _plain(self, request: ChatRequest) -> Prompt:
        if isinstance(request.prompt, str):
            tokens = self.vocabulary.tokenize(request.prompt, special=True, begin=True)
        else:
            tokens = list(request.prompt or ())
        if not tokens or not all(0 <= t < self.vocabulary.size for t in tokens):
            raise EmptyPrompt()
        limit = self._limit(request)
        if len(tokens) <= limit:
            return Prompt(tokens, {"question": len(tokens)})
        if request.overflow == "stop":
            raise ContextOverflow(prompt_tokens=len(tokens), context_length=self.context_length)
        head = 1 if request.overflow == "rolling" else limit // 2
        kept = tokens[:head] + tokens[len(tokens) - (limit - head) :]
        trimmed = Trimmed(request.overflow, 0, len(tokens) - len(kept))
        return Prompt(kept, {"question": len(kept)}, trimmed, keep=head)

    def _from_messages(self, request: ChatRequest, messages: Sequence[Message]) -> Prompt:
        template = self._template(request.chat_template)
        text, spans = _render(template, messages, request.continue_last)
        spans = _mark_default_system(text, spans, messages, self.vocabulary.control_texts)
        if self.vocabulary.adds_bos and template.bos and text.startswith(template.bos):
            cut = len(template.bos)
            text = text[cut:]
            spans = [_Span(max(s.start - cut, 0), max(s.end - cut, 0), s.origin, s.is_data) for s in spans]
        tokens, by_origin = self._tokenize(text, spans)
        if not tokens:
            raise TemplateInvalid(detail="the prompt it gives is empty")
        return Prompt(tokens, by_origin, keep=by_origin.get("system", 0))

    def _template(self, source: str | None) -> ChatTemplate:
        source = self.template if source is None else source
        if source not in self._templates:
            if len(self._templates) == KEPT_TEMPLATES:
                self._templates.clear()
            self._templates[source] = ChatTemplate(source, bos=self.vocabulary.bos, eos=self.vocabulary.eos)
        return self._templates[source]

    def _tokenize(self, text: str, spans: list[_Span]) -> tuple[list[int], dict[Origin, int]]:
        control = self.vocabulary.control_texts
        hostile = control is not None and any(s.is_data and control.search(text, s.start, s.end) for s in spans)
        tokens: list[int] = []
        if not hostile:
            tokens = self.vocabulary.tokenize(text, special=True, begin=True)
            return tokens, self._count(text, tokens, spans)
        by_origin: dict[Origin, int] = {}
        for number, span in enumerate(spans):
            piece = self.vocabulary.tokenize(text[span.start : span.end], special=not span.is_data, begin=number == 0)
            tokens += piece
            by_origin[span.origin] = by_origin.get(span.origin, 0) + len(piece)
        return tokens, by_origin

    def _count(self, text: str, tokens: list[int], spans: list[_Span]) -> dict[Origin, int]:
        """Each token belongs to the span in which its first byte lies."""
        by_origin: dict[Origin, int] = {}
        ends = [len(text[: s.end].encode("utf-8", errors="replace")) for s in spans]
        place, offset = 0, 0
        for token in tokens:
            while place < len(spans) - 1 and offset >= ends[place]:
                place += 1
            origin = spans[place].origin
            by_origin[origin] = by_origin.get(origin, 0) + 1
            offset += len(self.vocabulary.raw_piece(token))
        return by_origin

    def _trim(self, request: ChatRequest, whole: Prompt, limit: int) -> Prompt:
        messages = list(request.messages)
        order = _drop_order(messages, request.overflow, request.continue_last)
        sizes = {i: len(self.vocabulary.tokenize(messages[i].content, special=False)) for i in order}
        dropped: set[int] = set()
        prompt, excess = whole, len(whole.tokens) - limit
        while excess > 0 and order:
            while excess > 0 and order:
                dropped.add(order[0])
                excess -= sizes[order.pop(0)]
            kept = [m for i, m in enumerate(messages) if i not in dropped]
            prompt = self._from_messages(request, kept)
            excess = len(prompt.tokens) - limit
        if excess > 0 and request.overflow == "truncate_middle":
            kept = [m for i, m in enumerate(messages) if i not in dropped]
            prompt = self._from_messages(request, self._cut_longest(kept, excess))
            excess = len(prompt.tokens) - limit
        if excess > 0:
            raise ContextOverflow(prompt_tokens=len(prompt.tokens), context_length=self.context_length)
        trimmed = Trimmed(request.overflow, len(dropped), len(whole.tokens) - len(prompt.tokens))
        return Prompt(prompt.tokens, prompt.by_origin, trimmed, prompt.keep)

    def _cut_longest(self, messages: list[Message], excess: int) -> list[Message]:
        longest = max(range(len(messages)), key=lambda i: len(messages[i].content))
        tokens = self.vocabulary.tokenize(messages[longest].content, special=False)
        room = len(tokens) - excess - len(self.vocabulary.tokenize(CUT_MARK, special=False)) - 8
        head, tail = max(room, 0) // 2, max(room, 0) - max(room, 0) // 2
        text = (
            self.vocabulary.detokenize(tokens[:head])
            + CUT_MARK
            + self.vocabulary.detokenize(tokens[len(tokens) - tail :])
        )
        changed = Message(messages[longest].role, text)
        return [*messages[:longest], changed, *messages[longest + 1 :]]


def _drop_order(messages: list[Message], policy: Overflow, continue_last: bool) -> list[int]:
    """Indices in the order in which they may be left out; never the system prompt nor the last question."""
    questions = [i for i, m in enumerate(messages) if m.role == "user"]
    last = questions[-1] if questions else len(messages) - 1 - continue_last
    middle = [i for i in range(last) if messages[i].role != "system"]
    if policy == "rolling" or len(questions) < 2:
        return middle
    first = [i for i in middle if i < questions[1]]
    return [i for i in middle if i not in first] + first


def _render(template: ChatTemplate, messages: Sequence[Message], continue_last: bool) -> tuple[str, list[_Span]]:
    asked, begun = (messages[:-1], messages[-1].content) if continue_last and messages else (messages, "")
    text = template.render(asked)
    spans = _exact_spans(template, asked, text) or _searched_spans(asked, text)
    if begun:
        spans.append(_Span(len(text), len(text) + len(begun), "answer", True))
    return text + begun, spans


def _exact_spans(template: ChatTemplate, messages: Sequence[Message], text: str) -> list[_Span]:
    """Spans of the contents, found by rendering the same messages with marks in their place; empty when a template
    treats the marks in another way than the contents."""
    marks = [Message(m.role, f"\ue000{i}\ue001") for i, m in enumerate(messages)]
    try:
        skeleton = template.render(marks)
    except Exception:  # a template may refuse the marks; the search then finds the contents as well as it can
        return []
    parts = re.split("\ue000(\\d+)\ue001", skeleton)
    spans: list[_Span] = []
    place = 0
    for literal, number in zip(parts[::2], [*parts[1::2], None], strict=True):
        if not text.startswith(literal, place):
            return []
        after = place + len(literal)
        if number is None:
            return [*spans, _Span(place, after, spans[-1].origin, False)] if after == len(text) and spans else []
        content, origin = messages[int(number)].content, _origin(messages, int(number))
        found = next((c for c in (content, content.strip()) if text.startswith(c, after)), None)
        if found is None:
            return []
        spans += [_Span(place, after, origin, False), _Span(after, after + len(found), origin, True)]
        place = after + len(found)
    return []


def _searched_spans(messages: Sequence[Message], text: str) -> list[_Span]:
    spans: list[_Span] = []
    place = 0
    for i, message in enumerate(messages):
        content = message.content.strip()
        found = text.find(content, place) if content else -1
        if found < 0:
            continue
        origin = _origin(messages, i)
        spans += [_Span(place, found, origin, False), _Span(found, found + len(content), origin, True)]
        place = found + len(content)
    return [*spans, _Span(place, len(text), spans[-1].origin if spans else "question", False)]


def _origin(messages: Sequence[Message], index: int) -> Origin:
    role = messages[index].role
    if role == "system":
        return "system"
    if role == "tool":
        return "tools"
    newest = max((i for i, m in enumerate(messages) if m.role == "user"), default=len(messages) - 1)
    return "question" if index >= newest else "history"


def _mark_default_system(
    text: str, spans: list[_Span], messages: Sequence[Message], control: re.Pattern[str] | None
) -> list[_Span]:
    """A template may put a system prompt of its own before the first message: what stands before that message's header,
    which begins with the last control token, is the system's."""
    if not spans or control is None or messages[0].role == "system":
        return spans
    headers = list(control.finditer(text, spans[0].start, spans[0].end))
    if not headers or headers[-1].start() == 0:
        return spans
    cut = headers[-1].start()
    return [_Span(0, cut, "system", False), _Span(cut, spans[0].end, spans[0].origin, False), *spans[1:]]
