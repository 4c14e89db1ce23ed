"""The files that were added, kept as they came: to be read again, and shown with the passage that was cited.

A file lies under its collection by the hash of its bytes: no name that somebody chose is ever a path here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from core.errors import N_, DocumentUnreadable, StoreUnavailable, TooManyFiles

LONGEST_NAME = 200
MOST_FILES = 5000
"""Files of a folder."""

PIECE = 1 << 20
_HIDDEN = ("__pycache__", "node_modules")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Categories of characters that would change how a name looks, or cannot be kept. Of these, emoji need the joiner."""


class Incoming(msgspec.Struct, frozen=True):
    """A file to add: its bytes, or where it is. `password`: opens it, and is kept nowhere."""

    name: str
    data: bytes | None = None
    path: Path | None = None
    password: str = ""


class Kept(msgspec.Struct, frozen=True):
    """A file that has been put away."""

    hash: str
    size: int


class Files:
    """The files of all collections in one folder. Whose they are is checked where their documents are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def locks(self) -> Path:
        """A folder for the locks of the collections."""
        return self._folder / ".locks"

    def put(self, collection_id: str, incoming: Incoming, *, most: int) -> Kept:
        """Puts a copy away, unless it has more than `most` bytes. Raises `DocumentUnreadable` or `StoreUnavailable`."""
        folder = self._folder / collection_id
        target = folder / f".{secrets.token_hex(8)}"
        digest, size = hashlib.sha256(), 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with target.open("wb") as file:
                for piece in _pieces(incoming):
                    digest.update(piece)
                    size += len(piece)
                    if size <= most:
                        file.write(piece)
            if size <= most:
                os.replace(target, folder / digest.hexdigest())  # noqa: PTH105
        except OSError as exc:
            raise StoreUnavailable(path=str(folder), detail=exc.strerror or str(exc)) from exc
        finally:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)
        return Kept(digest.hexdigest(), size)

    def path(self, collection_id: str, hash: str) -> Path:
        """Where the file is, or would be."""
        return self._folder / collection_id / hash

    def remove(self, collection_id: str, hashes: Iterable[str] | None = None) -> None:
        """Takes files away; None: all of the collection."""
        if hashes is None:
            shutil.rmtree(self._folder / collection_id, ignore_errors=True)
            return
        for one in hashes:
            with contextlib.suppress(OSError):
                self.path(collection_id, one).unlink(missing_ok=True)


def found(path: Path, *, password: str = "") -> list[Incoming]:
    """A file, or all files of a folder and the folders below it, by their names from there on; hidden ones and links
    that lead out are left out. Raises `DocumentUnreadable` or `TooManyFiles`."""
    if path.is_file():
        return [Incoming(path.name, path=path, password=password)]
    if not path.is_dir():
        raise DocumentUnreadable(detail=N_("there is no such file"))
    files: list[Incoming] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _HIDDEN)
        for name in sorted(names):
            file = Path(folder, name)
            if name.startswith(".") or file.is_symlink() or not file.is_file():
                continue
            files.append(Incoming(file.relative_to(path).as_posix(), path=file, password=password))
            if len(files) > MOST_FILES:
                raise TooManyFiles(limit=MOST_FILES)
    return files


def shown_name(name: str) -> str:
    """A name as it is kept and shown: no path but downwards, nothing that cannot be seen, not too long."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    name = "".join(one for one in name if one == "\u200d" or unicodedata.category(one) not in _UNSEEN)
    parts = [part.strip() for part in name.split("/")]
    name = "/".join(part for part in parts if part not in ("", ".", "..")) or "?"
    if len(name) <= LONGEST_NAME:
        return name
    end = re.search(r"\.\w{1,10}\Z", name)
    tail = end[0] if end else ""
    return name[: LONGEST_NAME - len(tail) - 1] + "…" + tail


def numbered(name: str, number: int) -> str:
    """The name of another file of that name."""
    end = re.search(r"\.\w{1,10}\Z", name)
    tail = end[0] if end else ""
    return shown_name(f"{name.removesuffix(tail)} ({number}){tail}")


def _pieces(incoming: Incoming) -> Iterator[bytes]:
    if incoming.data is not None:
        yield incoming.data
        return
    assert incoming.path is not None
    try:
        with incoming.path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as exc:
        raise DocumentUnreadable(detail=N_("the file cannot be opened")) from exc
