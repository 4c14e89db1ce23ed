"""A file that is there whole or not at all: written beside its place under a hidden name, then given its name.

`landing` gives the hidden file and takes it away again where it was not `keep`-t. Between the two stand checks of the
caller. `Watch` holds a source open and says whether it is still what was checked. Raises `TargetBusy`, `TargetExists`,
`TargetUnwritable`, `SourceChanged`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import SourceChanged, TargetBusy, TargetExists, TargetUnwritable
from core.gguf.header import GGUF

ABANDONED_S = 600.0
"""A hidden file that nobody has written to for that long, and whose process is gone, is taken away."""

_PART = ".workbench-{pid}-{token}.part"

_making: set[Path] = set()
_making_lock = threading.Lock()


@contextmanager
def landing(target: Path) -> Iterator[Path]:
    """An empty hidden file in the target's folder, which is made where it is missing."""
    with _alone(target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _clear_abandoned(target.parent)
            part = target.parent / _PART.format(pid=os.getpid(), token=secrets.token_hex(4))
            part.open("xb").close()
        except OSError as error:
            raise _unwritable(target, error) from error
        try:
            yield part
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def keep(part: Path, target: Path) -> None:
    """First the bytes to the disk, then the name, then the name to the disk: a power cut leaves all or nothing."""
    try:
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        check_free(target)
        part.replace(target)
        if os.name == "posix":
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise _unwritable(target, error) from error


def check_free(target: Path) -> None:
    """Nothing has this name yet, not even a broken link."""
    if os.path.lexists(target):
        raise TargetExists(file=target.name)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """The target's name, for one job of this program at a time."""
    with _making_lock:
        if target in _making:
            raise TargetBusy(file=target.name)
        check_free(target)
        _making.add(target)
    try:
        yield
    finally:
        with _making_lock:
            _making.discard(target)


def _clear_abandoned(folder: Path) -> None:
    import psutil

    for path in folder.glob(_PART.format(pid="*", token="*")):
        with contextlib.suppress(OSError, ValueError):
            idle_s = time.time() - path.stat().st_mtime
            if idle_s > ABANDONED_S and not psutil.pid_exists(int(path.name.split("-")[1])):
                path.unlink()


def _unwritable(target: Path, error: OSError) -> TargetUnwritable:
    return TargetUnwritable(folder=str(target.parent), detail=error.strerror or "it cannot be used")


class Watch:
    """Holds a checked model's files open for as long as the block lasts: one that is deleted meanwhile is still there
    for llama.cpp, which has mapped it."""

    def __init__(self, gguf: GGUF) -> None:
        self._gguf = gguf
        self._held: list[tuple[GGUF, BinaryIO, os.stat_result]] = []

    def __enter__(self) -> Watch:
        try:
            for one in (self._gguf, *self._gguf.parts):
                file = one.path.open("rb")
                self._held.append((one, file, os.fstat(file.fileno())))
        except OSError as error:
            self.__exit__()
            raise SourceChanged(model=self._gguf.path.name) from error
        return self

    def __exit__(self, *_: object) -> None:
        for _one, file, _status in self._held:
            file.close()

    def check(self) -> None:
        """Raises `SourceChanged` where a file was written to or another has taken its place. A deleted one is fine."""
        for one, file, before in self._held:
            now = os.fstat(file.fileno())
            same = (now.st_size, now.st_mtime_ns, one.size) == (before.st_size, before.st_mtime_ns, before.st_size)
            with contextlib.suppress(FileNotFoundError):
                same = same and one.path.stat().st_ino == before.st_ino
            if not same:
                raise SourceChanged(model=self._gguf.path.name)
