"""Prompts from what people have: a text, a CSV file, JSONL or JSON, in whatever encoding it was saved.

A text has a prompt a line; with lines of `---` in it, a prompt between each. Tables have a column for the prompts and
may have others (`COLUMNS`). Knows no page; refuses what it cannot read with a reason, and says what it left out.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from core.arena import prompts
from core.arena.prompts import Prompt
from core.errors import N_, ColumnsWrong, NoPrompts, PromptsTooLarge, PromptsUnreadable, PromptsUnreadableAt

MOST = 5000
"""Prompts that are taken from a file; the others are counted."""

LIMIT_MB = 50
LONGEST = 200_000
"""Characters of one prompt."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "question", "text", "instruction", "input", "consigne", "texte"),
    "system": ("system", "system_prompt", "système", "systeme"),
    "category": ("category", "catégorie", "categorie"),
    "language": ("language", "lang", "langue"),
    "contains": ("contains", "contient"),
    "regex": ("regex", "pattern"),
    "json_schema": ("json_schema", "schema", "schéma"),
    "equals": ("equals", "equals_number", "number", "nombre"),
}
"""The names that a column may have, capitals, spaces and hyphens apart; the first name found counts."""

_SEPARATOR = re.compile(r"^[ \t]*-{3,}[ \t]*$", re.MULTILINE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_NOT_TEXT = (b"PK\x03\x04", b"%PDF", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"SQLite format 3")
_DELIMITERS = ",;\t|"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a file held. `left_out`: prompts above `MOST`; `encoding`: how it was read, None for a text already read."""

    prompts: tuple[Prompt, ...]
    left_out: int = 0
    encoding: str | None = None


Rows = Iterator[Mapping[str, Any]]


def read(data: bytes, name: str = "") -> Found:
    """The prompts of a file. `name`: its name, of which the ending says what it is; without one it is seen.

    Raises `PromptsUnreadable` or one of its kin, or `CheckInvalidAt`.
    """
    if len(data) > LIMIT_MB * 1_000_000:
        raise PromptsTooLarge(size_mb=round(len(data) / 1e6), limit_mb=LIMIT_MB)
    text, encoding = decoded(data)
    form = _BY_ENDING.get(PurePath(name).suffix.lower()) or _form_of(text)
    return _taken(form(text), encoding)


def of_text(text: str) -> Found:
    """The prompts of a text area. Raises `NoPrompts` or `PromptsUnreadable`."""
    return _taken(_of_text(text.replace("\0", "")), None)


def decoded(data: bytes) -> tuple[str, str]:
    """The text, NUL characters left out, and the encoding that it was read in. Raises `PromptsUnreadable`.

    By its byte order mark; UTF-16 without one by its many zeros; else UTF-8, and where it is not that, Windows-1252.
    """
    if data.startswith(_NOT_TEXT):
        raise PromptsUnreadable(detail=N_("it is no text but a document, a table of a program or an archive"))
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _sound(data[len(mark) :], encoding)
    sample = data[:4000]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if len(sample) > 3 and zeros.count(0) > 0.8 * len(zeros):
            return _sound(data, encoding)
    try:
        return _sound(data, "utf-8")
    except PromptsUnreadable:
        # latin-1 and Windows-1252 differ only in what is no text in latin-1.
        return _sound(data, "cp1252")


def _sound(data: bytes, encoding: str) -> tuple[str, str]:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise PromptsUnreadable(detail=N_("it is no text in an encoding that is known")) from exc
    if encoding == "cp1252" and "\0" in text:
        raise PromptsUnreadable(detail=N_("it is no text in an encoding that is known"))
    return text.replace("\0", ""), encoding


def _form_of(text: str) -> Callable[[str], Rows]:
    begin = text.lstrip()[:1]
    if begin in ("{", "["):
        return _of_json_lines
    first = text.lstrip().partition("\n")[0]
    names = {_plain(name) for delimiter in _DELIMITERS for name in first.split(delimiter)}
    several = any(delimiter in first for delimiter in _DELIMITERS)
    return _of_table if several and names & set(COLUMNS["prompt"]) else _of_text


def _of_text(text: str) -> Rows:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts = _SEPARATOR.split(text) if _SEPARATOR.search(text) else text.split("\n")
    return ({"prompt": part} for part in parts)


def _of_table(text: str) -> Rows:
    """Rows under the names of their columns, by whichever delimiter the head has most of."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(LIMIT_MB * 1_000_000)
    lines = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter)
    try:
        columns = _columns(next(lines, []))
        for cells in lines:
            yield {name: cells[number] for name, number in columns.items() if number < len(cells)}
    except csv.Error as exc:
        raise PromptsUnreadable(detail=str(exc)) from exc


def _columns(head: list[str]) -> dict[str, int]:
    """Where each field stands. Raises `ColumnsWrong`."""
    names = [_plain(cell) for cell in head]
    found = {
        field: next(names.index(alias) for alias in aliases if alias in names)
        for field, aliases in COLUMNS.items()
        if set(aliases) & set(names)
    }
    if "prompt" not in found:
        raise ColumnsWrong(found=", ".join(cell.strip()[:30] for cell in head[:12]) or "–")
    return found


def _of_json_lines(text: str) -> Rows:
    """A line each, or one JSON list of them."""
    if text.lstrip().startswith("["):
        yield from _of_json(text)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield _fields(_parsed(line, number), number)


def _of_json(text: str) -> Rows:
    whole = _parsed(text, 1)
    for number, value in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield _fields(value, number)


def _parsed(text: str, row: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise PromptsUnreadableAt(row=row, detail=str(exc).rstrip(".")) from exc


def _fields(value: Any, row: int) -> dict[str, Any]:
    if isinstance(value, str):
        return {"prompt": value}
    if not isinstance(value, dict):
        raise PromptsUnreadableAt(row=row, detail=N_("it is neither a text nor an object with a field prompt"))
    names = list(value)
    return {field: value[names[number]] for field, number in _columns(names).items()}


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().strip('"').lower())


def _taken(rows: Rows, encoding: str | None) -> Found:
    found: list[Prompt] = []
    left_out = 0
    for number, fields in enumerate(rows, start=1):
        text = fields.get("prompt")
        if not isinstance(text, str) or not text.strip():
            continue
        if len(found) >= MOST:
            left_out += 1
            continue
        if len(text) > LONGEST:
            raise PromptsUnreadableAt(row=number, detail=N_("it is longer than any model reads"))
        found.append(prompts.of_fields(fields, row=number))
    if not found:
        raise NoPrompts()
    return Found(prompts=tuple(found), left_out=left_out, encoding=encoding)


_BY_ENDING: dict[str, Callable[[str], Rows]] = {
    ".csv": _of_table,
    ".tsv": _of_table,
    ".tab": _of_table,
    ".jsonl": _of_json_lines,
    ".ndjson": _of_json_lines,
    ".json": _of_json_lines,
    ".txt": _of_text,
    ".md": _of_text,
}
