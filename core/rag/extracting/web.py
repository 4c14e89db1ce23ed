"""HTML: its words and headings, without scripts, styles and what is hidden. Nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.rag.extracting.text import clean, decoded
from core.rag.extracting.wire import Part
from core.rag.values import Heading

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

_UNREAD = ["script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "head", "nav", "form"]
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|dd|details|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|main|ol|p|pre|"
    "section|table|tr|ul|summary|title"
)
_SPACE = re.compile(r"[ \t\r\f\v\xa0\n]+")
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def html(data: bytes) -> Iterator[Part]:
    """The page's text."""
    yield part(data)


def part(data: bytes) -> Part:
    """The same, as one part."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(_text(data), "lxml")
    for one in soup(_UNREAD):
        one.decompose()
    for one in soup.find_all(_is_hidden):
        one.decompose()
    return _walked(soup)


def _text(data: bytes) -> str:
    found = _CHARSET.search(data[:4096])
    if found and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return clean(data.decode(found[1].decode("ascii")))
        except (LookupError, UnicodeDecodeError):
            pass
    return clean(decoded(data)[0])


def _is_hidden(tag: object) -> bool:
    attributes = getattr(tag, "attrs", None) or {}
    return "hidden" in attributes or bool(_HIDDEN.search(str(attributes.get("style", ""))))


def _walked(soup: BeautifulSoup) -> Part:
    """Without recursion: a page may be nested deeper than Python's stack."""
    from bs4.element import CData, NavigableString, Tag

    written: list[str] = []
    headings: list[tuple[int, int, int]] = []
    length = 0

    def write(text: str) -> None:
        nonlocal length
        written.append(text)
        length += len(text)

    def fresh_line(lines: int = 1) -> None:
        tail = "".join(written[-3:])
        ending = len(tail) - len(tail.rstrip("\n"))
        if length and ending < lines:
            write("\n" * (lines - ending))

    stack: list[tuple[object, bool]] = [(soup, False)]
    open_heading: list[tuple[Tag, int]] = []
    while stack:
        node, leaving = stack.pop()
        if isinstance(node, Tag):
            name = node.name
            if leaving:
                if open_heading and open_heading[-1][0] is node:
                    headings.append((open_heading.pop()[1], length, int(name[1])))
                if name in ("td", "th"):
                    write(" | ")
                elif _BLOCK.fullmatch(name):
                    fresh_line(1 if name in ("li", "tr", "dt", "dd") else 2)
                continue
            if name == "br":
                write("\n")
                continue
            if _BLOCK.fullmatch(name):
                fresh_line(1 if name in ("li", "tr", "dt", "dd") else 2)
            if name == "li":
                write("- ")
            if re.fullmatch("h[1-6]", name):
                open_heading.append((node, length))
            stack.append((node, True))
            stack += [(child, False) for child in reversed(node.contents)]
        elif isinstance(node, NavigableString) and type(node) in (NavigableString, CData):  # no comments and the like
            text = str(node)
            if node.find_parent("pre") is None:
                text = _SPACE.sub(" ", text)
                if not written or written[-1].endswith((" ", "\n")):
                    text = text.lstrip(" ")
            if text:
                write(text)
    whole = "".join(written)
    placed = ((start, level, " ".join(whole[start:end].split())) for start, end, level in sorted(headings))
    return Part(whole, headings=tuple(Heading(start, level, title) for start, level, title in placed if title))
