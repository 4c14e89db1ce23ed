"""Tables as text: a row a line, each cell with its column's name, so that a row is understood without the others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from core.rag.extracting.kinds import CSV
from core.rag.extracting.text import clean, decoded
from core.rag.extracting.wire import Done, Part, Step

ROWS = 500
"""Rows of a part."""

SAMPLE = 200_000
CELL = 20_000
"""Characters of a cell."""


def csv_rows(path: Path, name: str) -> Iterator[Part | Step | Done]:
    """The rows of a CSV file. It is read as it goes: a million rows take little memory."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    encoding = decoded(sample)[1] if len(sample) < SAMPLE else decoded(sample[: sample.rfind(b"\n") + 1 or SAMPLE])[1]
    if encoding == "utf-8":
        encoding = "utf-8-sig"
    beginning = clean(sample.decode(encoding, errors="replace"))
    csv.field_size_limit(10_000_000)
    total = path.stat().st_size
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="") as text:
        rows = csv.reader((line.replace("\x00", "") for line in text), _dialect(beginning, name))
        for part in parts(rows):
            yield part
            yield Step(raw.tell(), total)
    yield Done(CSV)


def parts(rows: Iterable[Sequence[object]]) -> Iterator[Part]:
    """Rows of cells as lines; the first one that has any words names the columns."""
    filled = (cells for cells in map(_cells, rows) if any(cells))
    head = next(filled, None)
    if head is None:
        return
    named = any(head) and not any(_number(cell) for cell in head)
    yield Part(" | ".join(cell for cell in head if cell) + "\n")
    while some := list(islice(filled, ROWS)):
        yield Part("".join(_line(head if named else [], cells) + "\n" for cells in some))


def _line(head: Sequence[str], cells: Sequence[str]) -> str:
    names = [*head, *[""] * len(cells)]
    return " | ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell)


def _cells(row: Sequence[object]) -> list[str]:
    return [" ".join(clean("" if cell is None else str(cell))[:CELL].split()) for cell in row]


def _number(cell: str) -> bool:
    try:
        float(cell.replace(",", ".").replace(" ", "") or "x")
    except ValueError:
        return False
    return True


def _dialect(beginning: str, name: str) -> type[csv.Dialect]:
    if name.lower().endswith(".tsv"):
        return csv.excel_tab
    try:
        return csv.Sniffer().sniff(beginning[:20_000], delimiters=",;\t|")
    except csv.Error:
        return csv.excel
