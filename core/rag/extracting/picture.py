"""A page of a PDF as a picture, with a passage highlighted: `python -m core.rag.extracting.picture`.

A process of its own, as whatever opens a document from outside. Takes one `Drawing` on standard input, says one
`Drawn` or `NotDrawn`.
"""

from __future__ import annotations

import ctypes
import io
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from core.rag.extracting.wire import Drawing, Drawn, NotDrawn

MOST_PIXELS = 4_000_000
BEGINNING = 24
"""Letters by which a passage is found on its page."""


def main() -> None:
    """Draws."""
    _limit_memory()
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Drawing)
    try:
        said: Drawn | NotDrawn = drawn(task)
    except Exception as error:  # whatever a document does to PDFium is a page that is not drawn
        said = NotDrawn(type(error).__name__)
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")


def drawn(task: Drawing) -> Drawn:
    """The page as PNG."""
    import pypdfium2 as pdfium
    from PIL import Image, ImageDraw

    document = pdfium.PdfDocument(task.path, password=task.password or None)
    page = document[task.page - 1]
    width, height = page.get_size()
    scale = min(task.width / width, (MOST_PIXELS / (width * height)) ** 0.5)
    picture = page.render(scale=scale).to_pil().convert("RGBA")
    marks = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(marks)
    found = 0
    for left, bottom, right, top in boxes(page.get_textpage(), task.text):
        corners = [page_point(page, scale, height, x, y) for x, y in ((left, top), (right, bottom))]
        (x0, y0), (x1, y1) = corners
        box = (min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1)
        pen.rectangle(box, fill=(255, 205, 0, 95))
        pen.line((box[0], box[3], box[2], box[3]), fill=(178, 133, 0, 255), width=2)
        found += 1
    whole = io.BytesIO()
    Image.alpha_composite(picture, marks).convert("RGB").save(whole, "PNG")
    return Drawn(whole.getvalue(), found)


def page_point(page: Any, scale: float, height: float, x: float, y: float) -> tuple[float, float]:
    """Where a point of the page's own coordinates is in the picture, as PDFium turns and crops it."""
    import pypdfium2.raw as raw

    width = page.get_size()[0]
    at_x, at_y = ctypes.c_int(), ctypes.c_int()
    size = (int(width * scale), int(height * scale))
    raw.FPDF_PageToDevice(page.raw, 0, 0, *size, 0, x, y, at_x, at_y)
    return at_x.value, at_y.value


def boxes(text_page: Any, passage: str) -> Iterator[tuple[float, float, float, float]]:
    """Rectangles of the lines in which the passage stands: left, bottom, right, top."""
    import pypdfium2.raw as raw

    total = text_page.count_chars()
    letters = [(number, chr(raw.FPDFText_GetUnicode(text_page.raw, number))) for number in range(total)]
    there = [(number, letter.casefold()) for number, letter in letters if letter.isalnum()]
    wanted = [letter.casefold() for letter in passage if letter.isalnum()]
    run = longest_run("".join(one[0] for _, one in there), "".join(one[0] for one in wanted))
    if run is None:
        return
    start, end = there[run[0]][0], there[run[1] - 1][0]
    for number in range(text_page.count_rects(start, end - start + 1)):
        yield text_page.get_rect(number)


def longest_run(page: str, passage: str) -> tuple[int, int] | None:
    """Where the passage stands among a page's letters: all of it, or what of it is on this page; None: nothing."""
    at = page.find(passage)
    if at >= 0 and passage:
        return at, at + len(passage)
    for begin in range(max(len(passage) - BEGINNING, 0) + 1):  # a passage may begin on the page before
        piece = passage[begin : begin + BEGINNING]
        at = page.find(piece)
        if len(piece) < min(BEGINNING, 8) or at < 0:
            continue
        length = 0
        while (
            at + length < len(page) and begin + length < len(passage) and page[at + length] == passage[begin + length]
        ):
            length += 1
        return at, at + length
    return None


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    except (ImportError, ValueError, OSError):
        return


if __name__ == "__main__":
    main()
