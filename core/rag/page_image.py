"""A page of a PDF as a picture with a passage highlighted, drawn by a process of its own (extracting/picture.py)."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core import child
from core.child import ChildDied
from core.errors import N_, DocumentUnreadable
from core.rag.extracting.wire import Drawing, Drawn, Picture

LIMIT_S = 20.0

_pictures = msgspec.json.Decoder(Picture)


def page_image(path: Path, page: int, text: str, *, width: int = 900) -> Drawn:
    """The page, from 1, as PNG. Raises `DocumentUnreadable`."""
    task = Drawing(path=str(path), page=page, text=text, width=width)
    frames = child.frames("core.rag.extracting.picture", msgspec.json.encode(task), _pictures.decode, limit_s=LIMIT_S)
    try:
        for frame in frames:
            if isinstance(frame, Drawn):
                return frame
    except ChildDied as died:
        raise DocumentUnreadable(detail=str(died)) from died
    raise DocumentUnreadable(detail=N_("the page cannot be drawn"))
