"""Cells of foreign tables as values: from CSV always text, from JSONL and Parquet what they hold. Never raises."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from core.messages import Message, Role

_ABSENT = frozenset({"", "nan", "none", "null", "nat", "<na>"})
_TRUE = frozenset({"true", "t", "1", "1.0", "yes"})
_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "tool": "tool"}
MILLISECONDS_FROM = 1e10
"""Seconds since 1970 that are this many are milliseconds: as seconds they would be in the year 2286."""


def text(value: Any) -> str:
    """'' for what is not there. Half a character, which is none, becomes U+FFFD; NUL is left out."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    found = str(value).replace("\0", "").encode(errors="replace").decode().strip()
    return "" if found.lower() in _ABSENT else found


def flag(value: Any) -> bool:
    """Whether it is true, in any of the ways that tables say so."""
    return text(value).lower() in _TRUE


def number(value: Any, *, default: int = 1) -> int:
    """A whole number of 1 or more."""
    try:
        return max(int(float(text(value))), 1)
    except (ValueError, OverflowError):
        return default


def moment(value: Any) -> float:
    """Seconds since 1970, UTC, of a date in ISO 8601 or of seconds or milliseconds; 0 where it is not known."""
    if isinstance(value, datetime):
        return _of_date(value)
    try:
        found = float(text(value))
    except ValueError:
        try:
            return _of_date(datetime.fromisoformat(text(value)))
        except ValueError:
            return 0.0
    if not 0 <= found < MILLISECONDS_FROM * 1000:  # also what is not finite
        return 0.0
    return found / 1000 if found >= MILLISECONDS_FROM else found


def _of_date(date: datetime) -> float:
    try:
        return max((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp(), 0.0)
    except (OverflowError, OSError):
        return 0.0


def texts(value: Any) -> list[str]:
    """A list of texts, also where it is written as JSON, or is one text."""
    found = _parsed(value)
    if isinstance(found, str):
        return [known] if (known := text(found)) else []
    return [known for one in found if (known := text(one))] if isinstance(found, Sequence) else []


def messages(value: Any) -> tuple[Message, ...]:
    """A conversation as a list of {role, content}, also where it is written as JSON; () where it is none."""
    found = _parsed(value)
    if isinstance(found, str) or not isinstance(found, Sequence):
        return ()
    return tuple(
        Message(_ROLES[role], _content(one.get("content")))
        for one in found
        if isinstance(one, Mapping) and (role := text(one.get("role"))) in _ROLES
    )


def language(value: str) -> str:
    """ISO 639-1 for a code ("fr", "fr-CA") or an English name ("French"); '' for neither."""
    name = value.strip().lower()
    return _languages().get(name) or _languages().get(name.split("-")[0].split("_")[0], "")


def _content(value: Any) -> str:
    """Of a message: text, or a list of parts of which the text counts."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return "" if value is None else str(value).replace("\0", "").encode(errors="replace").decode()
    parts = (one.get("text") if isinstance(one, Mapping) else one for one in value)
    return "\n\n".join(_content(part) for part in parts if isinstance(part, str) and part)


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


@lru_cache
def _languages() -> Mapping[str, str]:
    """Codes of two letters, by code and by English name."""
    from babel import Locale

    names = {code: name.lower() for code, name in Locale("en").languages.items() if len(code) == 2}
    return {**{name: code for code, name in names.items()}, **{code: code for code in names}}
