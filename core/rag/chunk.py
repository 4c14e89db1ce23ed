"""Cuts a text into passages, by one of several ways that have a name.

Each way says where the text may be cut (units) and where it must be (walls); the units are then put together to chunks
of at most `size` tokens of the embedding model, and a chunk begins with the last units of the one before, `overlap`
tokens of them at most. A chunk is exactly `text[start:end]`, without white space at its ends; every other character of
the text is in at least one. Knows no store and no model but the one that it is given.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from core.errors import N_, ChunkingInvalid
from core.late import np
from core.rag import sentences
from core.rag.tokens import Tokens
from core.rag.values import Extracted, Heading, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = 16
"""Tokens of the smallest size."""

BLOCK = 100_000
"""Characters that are tokenized at once, so that a long text takes little memory."""

PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
LINE = re.compile(r"\n+")
WORD = re.compile(r"\s+")

QUANTILE = 0.85
"""Of the distances between neighbouring sentences: a topic ends where it is larger than that."""

Unit = tuple[int, int]
Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]


class Chunker(msgspec.Struct, frozen=True):
    """A way of cutting: its name for people, and when it is the right one (msgids)."""

    name: str
    label: str
    help: str


CHUNKERS = (
    Chunker("sentences", N_("Sentences"), N_("Whole sentences, as many as fit. Right for most texts.")),
    Chunker("headings", N_("Headings"), N_("Never across a heading. For manuals, notes and web pages.")),
    Chunker("pages", N_("Pages"), N_("Never across a page, so that a citation is one page. For slides and PDFs.")),
    Chunker("recursive", N_("Recursive"), N_("At blank lines, else at lines, sentences, words. For code and tables.")),
    Chunker("semantic", N_("Topics"), N_("Where the meaning changes. Slower: each sentence is embedded.")),
)
NAMES = tuple(one.name for one in CHUNKERS)


def check(*, chunker: str, size: int, overlap: int, most: int) -> None:
    """Raises `ChunkingInvalid`. most: tokens that the embedding model takes."""
    if chunker not in NAMES:
        raise ChunkingInvalid(detail=N_("there is no such way of cutting"))
    if not SMALLEST <= size <= most:
        raise ChunkingInvalid(detail=N_("the embedding model does not take that many tokens, or they are too few"))
    if not 0 <= overlap <= size // 2:
        raise ChunkingInvalid(detail=N_("the overlap is more than half of a chunk"))


def cut(
    extracted: Extracted,
    tokens: Tokens,
    *,
    chunker: str,
    size: int,
    overlap: int,
    embed: Embed | None = None,
) -> Iterator[Span]:
    """The chunks, in the order of the text. embed: for the semantic way, which without it is that of sentences."""
    text, outline = extracted.text, extracted.outline
    pages = [start for start, _ in outline.pages]
    walls = {"pages": pages, "headings": [one.start for one in outline.headings]}.get(chunker, [])
    path = _Path(outline.headings)
    for block in _blocks(text):
        table = _Table(text, block, tokens)
        units = list(_recursive(text, block, table, size) if chunker == "recursive" else _sentences(text, block))
        here: Sequence[int] = walls
        if chunker == "semantic" and embed is not None:
            here = [units[number][0] for number in _topics([text[start:end] for start, end in units], embed)]
        fitting = _cut_long(_walled(units, here), text, table, size)
        for first, last in _packed(fitting, here, table, size, overlap):
            start, end = _trimmed(text, first, last)
            if start == end:
                continue
            page = bisect.bisect_right(pages, start) - 1
            yield Span(
                text=text[start:end],
                start=start,
                end=end,
                tokens=table.count(start, end),
                page=outline.pages[page][1] if page >= 0 else None,
                headings=path.at(start),
            )


def _trimmed(text: str, start: int, end: int) -> Unit:
    inside = text[start:end]
    start += len(inside) - len(inside.lstrip())
    return start, start + len(inside.strip())


class _Table:
    """Where the tokens of a block begin."""

    def __init__(self, text: str, block: Unit, tokens: Tokens) -> None:
        start, end = block
        self.starts = [start + first for first, _ in tokens.spans(text[start:end])]

    def count(self, start: int, end: int) -> int:
        """Tokens that begin in here: at least one."""
        return max(bisect.bisect_left(self.starts, end) - bisect.bisect_left(self.starts, start), 1)

    def cuts(self, start: int, end: int) -> list[int]:
        """Where tokens begin, behind the first character."""
        return self.starts[bisect.bisect_right(self.starts, start) : bisect.bisect_left(self.starts, end)]


class _Path:
    """The headings above a place."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self._starts = [one.start for one in headings]
        self._paths: list[tuple[Heading, ...]] = []
        above: tuple[Heading, ...] = ()
        for one in headings:
            above = (*(each for each in above if each.level < one.level), one)
            self._paths.append(above)

    def at(self, place: int) -> tuple[str, ...]:
        number = bisect.bisect_right(self._starts, place) - 1
        return tuple(one.title for one in self._paths[number]) if number >= 0 else ()


def _blocks(text: str) -> Iterator[Unit]:
    """Parts of a text that are cut for themselves: they end at a blank line where there is one, else anywhere."""
    start = 0
    while start < len(text):
        end = min(start + BLOCK, len(text))
        if end < len(text):
            for mark in ("\n\n", "\n", " "):
                if (found := text.rfind(mark, start + BLOCK // 2, end)) > 0:
                    end = found + len(mark)
                    break
        yield start, end
        start = end


def _sentences(text: str, block: Unit) -> Iterator[Unit]:
    start, end = block
    for first, last in sentences.spans(text[start:end]):
        yield start + first, start + last


def _recursive(text: str, block: Unit, table: _Table, size: int, depth: int = 0) -> Iterator[Unit]:
    """The largest parts that fit: cut at blank lines, those too long at lines, then at sentences, then at words."""
    start, end = block
    if table.count(start, end) <= size or depth > 3:
        yield start, end
        return
    marks = (PARAGRAPH, LINE, None, WORD)[depth]
    for first, last in _between(marks, text, block) if marks else _sentences(text, block):
        yield from _recursive(text, (first, last), table, size, depth + 1)


def _between(mark: re.Pattern[str], text: str, block: Unit) -> Iterator[Unit]:
    start, end = block
    for found in mark.finditer(text, start, end):
        if found.end() > start:
            yield start, found.end()
            start = found.end()
    if start < end:
        yield start, end


def _topics(texts: Sequence[str], embed: Embed) -> list[int]:
    """The numbers of the sentences that begin a topic: those least like the ones before."""
    if len(texts) < 4:
        return []
    rows = embed(texts)
    near = (rows[:-1] + rows[1:]) / 2  # with its neighbour, a sentence says better what it is about
    distances = 1 - np.sum(near[:-1] * near[1:], axis=1) / np.maximum(
        np.linalg.norm(near[:-1], axis=1) * np.linalg.norm(near[1:], axis=1), 1e-9
    )
    return [int(number) + 1 for number in np.flatnonzero(distances > np.quantile(distances, QUANTILE))]


def _walled(units: Sequence[Unit], walls: Sequence[int]) -> Iterator[Unit]:
    """The units, cut where a wall stands in one."""
    for start, end in units:
        for wall in walls[bisect.bisect_right(walls, start) : bisect.bisect_left(walls, end)]:
            yield start, wall
            start = wall
        yield start, end


def _cut_long(units: Iterator[Unit], text: str, table: _Table, size: int) -> Iterator[Unit]:
    """The units, those too long for a chunk cut between tokens: at a line's end, else at a word's, else anywhere."""
    for start, end in units:
        while table.count(start, end) > size:
            cuts = table.cuts(start, end)[:size]
            later = cuts[len(cuts) // 2 :]
            ends = [one for one in later if text[one - 1] == "\n"] or [one for one in later if text[one - 1].isspace()]
            yield start, (ends or cuts)[-1]
            start = (ends or cuts)[-1]
        yield start, end


def _packed(units: Iterator[Unit], walls: Sequence[int], table: _Table, size: int, overlap: int) -> Iterator[Unit]:
    """Units put together to chunks, the white space at their ends left out."""
    standing = set(walls)
    held: list[Unit] = []
    fresh = False
    for unit in units:
        wall = unit[0] in standing
        if held and (wall or table.count(held[0][0], unit[1]) > size):
            if fresh:
                yield held[0][0], held[-1][1]
            held = [] if wall else _tail(held, table, overlap)
            while held and table.count(held[0][0], unit[1]) > size:
                held = held[1:]
            fresh = False
        held.append(unit)
        fresh = True
    if held and fresh:
        yield held[0][0], held[-1][1]


def _tail(held: Sequence[Unit], table: _Table, overlap: int) -> list[Unit]:
    """The last units that are no more than the overlap."""
    kept: list[Unit] = []
    for unit in reversed(held):
        if table.count(unit[0], held[-1][1]) > overlap:
            break
        kept.insert(0, unit)
    return kept
