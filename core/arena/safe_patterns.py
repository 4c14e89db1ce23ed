"""Regular expressions that come from files: compiled only when they are small, matched only for so long.

The `regex` package gives matching a time limit; compiling has none, and writes counted repeats out, about 300 bytes for
each part (measured on regex 2026.11): such patterns are refused before they are compiled.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from core.errors import N_, CheckInvalid

LIMIT_S = 0.5
LONGEST = 1000
MOST_REPEATED = 200_000
"""A pattern's length times all the numbers of times that parts of it must be there."""

_REPEATS = re.compile(r"\{(\d+)")
_CALLS_ITSELF = re.compile(r"\(\?(?:R|&|P>|[+-]?\d)")


def sound(pattern: str) -> str:
    """The pattern, when it can be used. Raises `CheckInvalid`."""
    if len(pattern) > LONGEST or _repeated(pattern) > MOST_REPEATED:
        raise CheckInvalid(kind="regex", detail=N_("it is too long, or repeats too much"))
    if _CALLS_ITSELF.search(pattern):
        raise CheckInvalid(kind="regex", detail=N_("it calls itself"))
    _compiled(pattern)
    return pattern


def found(pattern: str, text: str) -> bool:
    """Whether it matches somewhere. Raises `TimeoutError` after `LIMIT_S`, and `CheckInvalid`."""
    return _compiled(sound(pattern)).search(text, timeout=LIMIT_S) is not None


def _repeated(pattern: str) -> int:
    return len(pattern) * math.prod(max(int(number[:9]), 1) for number in _REPEATS.findall(pattern))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import regex

    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as exc:
        raise CheckInvalid(kind="regex", detail=str(exc).rstrip(".")) from exc
