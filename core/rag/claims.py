"""Text into sentences, with their places in it. Knows no language.

What follows a common abbreviation is no new one; a citation, as [1], belongs to what stands before it."""

from __future__ import annotations

import re

_END = re.compile(
    "(?<=[.!?…])(?:[ \u00a0\u202f]?[\"'»”)\\]])*(?:[ \t\u00a0\u202f]+\\[\\d+(?:[,;–-] ?\\d+)*\\])*"
    "(?:[ \t\u00a0\u202f]+|\n+)(?=[^\\W\\d_a-zà-ÿ]|[\\d\"'«“(*-]|\\[(?!\\d))"
    "|(?<=[。！？؟۔])|\n{2,}|\n(?=[ \t]*(?:[-*•]|\\d+[.)]) )"
)
_SHORT = re.compile(
    r"(?:^|[\s(])(?:[A-ZÀ-Ý]|M|MM|Mme|Mlle|Dr|Pr|St|Ste|Mr|Mrs|Ms|Prof|art|cf|p|pp|vol|no|No|fig|Fig|env|av|apr|etc|vs|al|"
    r"e\.g|i\.e|p\.\s?ex|ex|chap)\.$"
)


def spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence begins and ends, white space around it left out; none is empty."""
    found: list[tuple[int, int]] = []
    begin = 0
    for end in _END.finditer(text):
        if _SHORT.search(text[max(begin, end.start() - 12) : end.start()]):
            continue
        _add(found, text, begin, end.end())
        begin = end.end()
    _add(found, text, begin, len(text))
    return found


def sentences(text: str) -> list[str]:
    """The sentences."""
    return [text[start:end] for start, end in spans(text)]


def _add(found: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    if start < end:
        found.append((start, end))
