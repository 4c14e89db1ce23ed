"""What is written in a document: its text, where its pages and headings are. Read by a process of its own.

That process (core/rag/extracting/worker.py) has limits on its time and its memory and no way into a network; what
crashes or hangs it is an error on the one document. PDFs are read with pypdfium2 (Chrome's PDFium; BSD, Apache-2.0),
Word with python-docx, PowerPoint with python-pptx, Excel with openpyxl (MIT), HTML and EPUB with Beautiful Soup (MIT)
over lxml (BSD); OpenDocument is XML in a ZIP file and read as that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from core import child
from core.child import ChildDied
from core.errors import N_, DocumentTooLarge, DocumentTooSlow, DocumentUnreadable, WorkbenchError
from core.rag.extracting import wire
from core.rag.values import Extracted, Heading, Outline

FILE_LIMIT = 200_000_000
"""Bytes of a document."""

TIME_LIMIT_S = 600.0

_frames = msgspec.json.Decoder(wire.Frame)


def extract(
    path: Path,
    name: str,
    *,
    password: str = "",
    ocr: bool = True,
    step: Callable[[int, int], None] = lambda done, total: None,
    limit_s: float = TIME_LIMIT_S,
    memory_bytes: int = 1_000_000_000,
) -> Extracted:
    """Reads a file. ocr: pages that are pictures are read, where Tesseract is installed. step: told how far it is, in
    pages or rows, at least every second; what it raises ends the reading.

    Raises a `DocumentUnreadable`.
    """
    if path.stat().st_size > FILE_LIMIT:
        raise DocumentTooLarge(detail=N_("it has more than 200 MB"))
    task = wire.Task(path=str(path), name=name, password=password, ocr=ocr, seconds=limit_s, memory_bytes=memory_bytes)
    gathered = _Gathered()
    frames = child.frames("core.rag.extracting.worker", msgspec.json.encode(task), _frames.decode, limit_s=limit_s)
    try:
        for frame in frames:
            match frame:
                case wire.Part():
                    gathered.add(frame)
                case wire.Step(done, total):
                    step(done, total)
                case wire.Refused(error):
                    raise WorkbenchError.from_dict(error)
                case wire.Done():
                    return gathered.whole(frame)
    except ChildDied as died:
        if "did not end within" in str(died):
            raise DocumentTooSlow(seconds=round(limit_s)) from died
        raise DocumentUnreadable(detail=N_("the program that reads it fell over it")) from died
    finally:
        frames.close()
    raise DocumentUnreadable(detail=N_("the program that reads it fell over it"))


class _Gathered:
    """Parts put together."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._pages: list[tuple[int, int]] = []
        self._headings: list[Heading] = []
        self._length = 0

    def add(self, part: wire.Part) -> None:
        if part.page is not None:
            self._pages.append((self._length, part.page))
        self._headings += [Heading(self._length + one.start, one.level, one.title) for one in part.headings]
        self._texts.append(part.text)
        self._length += len(part.text)

    def whole(self, done: wire.Done) -> Extracted:
        outline = Outline(tuple(self._pages), tuple(self._headings))
        return Extracted("".join(self._texts), outline, done.media_type, done.pages, done.note)
