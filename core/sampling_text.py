"""Parameters that a person types as text, read and written: lists of strings, logit biases, JSON schemas.

Knows no page. What is written reads back as the same value. Raises what is wrong with a text, naming the line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import N_, SchemaInvalid, SchemaUnreadable, SettingInvalid

MAX_DEPTH = 64
"""Levels of a JSON schema, as many as the engine takes."""

_LARGEST_TOKEN = 2**31 - 1
_LARGEST_BIAS = 1e9
_WRITTEN = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_READ = {written[1]: character for character, written in _WRITTEN.items()}

SCHEMA_EXAMPLE = """\
{
  "type": "object",
  "properties": {
    "answer": {"type": "string"},
    "certain": {"type": "boolean"}
  },
  "required": ["answer", "certain"],
  "additionalProperties": false
}"""
"""To start from; also as strict as OpenAI's API wants it."""

GRAMMAR_EXAMPLE = """\
# An answer is yes or no, and a reason of one line.
root ::= ("Yes" | "No") ", because " reason "."
reason ::= [^.\\n]+"""
"""To start from: GBNF."""


def strings(text: str) -> tuple[str, ...]:
    r"""A string on each line, empty ones left out; \n, \t, \r and \\ stand for what they do in Python."""
    return tuple(_unescaped(line) for line in text.split("\n") if line)


def strings_text(values: Iterable[str]) -> str:
    """The lines that `strings` reads as these values, empty ones left out."""
    return "\n".join("".join(_WRITTEN.get(c, c) for c in value) for value in values if value)


def logit_bias(text: str) -> dict[int, float]:
    """Token ids and what is added to their logits, from lines such as `1234 = -5`; a decimal comma is one too.

    Raises `SettingInvalid` with the first line that says something else, or names a token again.
    """
    biases: dict[int, float] = {}
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        token, bias = _bias(line)
        if token in biases:
            raise _wrong(line)
        biases[token] = bias
    return biases


def logit_bias_text(biases: Mapping[int, float]) -> str:
    """The lines that `logit_bias` reads as these."""
    return "\n".join(f"{token} = {repr(float(bias)).removesuffix('.0')}" for token, bias in biases.items())


def json_schema(text: str) -> dict[str, Any]:
    """A JSON object. Raises `SchemaUnreadable` with the place where it is no JSON, or `SchemaInvalid`."""
    try:
        schema = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise SchemaUnreadable(line=error.lineno, column=error.colno, detail=error.msg) from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:  # a number with thousands of digits, or one that is none
        raise SchemaInvalid(detail=str(error)) from error
    if not isinstance(schema, dict):
        raise SchemaInvalid(detail=N_("it is no object in braces"))
    _check(schema)
    return schema


def json_schema_text(schema: Mapping[str, Any]) -> str:
    """The text that `json_schema` reads as this."""
    return json.dumps(schema, indent=2, ensure_ascii=False)


def _unescaped(line: str) -> str:
    return re.sub(r"\\(.)", lambda found: _READ.get(found[1], found[0]), line)


def _bias(line: str) -> tuple[int, float]:
    token, found, bias = line.partition("=")
    try:
        number, value = int(token), float(bias.replace(",", "."))
    except ValueError:
        raise _wrong(line) from None
    if not found or not 0 <= number <= _LARGEST_TOKEN or not abs(value) <= _LARGEST_BIAS:
        raise _wrong(line)
    return number, value


def _wrong(line: str) -> SettingInvalid:
    return SettingInvalid(
        setting=N_("Logit bias"),
        value=repr(line[:80]),
        allowed=N_("on each line the number of a token, = and a number, as in 1234 = -5; each token once"),
    )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _check(schema: dict[str, Any]) -> None:
    stack: list[tuple[Any, int]] = [(schema, 1)]
    while stack:
        value, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, float) and not math.isfinite(value):
            raise SchemaInvalid(detail=N_("one of its numbers is too large"))
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        stack += [(child, depth + 1) for child in children]


def _too_deep() -> SchemaInvalid:
    return SchemaInvalid(detail=f"it is nested more than {MAX_DEPTH} deep")
