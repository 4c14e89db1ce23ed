"""From a request to the tokens of its prompt: the chat template, where each token comes from, and what to leave out
when it does not fit.

A message is data: a control token spelled out in its text (`<|im_end|>` …) is tokenized as those characters, so that a
message cannot end its own turn. Everything else is tokenized in one piece, as llama.cpp and transformers do.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from core.errors import ContextOverflow, EmptyPrompt, TemplateInvalid
from core.events import Origin, Trimmed
from core.llamacpp import spans, tool_calls, tool_prompt
from core.llamacpp.spans import Span
from core.llamacpp.templates import ChatTemplate
from core.llamacpp.tool_calls import Format
from core.llamacpp.tool_prompt import Shown
from core.llamacpp.vocabulary import Vocabulary
from core.messages import ChatRequest, Message
from core.overflow import drop_order, prompt_limit

KEPT_TEMPLATES = 8
"""Compiled templates that are kept: the model's own and overrides."""

CUT_MARK = "\n[…]\n"


@dataclass(frozen=True)
class Prompt:
    """Tokens to prefill; how many come from where; what was left out; how many at the start a full context keeps; and
    how a model with this template calls tools."""

    tokens: list[int]
    by_origin: dict[Origin, int]
    trimmed: Trimmed | None = None
    keep: int = 0
    form: Format | None = None


@dataclass
class PromptMaker:
    """Makes prompts for one model; `template` is its own, `tool_template` the one for requests with tools where it has
    another for them. Used by one thread."""

    vocabulary: Vocabulary
    template: str
    context_length: int
    tool_template: str | None = None
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
        limit = prompt_limit(request, self.context_length)
        if len(prompt.tokens) <= limit:
            return prompt
        if request.overflow == "stop":
            raise ContextOverflow(prompt_tokens=len(prompt.tokens), context_length=self.context_length)
        return self._trim(request, prompt, limit)

    def _plain(self, request: ChatRequest) -> Prompt:
        if isinstance(request.prompt, str):
            tokens = self.vocabulary.tokenize(request.prompt, special=True, begin=True)
        else:
            tokens = list(request.prompt or ())
        if not tokens or not all(0 <= t < self.vocabulary.size for t in tokens):
            raise EmptyPrompt()
        limit = prompt_limit(request, self.context_length)
        if len(tokens) <= limit:
            return Prompt(tokens, {"question": len(tokens)})
        if request.overflow == "stop":
            raise ContextOverflow(prompt_tokens=len(tokens), context_length=self.context_length)
        head = 1 if request.overflow == "rolling" else limit // 2
        kept = tokens[:head] + tokens[len(tokens) - (limit - head) :]
        trimmed = Trimmed(request.overflow, 0, len(tokens) - len(kept))
        return Prompt(kept, {"question": len(kept)}, trimmed, keep=head)

    def _from_messages(self, request: ChatRequest, messages: Sequence[Message]) -> Prompt:
        cut = len(messages) - 1 if request.continue_last and messages else len(messages)
        said, begun = messages[:cut], "".join(message.content for message in messages[cut:])
        has_tools = tool_prompt.needed(request.tools, said)
        source = self._source(request)
        template = self._template(source)
        form = tool_calls.format_of(source) if has_tools else None
        text, found = self._rendered(template, request, said, form)
        if begun:
            found.append(Span(len(text), len(text) + len(begun), "answer", True))
            text += begun
        if self.vocabulary.adds_bos and template.bos and text.startswith(template.bos):
            size = len(template.bos)
            text = text[size:]
            found = [replace(s, start=max(s.start - size, 0), end=max(s.end - size, 0)) for s in found]
        tokens, by_origin = self._tokenize(text, found)
        if not tokens:
            raise TemplateInvalid(detail="the prompt it gives is empty")
        return Prompt(tokens, by_origin, keep=by_origin.get("system", 0), form=form)

    def _rendered(
        self, template: ChatTemplate, request: ChatRequest, said: Sequence[Message], form: Format | None
    ) -> tuple[str, list[Span]]:
        shown = tool_prompt.shown(request.tools, said, form)
        try:
            return self._spans(template, shown)
        except TemplateInvalid:  # it may be one that takes no system prompt
            if not shown.described or shown.messages[0].role != "system" or said[0].role == "system":
                raise
        return self._spans(template, tool_prompt.shown(request.tools, said, form, system=False))

    def _spans(self, template: ChatTemplate, shown: Shown) -> tuple[str, list[Span]]:
        control = self.vocabulary.control_texts
        without = functools.partial(template.render, guard=functools.partial(spans.guarded, control=control))
        render = functools.partial(without, tools=shown.tools)
        messages = shown.messages
        text = render(messages)
        found = spans.of(messages, shown.origins, text, render)
        ranges = spans.of_tools(messages, found, render, without) if shown.tools else []
        if shown.described and (place := text.find(shown.described)) >= 0:
            ranges.append((place, place + len(shown.described)))
        found = spans.mark_default_system(text, found, messages, control)
        for start, end in ranges:
            found = spans.over(found, start, end, "tools")
        return spans.unguarded(text, found)

    def _source(self, request: ChatRequest) -> str:
        if request.chat_template is not None:
            return request.chat_template
        if request.tools and self.tool_template is not None and tool_calls.format_of(self.tool_template).native:
            return self.tool_template
        return self.template

    def _template(self, source: str) -> ChatTemplate:
        if source not in self._templates:
            if len(self._templates) == KEPT_TEMPLATES:
                self._templates.clear()
            self._templates[source] = ChatTemplate(source, bos=self.vocabulary.bos, eos=self.vocabulary.eos)
        return self._templates[source]

    def _tokenize(self, text: str, parts: list[Span]) -> tuple[list[int], dict[Origin, int]]:
        control = self.vocabulary.control_texts
        hostile = control is not None and any(s.is_data and control.search(text, s.start, s.end) for s in parts)
        tokens: list[int] = []
        if not hostile:
            tokens = self.vocabulary.tokenize(text, special=True, begin=True)
            return tokens, self._count(text, tokens, parts)
        by_origin: dict[Origin, int] = {}
        for number, span in enumerate(parts):
            piece = self.vocabulary.tokenize(text[span.start : span.end], special=not span.is_data, begin=number == 0)
            tokens += piece
            by_origin[span.origin] = by_origin.get(span.origin, 0) + len(piece)
        return tokens, by_origin

    def _count(self, text: str, tokens: list[int], parts: list[Span]) -> dict[Origin, int]:
        """Each token belongs to the span in which its first byte lies."""
        by_origin: dict[Origin, int] = {}
        ends = [len(text[: s.end].encode("utf-8", errors="replace")) for s in parts]
        place, offset = 0, 0
        for token in tokens:
            while place < len(parts) - 1 and offset >= ends[place]:
                place += 1
            origin = parts[place].origin
            by_origin[origin] = by_origin.get(origin, 0) + 1
            offset += len(self.vocabulary.raw_piece(token))
        return by_origin

    def _trim(self, request: ChatRequest, whole: Prompt, limit: int) -> Prompt:
        messages = list(request.messages)
        order = drop_order(messages, request.overflow, continue_last=request.continue_last)
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
        return replace(prompt, trimmed=trimmed)

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
        changed = msgspec.structs.replace(messages[longest], content=text)
        return [*messages[:longest], changed, *messages[longest + 1 :]]
