"""PDF, with PDFium: text page by page, the outline as headings; pages that are pictures, fonts that tell no letters.

Where Tesseract is installed, pages without text are drawn and read by it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import N_, DocumentEncrypted, DocumentScanned, DocumentTooLarge, DocumentUnreadable
from core.rag.extracting.kinds import PDF
from core.rag.extracting.text import clean
from core.rag.extracting.wire import Done, Part, Step, Task
from core.rag.values import Heading

if TYPE_CHECKING:
    import pypdfium2 as pdfium

FEW = 16
"""Letters of a page that has no text worth the name."""

Kind = Literal["text", "garbled", "picture"]

OCR_DPI = 200
OCR_PAGES = 200
OCR_LIMIT_S = 60
DEEPEST = 6
MOST_HEADINGS = 5000

_HYPHEN = re.compile(r"(?<=\w)(?:[\ufffe\x02\u00ad]\s*\n?|-\n)(?=[a-zà-öø-ÿ])")
_BREAK = re.compile(r"(?<=[^\s.!?:;»”])\n(?=[a-zà-öø-ÿ(«])")


def frames(path: Path, task: Task) -> Iterator[Part | Step | Done]:
    """The pages in order. Raises a `DocumentUnreadable`."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(path, password=task.password or None)
        total = len(document)
    except pdfium.PdfiumError as exc:
        if "password" in str(exc).lower():
            raise DocumentEncrypted() from exc
        raise DocumentUnreadable(detail=N_("the file is damaged or cut off")) from exc
    if total > task.pages:
        raise DocumentTooLarge(detail=N_("it has too many pages"))
    if total == 0:
        raise DocumentUnreadable(detail=N_("it has no pages"))
    headings, reader = _outline(document), _reader(task)
    pictures, garbled, read = 0, 0, 0
    for number in range(total):
        text, kind = _page(document, number)
        pictures, garbled = pictures + (kind == "picture"), garbled + (kind == "garbled")
        if kind != "text" and reader and read < OCR_PAGES:
            text, read = _recognised(document, number, reader), read + 1
        text += "\n\n"
        yield Part(text, number + 1, _placed(headings.get(number, []), text))
        yield Step(number + 1, total)
    if pictures == total and not reader:
        raise DocumentScanned(pages=total)
    yield Done(PDF, total, _note(total, pictures, garbled, read))


def _note(total: int, pictures: int, garbled: int, read: int) -> str:
    if read:
        return N_("Some pages are pictures: their text was recognised, and may have mistakes.")
    if garbled * 2 > total:
        return N_("Its fonts do not say which letters they show: most of what was read is no text.")
    if garbled:
        return N_("On some pages the fonts do not say which letters they show: what was read there is no text.")
    if pictures:
        return N_("Some pages are only pictures: they were left out. Tesseract would read them.")
    return ""


def _page(document: pdfium.PdfDocument, number: int) -> tuple[str, Kind]:
    """The text of a page, and what it is: text, letters that are none, a picture without any."""
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        page = document[number]
    except pdfium.PdfiumError:
        return "", "text"
    try:
        textpage = page.get_textpage()
        try:
            raw_text = textpage.get_text_bounded()
        finally:
            textpage.close()
        text, garbled = _flowing(raw_text), _is_garbled(raw_text)
        if sum(map(str.isalnum, text)) > FEW or garbled:
            return text, "garbled" if garbled else "text"
        picture = any(True for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3))
        return text, "picture" if picture else "text"
    except pdfium.PdfiumError:
        return "", "text"
    finally:
        page.close()


def _flowing(text: str) -> str:
    """Words that a line's end parts are whole again, and sentences go on over it."""
    text = _HYPHEN.sub("", text.replace("\r\n", "\n"))
    return _BREAK.sub(" ", clean(text.replace("\ufffe", "-")))


def _is_garbled(text: str) -> bool:
    """Whether these are no letters of any script: private characters, replacement marks, or signs where letters should
    be."""
    seen = [one for one in text if not one.isspace()]
    if len(seen) < 40:
        return False
    odd = sum(one in "\ufffd" or unicodedata.category(one) in ("Co", "Cn", "Cc") for one in seen if one != "\ufffe")
    letters = sum(one.isalnum() for one in seen)
    if odd > len(seen) * 0.1 or letters < len(seen) * 0.35:
        return True
    latin = [one.lower() for one in seen if "a" <= one.lower() <= "z"]
    # Shifted letters: a text in any language of the Latin script has vowels in plenty.
    return len(latin) > len(seen) * 0.5 and sum(one in "aeiouy" for one in latin) < len(latin) * 0.22


def _outline(document: pdfium.PdfDocument) -> dict[int, list[tuple[int, str]]]:
    """Level and title of the bookmarks, by the number of their page. A loop in them ends at the depth that is read."""
    found: dict[int, list[tuple[int, str]]] = {}
    for count, mark in enumerate(document.get_toc(max_depth=DEEPEST)):
        if count >= MOST_HEADINGS:
            break
        destination = mark.get_dest()
        number = destination.get_index() if destination is not None else None
        title = clean(mark.get_title()).strip()
        if number is not None and title:
            found.setdefault(number, []).append((mark.level + 1, title))
    return found


def _placed(marks: list[tuple[int, str]], text: str) -> tuple[Heading, ...]:
    """The headings of a page, where their words stand on it; at its beginning where they do not."""
    placed, place = [], 0
    for level, title in marks:
        words = re.search(r"\s+".join(map(re.escape, title.split())), text[place:], re.IGNORECASE)
        place += words.start() if words else 0
        placed.append(Heading(place, level, title))
    return tuple(placed)


def _reader(task: Task) -> list[str] | None:
    """The command that reads a picture from its standard input; None where Tesseract is not installed."""
    program = shutil.which("tesseract") if task.ocr else None
    if program is None:
        return None
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=20, check=False)
    known = [one for one in task.language.split("+") if one in listed.stdout.split()]
    return [program, "stdin", "stdout", *(["-l", "+".join(known)] if known else [])]


def _recognised(document: pdfium.PdfDocument, number: int, reader: list[str]) -> str:
    """What Tesseract reads on a page."""
    import io

    page = document[number]
    try:
        picture = io.BytesIO()
        scale = min(OCR_DPI / 72, 4000 / max(*page.get_size(), 1))
        page.render(scale=scale, grayscale=True).to_pil().save(picture, format="PNG")
        done = subprocess.run(reader, input=picture.getvalue(), capture_output=True, timeout=OCR_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return ""
    finally:
        page.close()
    return clean(done.stdout.decode("utf-8", errors="replace"))
