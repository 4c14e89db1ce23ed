"""Word, PowerPoint and Excel, as they have been since 2007: XML in a ZIP file, which has been checked before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.rag.extracting import tables
from core.rag.extracting.kinds import DOCX, PPTX, XLSX
from core.rag.extracting.text import clean
from core.rag.extracting.wire import Done, Part, Step
from core.rag.values import Heading

_LEVEL = re.compile(r"(?:heading|titre|überschrift|título|titolo)\s*(\d)", re.IGNORECASE)


def word(path: Path) -> Iterator[Part | Step | Done]:
    """Paragraphs and tables in their order; styles named Heading are headings. Then notes at the foot."""
    import docx
    from docx.table import Table

    document = docx.Document(str(path))
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield from tables.parts([cell.text for cell in _distinct(row.cells)] for row in block.rows)
            yield Part("\n")
            continue
        text = clean(block.text)
        level = _level(block.style.name if block.style is not None else "")
        title = " ".join(text.split())
        headings = (Heading(0, level, title),) if level and title else ()
        yield Part(text + "\n\n" if text.strip() else "", headings=headings)
    yield Done(DOCX)


def _distinct(cells: Any) -> list[Any]:
    """Cells that go over several columns are listed once for each."""
    kept: list[Any] = []
    for cell in cells:
        if not kept or cell._tc is not kept[-1]._tc:
            kept.append(cell)
    return kept


def _level(style: str | None) -> int:
    if (style or "").strip().lower() in ("title", "titre"):
        return 1
    found = _LEVEL.match(style or "")
    return int(found[1]) if found else 0


def slides(path: Path) -> Iterator[Part | Step | Done]:
    """A slide is a page: its title, its texts, its tables, the speaker's notes."""
    import pptx

    presentation = pptx.Presentation(str(path))
    total = len(presentation.slides)
    for number, slide in enumerate(presentation.slides, 1):
        title = slide.shapes.title
        heading = " ".join(clean(title.text_frame.text).split()) if title is not None else ""
        lines = [heading] if heading else []
        lines += [line for shape in _shapes(slide.shapes) if shape != title for line in _lines(shape)]
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if notes is not None and notes.text.strip():
            lines.append(clean(notes.text))
        headings = (Heading(0, 1, heading),) if heading else ()
        yield Part("\n".join(lines) + "\n\n", number, headings)
        yield Step(number, total)
    yield Done(PPTX, total)


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _lines(shape: Any) -> Iterator[str]:
    if shape.has_text_frame and shape.text_frame.text.strip():
        yield clean(shape.text_frame.text)
    elif getattr(shape, "has_table", False) and shape.has_table:
        for part in tables.parts([cell.text for cell in row.cells] for row in shape.table.rows):
            yield part.text


def sheets(path: Path) -> Iterator[Part | Step | Done]:
    """A sheet is a section, a row a line. Values as they were last computed; read as it goes."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    for number, sheet in enumerate(book.worksheets, 1):
        title = clean(sheet.title)
        yield Part(f"{title}\n", headings=(Heading(0, 1, title),))
        yield from tables.parts(sheet.iter_rows(values_only=True))
        yield Part("\n")
        yield Step(number, len(book.worksheets))
    yield Done(XLSX)
