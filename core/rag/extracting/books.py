"""OpenDocument and EPUB: XML in a ZIP file, which has been checked before. No entity is resolved, nothing fetched."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.errors import N_, DocumentEncrypted, DocumentUnreadable
from core.rag.extracting import web
from core.rag.extracting.kinds import EPUB, ODP
from core.rag.extracting.text import clean
from core.rag.extracting.wire import Done, Part, Step
from core.rag.values import Heading

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_GAPS = (f"{_TEXT}tab", f"{_TEXT}line-break", f"{_TEXT}s", f"{_TEXT}p")
_SPACE = re.compile(r"[ \t\n]+")
MOST_CHAPTERS = 5000


def open_document(path: Path, kind: str) -> Iterator[Part | Step | Done]:
    """Text, tables or slides of an OpenDocument file."""
    with zipfile.ZipFile(path) as archive:
        if b"encryption-data" in _read(archive, "META-INF/manifest.xml", missing=b""):
            raise DocumentEncrypted()
        root = _xml(_read(archive, "content.xml"))
    pages = list(root.iter(f"{_DRAW}page")) if kind == ODP else []
    for number, page in enumerate(pages, 1):
        yield Part("", number)
        yield from _blocks(page)
    if not pages:
        yield from _blocks(root)
    yield Done(kind, len(pages) or None)


def _blocks(root: Any) -> Iterator[Part]:
    """Headings, paragraphs and rows, in their order."""
    for node in root.iter(f"{_TEXT}h", f"{_TEXT}p", f"{_TABLE}table-row", f"{_TABLE}table"):
        if node.tag == f"{_TABLE}table":
            name = clean(node.get(f"{_TABLE}name") or "")
            if name and root.tag.endswith("document-content") and _is_sheet(node):
                yield Part(f"\n{name}\n", headings=(Heading(1, 1, name),))
        elif node.tag == f"{_TABLE}table-row":
            cells = (_words(cell) for cell in node.iter(f"{_TABLE}table-cell"))
            if line := " | ".join(cell for cell in cells if cell):
                yield Part(line + "\n")
        elif not any(above.tag == f"{_TABLE}table-row" for above in node.iterancestors()):
            text = _words(node)
            level = node.get(f"{_TEXT}outline-level") if node.tag == f"{_TEXT}h" else None
            headings = (Heading(0, int(level) if str(level).isdecimal() else 1, text),) if level and text else ()
            if text:
                yield Part(text + "\n\n", headings=headings)


def _is_sheet(node: Any) -> bool:
    above = node.getparent()
    return above is not None and str(above.tag).endswith("}spreadsheet")


def _words(node: Any) -> str:
    """The text in a node; tabs, line breaks and repeated spaces are nodes of their own."""
    pieces: list[str] = []
    for event, one in _walk(node):
        if event == "start":
            if one.tag in _GAPS and one is not node:
                pieces.append(" ")
            pieces.append(_SPACE.sub(" ", one.text or ""))
        elif one is not node:
            pieces.append(_SPACE.sub(" ", one.tail or ""))
    return _SPACE.sub(" ", clean("".join(pieces))).strip()


def _walk(node: Any) -> Iterator[tuple[str, Any]]:
    from lxml import etree

    return iter(etree.iterwalk(node, events=("start", "end")))


def epub(path: Path) -> Iterator[Part | Step | Done]:
    """The chapters of a book, in the order of its spine."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "META-INF/encryption.xml" in names and b"EncryptedData" in _read(archive, "META-INF/encryption.xml"):
            encrypted = _read(archive, "META-INF/encryption.xml")
            if b"adobe.com/adept" in encrypted or b"xhtml" in encrypted:
                raise DocumentEncrypted()
        container = _xml(_read(archive, "META-INF/container.xml"))
        roots = container.xpath("//*[local-name()='rootfile']/@full-path")
        if not roots:
            raise DocumentUnreadable(detail=N_("the file is damaged or cut off"))
        package = _xml(_read(archive, str(roots[0])))
        folder = posixpath.dirname(str(roots[0]))
        items = {
            item.get("id"): posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))
            for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")
        }
        spine = [one.get("idref") for one in package.xpath("//*[local-name()='spine']/*[local-name()='itemref']")]
        chapters = [items[one] for one in spine[:MOST_CHAPTERS] if items.get(one) in names]
        for number, chapter in enumerate(chapters, 1):
            part = web.part(_read(archive, chapter))
            yield Part(part.text + "\n\n", headings=part.headings)
            yield Step(number, len(chapters))
    yield Done(EPUB)


def _read(archive: zipfile.ZipFile, name: str, *, missing: bytes | None = None) -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        if missing is not None:
            return missing
        raise DocumentUnreadable(detail=N_("the file is damaged or cut off")) from None


def _xml(data: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    root = etree.fromstring(data, parser)
    if root is None:
        raise DocumentUnreadable(detail=N_("the file is damaged or cut off"))
    return root
