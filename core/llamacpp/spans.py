"""Where each part of a rendered prompt comes from: which message, or the tools; and what of it is data.

A template is a program, so what it made of what is not said but found out: by rendering the same messages with marks in
place of their contents, and, for the tools, once more without them. Strings of tools and calls stand anywhere in what
a template writes, so what spells a control token in them is wrapped in marks before it is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from core.events import Origin
from core.llamacpp.sequences import common_prefix
from core.messages import Message

_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")
_OPEN, _CLOSE = "\ue002", "\ue003"
_NO_MARKS = dict.fromkeys(map(ord, "\ue000\ue001\ue002\ue003"))


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` of a prompt. `is_data`: control tokens spelled out in it are only characters."""

    start: int
    end: int
    origin: Origin
    is_data: bool


Render = Callable[[Sequence[Message]], str]


def of(messages: Sequence[Message], origins: Sequence[Origin], text: str, render: Render) -> list[Span]:
    """Spans of a text that a template made of these messages, in order and without gaps.

    `render` makes it again of others; a template that treats them in another way is searched for the contents.
    """
    skeleton = _skeleton(messages, render)
    return _exact(messages, origins, text, skeleton) or _searched(messages, origins, text)


def of_tools(
    messages: Sequence[Message], spans: Sequence[Span], render: Render, without: Render
) -> list[tuple[int, int]]:
    """From where to where a template writes of the tools; `without` renders without them."""
    longer, shorter = _MARKED.split(_skeleton(messages, render)), _MARKED.split(_skeleton(messages, without))
    literals = [span for span in spans if not span.is_data]
    same = [span.end - span.start for span in literals] == [len(literal) for literal in longer[::2]]
    if not same or longer[1::2] != shorter[1::2]:
        return []
    found = []
    for span, more, less in zip(literals, longer[::2], shorter[::2], strict=True):
        if more != less:
            head = common_prefix(more, less)
            tail = common_prefix(more[head:][::-1], less[head:][::-1])
            found.append((span.start + head, span.end - tail))
    return found


def over(spans: Sequence[Span], start: int, end: int, origin: Origin) -> list[Span]:
    """The same spans, with everything from `start` to `end` of this origin."""
    found: list[Span] = []
    for span in spans:
        low, high = max(span.start, start), min(span.end, end)
        if low >= high:
            found.append(span)
            continue
        parts = replace(span, end=low), replace(span, start=low, end=high, origin=origin), replace(span, start=high)
        found += [part for part in parts if part.start < part.end]
    return found


def guarded(value: Any, control: re.Pattern[str] | None) -> Any:
    """A JSON value with marks around every control token that is spelled out in its strings."""
    if isinstance(value, str):
        value = value.translate(_NO_MARKS)
        return control.sub(lambda found: _OPEN + found[0] + _CLOSE, value) if control else value
    if isinstance(value, dict):
        return {guarded(key, control): guarded(child, control) for key, child in value.items()}
    return [guarded(child, control) for child in value] if isinstance(value, list) else value


def unguarded(text: str, spans: Sequence[Span]) -> tuple[str, list[Span]]:
    """The text without those marks, and its spans with what stood between two of them as data."""
    if _OPEN not in text:
        return text, list(spans)
    parts: list[str] = []
    found: list[Span] = []
    place, inside = 0, False
    for span in spans:
        whole = text[span.start : span.end]
        for part in [whole] if span.is_data else re.split(f"([{_OPEN}{_CLOSE}])", whole):
            if part in (_OPEN, _CLOSE) and not span.is_data:
                inside = part == _OPEN
            elif part:
                found.append(Span(place, place + len(part), span.origin, span.is_data or inside))
                parts.append(part)
                place += len(part)
    return "".join(parts), found


def _skeleton(messages: Sequence[Message], render: Render) -> str:
    """What becomes of the messages with marks as contents; empty when the template refuses them."""
    marked = [
        msgspec.structs.replace(m, content=_MARK.format(i)) if m.content or not m.tool_calls else m
        for i, m in enumerate(messages)
    ]
    try:
        return render(marked)
    except Exception:  # a template may refuse the marks; the search then finds the contents as well as it can
        return ""


def _exact(messages: Sequence[Message], origins: Sequence[Origin], text: str, skeleton: str) -> list[Span]:
    """Empty when a template treats the marks in another way than the contents."""
    parts = _MARKED.split(skeleton)
    spans: list[Span] = []
    place = 0
    for literal, number in zip(parts[::2], [*parts[1::2], None], strict=True):
        if not text.startswith(literal, place):
            return []
        after = place + len(literal)
        if number is None:
            return [*spans, Span(place, after, spans[-1].origin, False)] if after == len(text) and spans else []
        content, origin = messages[int(number)].content, origins[int(number)]
        found = next((c for c in (content, content.strip()) if text.startswith(c, after)), None)
        if found is None:
            return []
        spans += [Span(place, after, origin, False), Span(after, after + len(found), origin, True)]
        place = after + len(found)
    return []


def _searched(messages: Sequence[Message], origins: Sequence[Origin], text: str) -> list[Span]:
    spans: list[Span] = []
    place = 0
    for message, origin in zip(messages, origins, strict=True):
        content = message.content.strip()
        found = text.find(content, place) if content else -1
        if found < 0:
            continue
        spans += [Span(place, found, origin, False), Span(found, found + len(content), origin, True)]
        place = found + len(content)
    return [*spans, Span(place, len(text), spans[-1].origin if spans else "question", False)]


def mark_default_system(
    text: str, spans: list[Span], messages: Sequence[Message], control: re.Pattern[str] | None
) -> list[Span]:
    """A template may put a system prompt of its own before the first message: what stands before that message's header,
    which begins with the last control token, is the system's."""
    if not spans or control is None or messages[0].role == "system":
        return spans
    first = spans[0]
    headers = list(control.finditer(text, first.start, first.end))
    if not headers or headers[-1].start() == 0:
        return spans
    return over(spans, 0, headers[-1].start(), "system")
