"""The texts that models are measured on: two that come with the workbench, written for it, or a person's own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, get_args

from core.errors import N_, TextUnreadable

Passage = Literal["english", "french"]
PASSAGES: tuple[Passage, ...] = get_args(Passage)
"""Stories and explanations of some 4,500 tokens: 8 chunks of 512."""

_FOLDER = Path(__file__).parent / "passages"


def passage(name: Passage) -> str:
    """One of the texts that come with the workbench."""
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def read(path: Path) -> str:
    """A person's file, in UTF-8. Raises `TextUnreadable`."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextUnreadable(file=path.name, detail=N_("it is no text in UTF-8")) from error
    except (OSError, ValueError) as error:
        raise TextUnreadable(file=path.name, detail=getattr(error, "strerror", None) or str(error)) from error


def digest(text: str) -> str:
    """What tells a text from others."""
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()
