"""Grammars that an answer must follow: GBNF as given, or made from a JSON schema by llama-cpp-python's converter.

llama.cpp parses recursively and without limits, so a grammar of 60,000 nested brackets kills its process: size and
depth are checked before. A grammar that does not parse is refused, never ignored.
"""

from __future__ import annotations

import json
import re
from typing import Any

from llama_cpp.llama_grammar import json_schema_to_gbnf

from core.errors import GrammarInvalid, SchemaInvalid
from core.llamacpp.templates import OutOfTime, in_time
from core.messages import ChatRequest

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 200
MAX_SCHEMA_DEPTH = 64
TIME_LIMIT_S = 2.0

_LITERALS = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\n]*', re.DOTALL)
_NAMES = re.compile(_LITERALS.pattern + r"|<[^>\s]*>|\{[^}]*\}|([a-zA-Z0-9-]+)", re.DOTALL)


def of(request: ChatRequest) -> str | None:
    """The request's grammar as GBNF, checked; None when it has none. Raises `GrammarInvalid` or `SchemaInvalid`."""
    if request.grammar is not None and request.json_schema is not None:
        raise GrammarInvalid(detail="a request takes a grammar or a JSON schema, not both")
    if request.json_schema is not None:
        return checked(from_schema(request.json_schema))
    return None if request.grammar is None else checked(request.grammar)


def checked(grammar: str) -> str:
    """The same grammar, or `GrammarInvalid`: too long, too deeply nested, unbalanced, or without a root rule."""
    if len(grammar) > MAX_CHARACTERS:
        raise GrammarInvalid(detail=f"it has {len(grammar)} characters, and {MAX_CHARACTERS} are allowed")
    if "\0" in grammar:
        raise GrammarInvalid(detail="it contains a NUL character")
    if not re.search(r"^\s*root\s*::=", grammar, re.MULTILINE):
        raise GrammarInvalid(detail="it has no rule called root")
    depth = 0
    for character in _LITERALS.sub("", grammar):
        depth += (character == "(") - (character == ")")
        if depth > MAX_DEPTH:
            raise GrammarInvalid(detail=f"its brackets are nested more than {MAX_DEPTH} deep")
        if depth < 0:
            break
    if depth != 0:
        raise GrammarInvalid(detail="its brackets do not match")
    return grammar


def prefixed(grammar: str, prefix: str) -> str:
    """The same grammar with `prefix` before the name of each rule, so that several can stand together in one."""
    return _NAMES.sub(lambda found: prefix + found[1] if found[1] else found[0], grammar)


def from_schema(schema: dict[str, Any]) -> str:
    """GBNF of the JSON that a schema allows. Raises `SchemaInvalid`."""
    _check_schema(schema)
    try:
        return in_time(lambda: str(json_schema_to_gbnf(json.dumps(schema))), TIME_LIMIT_S)
    except OutOfTime:
        raise SchemaInvalid(detail="turning it into a grammar takes too long") from None
    except RecursionError as error:
        raise SchemaInvalid(detail="it refers to itself without end") from error
    except Exception as error:  # the converter raises whatever a malformed schema makes it raise
        raise SchemaInvalid(detail=(str(error) or type(error).__name__)[:300].rstrip(".")) from error


def _check_schema(schema: dict[str, Any]) -> None:
    stack: list[tuple[Any, int]] = [(schema, 1)]
    while stack:
        value, depth = stack.pop()
        if depth > MAX_SCHEMA_DEPTH:
            raise SchemaInvalid(detail=f"it is nested more than {MAX_SCHEMA_DEPTH} deep")
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#/"):
                raise SchemaInvalid(detail=f"it refers to {reference[:80]!r}, which is outside the schema")
            _check_pattern(value.get("pattern"))
            stack += [(child, depth + 1) for child in value.values()]
        elif isinstance(value, list):
            stack += [(child, depth + 1) for child in value]


def _check_pattern(pattern: Any) -> None:
    # The converter takes a pattern that is no regular expression for one, and makes a grammar of something else.
    if isinstance(pattern, str):
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise SchemaInvalid(detail=f"the pattern {pattern[:80]!r} is no regular expression: {error}") from error
