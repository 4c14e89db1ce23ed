"""Tool calls as models write them: how each kind does, a grammar for it, and reading it again as it comes.

Which kind a model is says its chat template. A call is written as `FORMATS` shows; a grammar made from the tools' JSON
schemas holds the model to that once a call has begun, and from the start where there must be one. So what is read is
well-formed unless it was cut; what is not is given as text. Formats: the models' own templates, which llama.cpp keeps
in models/templates.
"""

from __future__ import annotations

import functools
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from core.errors import SchemaInvalid
from core.events import ToolCall
from core.llamacpp import grammar
from core.llamacpp.templates import OutOfTime, in_time
from core.llamacpp.text_stream import overlap
from core.messages import ChatRequest, Tool

TIME_LIMIT_S = 5.0
"""For making grammars of the schemas of all tools of a request."""

MOST_CALLS = 16
"""In one answer. A small model can repeat a call without end."""

NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}

_PLACES = re.compile(r"(\$NAME|\$ARGUMENTS|\$ID| )")
_RULES = {" ": "ws", "$ID": "[a-zA-Z0-9]{9}"}
_PATTERNS = {" ": r"\s*", "$ID": "[a-zA-Z0-9]{9}", "$NAME": "([a-zA-Z0-9_-]+)"}


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How a kind of model calls tools.

    template: found in its chat template; the first format that is, is its own. native: that template describes the
    tools itself. call: one call, with $NAME, $ARGUMENTS (a JSON object) and $ID in their places, and a space wherever
    white space may stand. openings: what begins a call in an answer; at_start: only where no words came before. before,
    between, after: around all calls of an answer; without `between` there is but one. hidden: control tokens that
    belong to it and have no text of their own. short_ids: the template takes ids of nine letters and digits only.
    """

    name: str
    template: str
    call: str
    openings: tuple[str, ...]
    at_start: bool = False
    before: str = ""
    between: str | None = None
    after: str = ""
    hidden: frozenset[str] = frozenset()
    native: bool = True
    short_ids: bool = False


_mistral = partial(Format, openings=("[TOOL_CALLS]",), short_ids=True)

FORMATS = (
    Format(
        name="hermes",
        template=r"""<tool_call>[^<>]{0,40}\{\\?["']name""",
        call='<tool_call> { "name": "$NAME", "arguments": $ARGUMENTS } </tool_call>',
        openings=("<tool_call>",),
        between=" ",
    ),
    _mistral(
        name="mistral with ids",
        template=r"\[TOOL_CALLS\][\s\S]{0,400}\[CALL_ID\][\s\S]{0,200}\[ARGS\]",
        call="[TOOL_CALLS]$NAME[CALL_ID]$ID[ARGS]$ARGUMENTS",
        between=" ",
        hidden=frozenset({"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"}),
    ),
    _mistral(
        name="mistral with arguments",
        template=r"\[TOOL_CALLS\][\s\S]{0,400}\[ARGS\]",
        call="[TOOL_CALLS]$NAME[ARGS]$ARGUMENTS",
        between=" ",
        hidden=frozenset({"[TOOL_CALLS]", "[ARGS]"}),
    ),
    _mistral(
        name="mistral",
        template=r"\[TOOL_CALLS\]",
        call='{ "name": "$NAME", "arguments": $ARGUMENTS, "id": "$ID" }',
        before="[TOOL_CALLS] [ ",
        between=", ",
        after=" ]",
        hidden=frozenset({"[TOOL_CALLS]"}),
    ),
    Format(
        name="llama 3",
        template=r'\{"name": function name, "parameters"',
        call='{ "name": "$NAME", "parameters": $ARGUMENTS }',
        openings=('{"name"', '{ "name"', '{\n"name"'),
        at_start=True,
    ),
    Format(
        name="generic",
        template="",
        call='{ "tool_call": { "name": "$NAME", "arguments": $ARGUMENTS } }',
        openings=('{"tool_call"', '{ "tool_call"', '{\n"tool_call"'),
        native=False,
    ),
)
"""The last is for templates that know no tools, or write calls in none of these ways: it is described in words."""


def format_of(template: str) -> Format:
    """The format in which a model with this chat template writes calls."""
    return next(each for each in FORMATS if re.search(each.template, template))


def example(form: Format, *, name: str, arguments: str) -> str:
    """A call as the format has it."""
    return form.call.replace("{ ", "{").replace(" }", "}").replace("$NAME", name).replace("$ARGUMENTS", arguments)


@dataclass(frozen=True)
class Calling:
    """What the tools of a request ask of its answer. `must`: it is a call, and nothing else."""

    form: Format
    names: frozenset[str]
    must: bool
    rules: str

    def grammar(self, begun: str = "") -> str:
        """GBNF of the calls, after the text `begun`."""
        return f"root ::= {_literal(begun)} calls\n{self.rules}"

    def grammar_from_start(self, answer: str | None) -> str | None:
        """GBNF that holds from the first token; None where only a call that has begun is held to anything.

        answer: the grammar of an answer in words. An answer that must be a call has no words for it to speak of.
        """
        if self.must:
            return self.grammar()
        if answer is None:
            return None
        return f"root ::= calls | answer-root\n{grammar.prefixed(answer, 'answer-')}\n{self.rules}"


def of(request: ChatRequest, form: Format | None) -> Calling | None:
    """What a request's tools ask of its answer; None where no call can come. Raises `SchemaInvalid`."""
    if not request.tools or request.tool_choice == "none" or form is None:
        return None
    one = [tool for tool in request.tools if tool.name == request.tool_choice]
    tools = one or list(request.tools)
    rules = _rules(form, tools)
    grammar.checked(f"root ::= calls\n{rules}")
    return Calling(form, frozenset(tool.name for tool in tools), bool(one) or request.tool_choice == "required", rules)


class Reader:
    """Tells calls from words in the text of one answer, as it comes.

    `held` is what may be, or is, a call. `opened`: a call has begun, and all that follows is held.
    """

    def __init__(self, calling: Calling) -> None:
        self._calling = calling
        self._looking = True
        self.opened = calling.must
        self.held = ""

    def push(self, text: str) -> str:
        """The words in it, and of what was held; a piece that may be the beginning of a call is not given yet."""
        text, self.held = self.held + text, ""
        if self.opened:
            self.held = text
            return ""
        if not self._looking:
            return text
        place, self.opened = self._opening(text)
        self.held = text[place:]
        return text[:place]

    def rest(self) -> tuple[list[ToolCall], str]:
        """At the end of the answer: the calls in what is held, and all that is none."""
        if not self.opened:
            return [], self.held
        calls, place = _read(self._calling, self.held)
        words = self.held[place:]
        return calls, words if words.strip() else ""

    def _opening(self, text: str) -> tuple[int, bool]:
        """Where a call begins, and that it does; else where a beginning of one may."""
        openings = self._calling.form.openings
        if self._calling.form.at_start:
            blank = len(text) - len(text.lstrip())
            if text.startswith(openings, blank):
                return blank, True
            self._looking = any(opening.startswith(text[blank:]) for opening in openings)
            return (0 if self._looking else len(text)), False
        found = [place for place in map(text.find, openings) if place >= 0]
        return (min(found), True) if found else (len(text) - max(overlap(text, each) for each in openings), False)


def _read(calling: Calling, text: str) -> tuple[list[ToolCall], int]:
    """The complete calls at the beginning of a text, and where what follows them begins."""
    form, calls = calling.form, list[ToolCall]()
    head, tail = (_pattern(part) for part in form.call.split("$ARGUMENTS"))
    begin = _pattern(form.before).match(text)
    place = end = begin.end() if begin else 0
    while (named := head.match(text, place)) and named[1] in calling.names:
        try:
            value, end_of_value = json.JSONDecoder().raw_decode(text, named.end())
        except (ValueError, RecursionError):
            break
        closed = tail.match(text, end_of_value)
        if not closed or not isinstance(value, dict):
            break
        calls.append(ToolCall(f"call_{secrets.token_hex(12)}", named[1], text[named.end() : end_of_value]))
        place = end = closed.end()
        between = None if form.between is None else _pattern(form.between).match(text, end)
        if between is None:
            break
        place = between.end()
    if not calls:
        return [], 0
    last = _pattern(form.after).match(text, end)
    return calls, last.end() if last else end


def _rules(form: Format, tools: Sequence[Tool]) -> str:
    try:
        arguments = in_time(lambda: _arguments(msgspec.json.encode(tools)), TIME_LIMIT_S)
    except OutOfTime:
        raise SchemaInvalid(detail="turning the schemas of all tools into a grammar takes too long") from None
    # All tools share what stands before the name: two hundred alternatives from the first token on would be slow.
    before, named = form.call.split("$NAME")
    middle, after = named.split("$ARGUMENTS")
    more = "" if form.between is None else f"({_gbnf(form.between)} call){{0,{MOST_CALLS - 1}}}"
    return "\n".join(
        [
            f"calls ::= {_gbnf(form.before)} call {more} {_gbnf(form.after)}",
            f"call ::= {_gbnf(before)} ({' | '.join(f'call-{n}' for n in range(len(tools)))}) {_gbnf(after)}",
            *(f"call-{n} ::= {_literal(t.name)} {_gbnf(middle)} tool-{n}-root" for n, t in enumerate(tools)),
            "ws ::= [ \\t\\n]{0,4}",
            *arguments,
        ]
    )


@functools.lru_cache(maxsize=8)
def _arguments(tools: bytes) -> list[str]:
    """A grammar for each tool's arguments, its rules named after its place. The same tools come with every turn."""
    grammars = []
    for number, tool in enumerate(msgspec.json.decode(tools, type=list[Tool])):
        schema = tool.parameters or NO_ARGUMENTS
        if schema.get("type", "object") != "object":
            raise SchemaInvalid(detail=f"the arguments of {tool.name} are no object")
        grammars.append(grammar.prefixed(grammar.from_schema(schema), f"tool-{number}-"))
    return grammars


def _gbnf(text: str) -> str:
    return " ".join(_RULES.get(part) or _literal(part) for part in _PLACES.split(text) if part)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join(_PATTERNS.get(part) or re.escape(part) for part in _PLACES.split(text)))


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'.replace("\0", "\\x00")
