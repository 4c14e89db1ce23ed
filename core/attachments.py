"""Files given to a model with a question: text, Markdown, code and CSV, read and put before the question.

Encodings: UTF-8, with or without a byte-order mark; UTF-16 with one; what is neither is read as Windows-1252, which
holds all printing characters of Latin-1. Decoded by Python's own codecs. Knows no page and no store.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from core.errors import AttachmentTooLarge, NotText, TooManyAttachments

Kind = Literal["text", "markdown", "code", "csv"]

LIMIT_MB = 2
LIMIT_BYTES = LIMIT_MB << 20
LIMIT_FILES = 20

LONGEST_NAME = 120

_KINDS: dict[Kind, str] = {
    "text": "txt text log rst srt vtt",
    "markdown": "md markdown mdown mkd mdx qmd rmd",
    "csv": "csv tsv tab",
    "code": (
        "py pyi ipynb js mjs cjs ts jsx tsx java kt kts scala groovy c h cc cpp cxx hpp cs go rs swift m php rb pl lua "
        "r jl hs ml ex exs erl clj lisp el f90 f95 pas vb sh bash zsh fish ps1 bat sql html htm css scss xml svg json "
        "jsonl ndjson yaml yml toml ini cfg conf env tex bib cmake gradle proto graphql tf vue svelte diff patch gbnf"
    ),
}
_KIND_OF = {extension: kind for kind, extensions in _KINDS.items() for extension in extensions.split()}

_DOCUMENTS = (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf")
"""How PDF, zipped (Word, OpenDocument, EPUB), old Word and RTF files begin."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile("[\x00-\x06\x0e-\x19\x1c-\x1f\x7f]")
"""Control characters that texts do not have; tabs, line ends, form feeds and terminal colours are not among them."""

ODD_SHARE = 0.005


class Attachment(msgspec.Struct, frozen=True):
    """A file as it is given to a model: its name without folders, and its text with line feeds as line ends."""

    name: str
    text: str
    kind: Kind = "text"


def read(name: str, data: bytes) -> Attachment:
    """The file of that name. Raises `NotText` for what is no text, `AttachmentTooLarge` above `LIMIT_BYTES`."""
    name = clean_name(name)
    if len(data) > LIMIT_BYTES:
        raise AttachmentTooLarge(file=name, limit_mb=LIMIT_MB)
    text = _decoded(data)
    if text is None or data.startswith(_DOCUMENTS):
        raise NotText(file=name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Attachment(name, text, _kind(name, text))


def check_number(number: int) -> None:
    """Raises `TooManyAttachments` above `LIMIT_FILES`."""
    if number > LIMIT_FILES:
        raise TooManyAttachments(number=number, limit=LIMIT_FILES)


def composed(content: str, attachments: Sequence[Attachment]) -> str:
    """A question with its files, as a model is given it: each file named and fenced, the question last."""
    return "\n\n".join([*map(_fenced, attachments), content]) if attachments else content


def clean_name(name: str) -> str:
    """The last part of a path, without control characters and backquotes, its end kept where it is long."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(c for c in last if c.isprintable() and c != "`").strip()
    return kept[-LONGEST_NAME:] if kept.strip(".") else "file"


def _fenced(attachment: Attachment) -> str:
    longest = max((len(run) for run in re.findall("`+", attachment.text)), default=0)
    fence = "`" * max(3, longest + 1)
    text = attachment.text if attachment.text.endswith("\n") else attachment.text + "\n"
    return f"File `{clean_name(attachment.name)}`:\n\n{fence}{_language(attachment)}\n{text}{fence}"


def _language(attachment: Attachment) -> str:
    if attachment.kind != "code":
        return {"markdown": "markdown", "csv": "csv", "text": "text"}[attachment.kind]
    return re.sub("[^a-z0-9]", "", _extension(attachment.name))


def _extension(name: str) -> str:
    return PurePosixPath(name).suffix[1:].lower()


def _decoded(data: bytes) -> str | None:
    """The text; None where it is none."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _sound(data[len(mark) :], encoding)
    text = _sound(data, "utf-8")
    return _sound(data, "cp1252") if text is None else text


def _sound(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    odd = len(_CONTROL.findall(text))
    return None if "\0" in text or odd > ODD_SHARE * len(text) else text


def _kind(name: str, text: str) -> Kind:
    """By the name's extension; by the content where that says nothing."""
    known = _KIND_OF.get(_extension(name))
    if known is not None:
        return known
    if text.startswith(("#!", "<?xml", "<!DOCTYPE", "<!doctype")) or _is_json(text):
        return "code"
    return "csv" if _is_table(text) else "text"


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(text: str) -> bool:
    """Whether its first lines have the same number of cells, three or more, by comma, semicolon or tab."""
    lines = [line for line in text[:5000].split("\n")[:6] if line.strip()]
    for delimiter in ",;\t":
        widths = {len(row) for row in csv.reader(lines, delimiter=delimiter)}
        if len(lines) >= 3 and len(widths) == 1 and widths.pop() >= 3:
            return True
    return False
