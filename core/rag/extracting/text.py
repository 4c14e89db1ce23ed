"""Text in whatever encoding: plain, Markdown, source code."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from core.rag.extracting.wire import Part
from core.rag.values import Heading

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_UNDERLINED = re.compile(r"^(?![ \t]*[-=>#])(\S.*)\n(=+|-{3,})[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_WESTERN = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœßúùûüÿÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜ«»‹›“”„‘’…–—€£§°²³½·¿¡ºª•\xa0")
SAMPLE = 200_000
"""Bytes by which an encoding is told."""


def decoded(data: bytes) -> tuple[str, str]:
    """The text, and its encoding: by its mark, else UTF-8 where it is that, else the likeliest."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace"), encoding.removesuffix("-sig")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if (zeros := data[:SAMPLE].count(0)) > len(data[:SAMPLE]) // 5:  # Latin letters in two bytes each
        even = data[:SAMPLE:2].count(0)
        return data.decode(encoding := "utf-16-be" if even > zeros // 2 else "utf-16-le", errors="replace"), encoding
    if _is_western(data[:SAMPLE]):
        return data.decode("cp1252", errors="replace"), "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(data[:SAMPLE]).best()
    encoding = best.encoding if best is not None else "cp1252"
    return data.decode(encoding, errors="replace"), encoding


def _is_western(data: bytes) -> bool:
    """Whether it reads as a language of western Europe in Windows-1252, of which Latin-1 is a part: few letters are
    beyond ASCII, and those are the ones that occur there. A few words are enough, where statistics want pages."""
    text = data.decode("cp1252", errors="replace")
    beyond = [one for one in text if one > "\x7f"]
    letters = sum(one.isalpha() for one in text)
    return len(beyond) * 4 < letters and sum(one in _WESTERN for one in beyond) > len(beyond) * 0.95


def clean(text: str) -> str:
    """Lines end with a line feed; no control characters but tab, and none that is no character."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def plain(data: bytes) -> Iterator[Part]:
    """The text as it stands."""
    yield Part(clean(decoded(data)[0]))


def markdown(data: bytes) -> Iterator[Part]:
    """The text as it stands, with the places of its headings."""
    text = clean(decoded(data)[0])
    code = [found.span() for found in _FENCE.finditer(text)]
    headings = [Heading(one.start(), len(one[1]), one[2].strip()) for one in _HEADING.finditer(text)]
    headings += [
        Heading(one.start(), 1 if one[2][0] == "=" else 2, one[1].strip()) for one in _UNDERLINED.finditer(text)
    ]
    outside = [one for one in headings if not any(start <= one.start < end for start, end in code)]
    yield Part(text, headings=tuple(sorted(outside, key=lambda one: one.start)))
