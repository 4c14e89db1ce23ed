"""Where the sentences of a text are: rules for English and French, and for scripts that have their own full stops.

Sentences lie one after the other and cover the text, each with the white space that follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ABBREVIATION = re.compile(
    "al|approx|art|av|bd|cf|ch|chap|coll|dept|dir|dr|ed|éd|eg|etc|ex|figs?|hon|ibid|id|inc|jr|ltd|mgr|mlles?|mme?s?|mrs?|"
    "ms|nos?|op|p|pl|pp|pr|prof|réf|rev|sect|sr|ste?|tab|tél|trad|univ|vol|vs",
    re.IGNORECASE,
)
_END = re.compile(
    r"(?P<stop>[.!?…]+)(?:[ \u00a0\u202f]?»|[\"'’”)\]])*\s+(?=[\"'‘“«(\[—–-]*\s*[\w])"  # a stop, a beginning
    r"|[。！？]+[」』”）]*"  # no white space follows these
    r"|\n[ \t]*\n\s*"  # a blank line
    r"|\n(?=[ \t]*(?:[-*•‣▪–]|\d{1,3}[.)])[ \t])"  # an item of a list
)
_LETTERS = re.compile(r"(?:\w\.)+\w")
_LAST_WORD = re.compile(r"[\w.]+\Z")


def spans(text: str) -> Iterator[tuple[int, int]]:
    """First character, and the one after the last, of each sentence."""
    start = 0
    for found in _END.finditer(text):
        if found["stop"] == "." and _goes_on(text, start, found.start(), found.end()):
            continue
        yield start, found.end()
        start = found.end()
    if start < len(text):
        yield start, len(text)


def _goes_on(text: str, start: int, stop: int, after: int) -> bool:
    """Whether a full stop ends no sentence: after an abbreviation or an initial, or before a small letter."""
    following = text[after : after + 1]
    if following.islower():
        return True
    before = _LAST_WORD.search(text, max(start, stop - 20), stop)
    word = before[0] if before else ""
    initial = len(word) == 1 and word.isalpha() and word.isupper()
    return initial or bool(_ABBREVIATION.fullmatch(word) or _LETTERS.fullmatch(word))
