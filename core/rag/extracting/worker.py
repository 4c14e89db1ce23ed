"""The process that reads one document: `python -m core.rag.extracting.worker`. Told a Task, says Frames.

It gives itself limits before it opens anything: memory, processor time, no connection to anywhere, no large file.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from core.errors import N_, DocumentEmpty, DocumentTooLarge, DocumentUnreadable, WorkbenchError
from core.rag.extracting import kinds
from core.rag.extracting.wire import Done, Frame, Part, Refused, Step, Task

BEAT_S = 0.5
"""Seconds between two words of it, so that whoever waits can look whether to stop."""


def main() -> None:
    """Reads the document that the first line of input names."""
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    speaking, far = threading.Lock(), [Step(0, 0)]

    def say(frame: Frame | None = None) -> None:
        with speaking:
            if isinstance(frame, Step):
                far[0] = frame
            out.write(msgspec.json.encode(frame or far[0]) + b"\n")
            out.flush()

    def beat() -> None:
        while True:
            time.sleep(BEAT_S)
            say()

    limit(task)
    threading.Thread(target=beat, daemon=True).start()
    try:
        for frame in read(task):
            say(frame)
    except WorkbenchError as error:
        say(Refused(error.to_dict()))
    except (MemoryError, RecursionError):
        say(Refused(DocumentTooLarge(detail=N_("reading it takes too much memory")).to_dict()))
    except Exception as exc:  # a parser's own kinds, of which there are many
        if isinstance(exc, OSError) and exc.errno == 12:
            say(Refused(DocumentTooLarge(detail=N_("reading it takes too much memory")).to_dict()))
        else:
            print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
            say(Refused(DocumentUnreadable(detail=N_("the file is damaged or cut off")).to_dict()))
    with speaking:
        out.close()
        os._exit(0)  # nothing is to be put away, and a damaged document may keep a library from ending


def limit(task: Task) -> None:
    """Holds this process to what a document may take."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise OSError("no network here")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (task.memory_bytes, task.memory_bytes))
        seconds = math.ceil(task.seconds) + 5
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000_000, 100_000_000))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read(task: Task) -> Iterator[Frame]:
    """The frames of the document."""
    path = Path(task.path)
    kind = kinds.kind_of(path, task.name)
    length, words = 0, False
    note = ""
    for frame in _frames(path, kind, task):
        if isinstance(frame, Part):
            room = task.characters - length
            if len(frame.text) > room:
                frame = Part(frame.text[:room], frame.page, tuple(one for one in frame.headings if one.start < room))
                note = N_("It is very long: only its beginning was taken in.")
            length += len(frame.text)
            words = words or bool(frame.text.strip())
            yield frame
            if note:
                break
        elif isinstance(frame, Done):
            if not words:
                raise DocumentEmpty()
            yield frame
            return
        else:
            yield frame
    if not words:
        raise DocumentEmpty()
    yield Done(kind, note=note)


def _frames(path: Path, kind: str, task: Task) -> Iterator[Part | Step | Done]:
    if kind == kinds.PDF:
        from core.rag.extracting import pdf

        return pdf.frames(path, task)
    if kind in (kinds.DOCX, kinds.PPTX, kinds.XLSX):
        from core.rag.extracting import office

        return {kinds.DOCX: office.word, kinds.PPTX: office.slides, kinds.XLSX: office.sheets}[kind](path)
    if kind in (kinds.ODT, kinds.ODS, kinds.ODP, kinds.EPUB):
        from core.rag.extracting import books

        return books.epub(path) if kind == kinds.EPUB else books.open_document(path, kind)
    from core.rag.extracting import tables, text, web

    if kind == kinds.CSV:
        return tables.csv_rows(path, task.name)
    data = path.read_bytes()
    return {kinds.HTML: web.html, kinds.MARKDOWN: text.markdown, kinds.TEXT: text.plain}[kind](data)


if __name__ == "__main__":
    main()
