"""Mechanical checks of an answer: it contains a text, matches a regular expression, is JSON of a schema, says a number.

Patterns and schemas come from files and are trusted with nothing: an answer that cannot be checked in half a second has
not passed. Knows no model and no prompt.
"""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from core.arena import safe_patterns, safe_schemas
from core.errors import N_, CheckInvalid

Kind = Literal["contains", "regex", "json_schema", "equals"]
"""`contains`: this text, whatever its case and gaps; `regex`: it is found somewhere; `json_schema`: the answer is JSON
that keeps to it, alone or as its only fenced block; `equals`: the last number of the answer is this one."""

KINDS: tuple[Kind, ...] = get_args(Kind)

LONGEST_ANSWER = 100_000
"""Characters of an answer that are looked at."""

_FENCED = re.compile(r"^ {0,3}```[^\n`]*\n(.*?)^ {0,3}```", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(
    r"(?<![\w.,])(?:(?<![)\]])[-−+])?"
    r"(?:\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?"
    r"|\d+(?:[.,]\d+)?)(?!\d)(?:[eE][-+]?\d{1,3})?"
)
_SPACES = re.compile(r"[ \u00a0\u202f'’]")

_log = logging.getLogger(__name__)


class Check(msgspec.Struct, frozen=True):
    """What an answer must do. `expected`: the text, the pattern, the schema as JSON, or the number."""

    kind: Kind
    expected: str


class Checked(msgspec.Struct, frozen=True):
    """Whether it does. `detail`: why not, an English sentence to be translated; `values` fill its {placeholders}."""

    check: Check
    passed: bool
    detail: str = ""
    values: dict[str, str] = {}


Wrong = tuple[str, dict[str, str]] | None
"""A detail and its values; None where nothing is wrong."""


def sound(check: Check) -> Check:
    """The check, when it can be made. Raises `CheckInvalid`."""
    _ROWS[check.kind].sound(check.expected)
    return check


def run(check: Check, answer: str) -> Checked:
    """The check, made. Raises nothing."""
    try:
        wrong = _ROWS[sound(check).kind].wrong(check.expected, answer[:LONGEST_ANSWER])
    except (TimeoutError, RecursionError, MemoryError):
        wrong = N_("The check took too long and was given up."), {}
    except CheckInvalid as error:
        wrong = N_("The check itself cannot be used: {detail}."), {"detail": str(error.values["detail"])}
    except Exception as exc:
        # Whatever a library makes of a strange schema must not end a batch.
        _log.exception("A check could not be made")
        wrong = N_("The check itself cannot be used: {detail}."), {"detail": type(exc).__name__}
    return Checked(check, True) if wrong is None else Checked(check, False, *wrong)


def _sound_text(expected: str) -> None:
    if not _plain(expected):
        raise CheckInvalid(kind="contains", detail=N_("there is no text to look for"))


def _contains(expected: str, answer: str) -> Wrong:
    return None if _plain(expected) in _plain(answer) else (N_("This text is not in the answer."), {})


def _plain(text: str) -> str:
    """For comparing: composed, without case, every gap one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _matches(expected: str, answer: str) -> Wrong:
    return None if safe_patterns.found(expected, answer) else (N_("Nothing in the answer matches."), {})


def _keeps_to(expected: str, answer: str) -> Wrong:
    try:
        value = _json_in(answer)
    except (ValueError, RecursionError) as exc:
        return N_("The answer is no JSON: {detail}."), {"detail": str(exc).rstrip(".")}
    fault = safe_schemas.first_fault(expected, value)
    return fault and (N_("At {place}: {detail}."), {"place": fault[0], "detail": fault[1]})


def _json_in(answer: str) -> Any:
    """The answer as JSON, or that of its only fenced block. Raises `ValueError`."""
    blocks = _FENCED.findall(answer)
    return json.loads(blocks[0] if len(blocks) == 1 else answer)


def _sound_number(expected: str) -> None:
    if not _NUMBER.fullmatch(expected.strip()):
        raise CheckInvalid(kind="equals", detail=N_("it is no number"))


def _equals(expected: str, answer: str) -> Wrong:
    """By the last number: where people, and models, put what they came to. lm-evaluation-harness reads the answers to
    GSM8K so ("flexible-extract")."""
    found = _NUMBER.findall(answer)
    if not found:
        return N_("There is no number in the answer."), {}
    if readings(found[-1]) & readings(expected):
        return None
    return N_("The last number is {found}."), {"found": found[-1]}


def readings(number: str) -> frozenset[Decimal]:
    """What a number may mean as people write it: `1,234` is 1234 in English and 1.234 in French."""
    mantissa, *exponent = re.split("[eE]", _SPACES.sub("", number.strip()).replace("−", "-"))
    signs = [sign for sign in mantissa if sign in ".,"]
    last = mantissa[mantissa.rfind(signs[-1]) + 1 :] if signs else ""
    could_group = bool(signs) and len(last) == 3 and len(set(signs)) == 1
    could_be_point = bool(signs) and signs.count(signs[-1]) == 1
    whole = re.sub("[.,]", "", mantissa)
    found = [whole] if could_group or not signs else []
    if could_be_point:
        found.append(f"{whole[: len(whole) - len(last)]}.{last}")
    return frozenset(Decimal("e".join([one, *exponent])) for one in found)


class _Row(msgspec.Struct, frozen=True):
    """A kind of check: what raises `CheckInvalid` for what it cannot expect, and what finds fault with an answer."""

    sound: Callable[[str], Any]
    wrong: Callable[[str, str], Wrong]


_ROWS: dict[Kind, _Row] = {
    "contains": _Row(_sound_text, _contains),
    "regex": _Row(safe_patterns.sound, _matches),
    "json_schema": _Row(safe_schemas.sound, _keeps_to),
    "equals": _Row(_sound_number, _equals),
}
