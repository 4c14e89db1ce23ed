"""What the reading process is told, and what it says, as frozen values."""

from __future__ import annotations

import msgspec

from core.rag.values import Heading


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read. `name`: what people call it; its end may say what kind it is. `ocr`: read pictures, where
    Tesseract is installed; `language`: its name for the languages, as `eng+fra`. The rest are limits."""

    path: str
    name: str
    password: str = ""
    ocr: bool = True
    language: str = "eng+fra"
    memory_bytes: int = 1_000_000_000
    seconds: float = 600.0
    characters: int = 20_000_000
    pages: int = 20_000


class Part(msgspec.Struct, frozen=True, tag=True):
    """The next piece of the text. `page`: it begins a page of this number. `headings`: their places are in `text`."""

    text: str
    page: int | None = None
    headings: tuple[Heading, ...] = ()


class Step(msgspec.Struct, frozen=True, tag=True):
    """How far it is: of so many pages or rows."""

    done: int
    total: int


class Done(msgspec.Struct, frozen=True, tag=True):
    """All has been said. `note`: what a person should know (a msgid)."""

    media_type: str
    pages: int | None = None
    note: str = ""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """It cannot be read: a `WorkbenchError.to_dict()`."""

    error: dict[str, object]


Frame = Part | Step | Done | Refused


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A page to draw. `page` from 1; `text`: the passage to highlight; `width`: pixels."""

    path: str
    page: int
    text: str
    password: str = ""
    width: int = 900


class Drawn(msgspec.Struct, frozen=True, tag=True):
    """The page. `lines`: how many of it are highlighted; 0 where the passage was not found on it."""

    png: bytes
    lines: int


class NotDrawn(msgspec.Struct, frozen=True, tag=True):
    """It cannot be drawn: what happened."""

    reason: str


Picture = Drawn | NotDrawn
