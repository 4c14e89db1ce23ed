"""What kind of document some bytes are: by what they hold, and only for text by the end of the name."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from core.errors import N_, DocumentEmpty, DocumentEncrypted, DocumentUnreadable, FormatUnknown

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODP = "application/vnd.oasis.opendocument.presentation"
EPUB = "application/epub+zip"
HTML = "text/html"
MARKDOWN = "text/markdown"
CSV = "text/csv"
TEXT = "text/plain"

_INSIDE = {"word/document.xml": DOCX, "ppt/presentation.xml": PPTX, "xl/workbook.xml": XLSX}
_BY_END = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".csv": CSV,
    ".tsv": CSV,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
}
_OTHER = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x7fELF", "ELF"),
    (b"MZ", "EXE"),
    (b"GGUF", "GGUF"),
    (b"\x1f\x8b", "GZIP"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
    (b"SQLite format 3", "SQLite"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = (b"\xff\xfe", b"\xfe\xff")
HEAD = 4096

ZIP_EXPANDED = 1_000_000_000
"""Bytes that the parts of a ZIP file may have together."""

ZIP_RATIO = 200
"""How many times its own size a large part of it may have; text is packed to a tenth."""

ZIP_ENTRIES = 20_000


def kind_of(path: Path, name: str) -> str:
    """The media type. Raises a `DocumentUnreadable` for what is not read."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    end = PurePosixPath(name).suffix.lower()
    if not head.strip():
        raise DocumentEmpty()
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if head.startswith(_OLE):
        if _names_stream(path, "EncryptedPackage"):
            raise DocumentEncrypted()
        raise FormatUnknown(kind=N_("an older version of Office"))
    if known := next((what for mark, what in _OTHER if head.startswith(mark)), None):
        raise FormatUnknown(kind=known)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start):
        return HTML
    if not head.startswith(_BOMS) and _binary(head):
        raise FormatUnknown(kind=end or N_("no text"))
    return _BY_END.get(end, TEXT)


def check_zip(archive: zipfile.ZipFile) -> None:
    """Raises `DocumentUnreadable` for one that would fill the memory: by what it says of itself, which zipfile holds it
    to when it is read."""
    entries = archive.infolist()
    if len(entries) > ZIP_ENTRIES or sum(one.file_size for one in entries) > ZIP_EXPANDED:
        raise DocumentUnreadable(detail=N_("unpacked, it would be larger than any document"))
    for one in entries:
        if one.file_size > 10_000_000 and one.file_size > ZIP_RATIO * max(one.compress_size, 1):
            raise DocumentUnreadable(detail=N_("unpacked, it would be larger than any document"))
        if one.flag_bits & 1:
            raise DocumentEncrypted()


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            check_zip(archive)
            names = set(archive.namelist())
            for inside, kind in _INSIDE.items():
                if inside in names:
                    return kind
            said = (
                archive.read("mimetype")[:200].decode("ascii", errors="replace").strip() if "mimetype" in names else ""
            )
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as exc:
        raise DocumentUnreadable(detail=N_("the file is damaged or cut off")) from exc
    if said in (ODT, ODS, ODP, EPUB):
        return said
    raise FormatUnknown(kind="ZIP")


def _names_stream(path: Path, name: str) -> bool:
    """Whether an OLE file says that it has a stream of this name; names are UTF-16 in its directory."""
    with path.open("rb") as file:
        return name.encode("utf-16-le") in file.read(20_000_000)


def _binary(head: bytes) -> bool:
    """Whether it can be no text: zeros that are not those of UTF-16, or many control characters."""
    zeros = head.count(0)
    if zeros:
        spread = max(head[::2].count(0), head[1::2].count(0))
        return not (zeros > len(head) // 5 and spread > zeros * 0.9)
    controls = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return controls > len(head) // 50
