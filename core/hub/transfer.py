"""Brings one file of the Hub to this disk: in pieces, from where it was left, checked by its sha256.

What has come lies in `NAME.part` beside its place. A broken connection is taken up again where it broke, a few times
and ever more slowly; work that is halted leaves what came. The sum is computed as the bytes come, over what was there
already first. Nothing gets its final name here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import (
    N_,
    DownloadBroken,
    DownloadDamaged,
    FolderUnusable,
    HubBusy,
    HubFailed,
    HubUnreachable,
    ModelFileInvalid,
)
from core.gguf import reader
from core.hub import session
from core.hub.client import Hub
from core.hub.values import HubFile
from core.models.remote.permit import ANYTHING, Permit

TRIES = 6
"""Attempts in a row that bring nothing, after which it is given up for now."""

LONGEST_WAIT_S = 60
PIECE = 1 << 20

CHECKING = N_("Checking what is here")
LOADING = N_("Downloading")
WAITING = N_("Connection lost: trying again")

Tell = Callable[[int, str], None]
"""Told how many bytes of the file are here, and what is being done; may raise `Halted`."""


def part_of(target: Path) -> Path:
    """Where a file lies until it is whole: no name that a model has."""
    return target.with_name(target.name + ".part")


def fetch(
    hub: Hub, repository: str, commit: str, file: HubFile, target: Path, tell: Tell, permit: Permit = ANYTHING
) -> None:
    """The whole of the file in `part_of(target)`, checked, its header too.

    Raises `DownloadBroken`, `DownloadDamaged`, `FolderUnusable`, `ModelFileInvalid` or what the Hub refuses with.
    """
    part = part_of(target)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("r+b" if part.exists() else "w+b") as here:
            _File(hub, repository, commit, file, here, tell, permit).complete()
            os.fsync(here.fileno())
    except OSError as error:
        raise unusable(part.parent, error) from error
    except DownloadDamaged:
        part.unlink(missing_ok=True)
        raise
    try:
        reader.read_one(part)
    except ModelFileInvalid as error:
        part.unlink(missing_ok=True)
        raise ModelFileInvalid(model=file.name, detail=error.values["detail"]) from error


def is_whole(target: Path, file: HubFile, tell: Tell) -> bool:
    """Whether the file has been here before, by its size and its sum. Raises `FolderUnusable`."""
    try:
        if target.stat().st_size != file.size:
            return False
        found, here = hashlib.sha256(), 0
        with target.open("rb") as data:
            while file.sha256 is not None and (piece := data.read(PIECE)):
                found.update(piece)
                here += len(piece)
                tell(here, CHECKING)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unusable(target.parent, error) from error
    return file.sha256 in (None, found.hexdigest())


def unusable(folder: Path, error: OSError) -> FolderUnusable:
    """The error of a folder that cannot be written to."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return FolderUnusable(folder=str(folder), detail=N_("the disk is full") if full else error.strerror or "?")


class _File:
    """One download. `have`: bytes that are here, of which the sum is `sum`."""

    def __init__(
        self, hub: Hub, repository: str, commit: str, file: HubFile, here: BinaryIO, tell: Tell, permit: Permit
    ) -> None:
        self._hub = hub
        self._repository = repository
        self._commit = commit
        self._file = file
        self._here = here
        self._tell = tell
        self._permit = permit
        self._begin_anew()

    def complete(self) -> None:
        """From what is here to the whole file."""
        self._count_what_is_here()
        tries = 0
        while self.have < self._file.size:
            before = self.have
            try:
                self._load()
            except (HubUnreachable, HubBusy, HubFailed, _Broken) as error:
                tries = 1 if self.have > before else tries + 1
                if tries >= TRIES:
                    raise DownloadBroken(file=self._file.name, detail=_detail(error)) from error
                self._wait(error, tries)
        if self._file.sha256 is not None and self.sum.hexdigest() != self._file.sha256:
            raise DownloadDamaged(file=self._file.name, detail=N_("its checksum (SHA-256) is another one"))

    def _begin_anew(self) -> None:
        self.have = 0
        self.sum = hashlib.sha256()

    def _count_what_is_here(self) -> None:
        size = os.fstat(self._here.fileno()).st_size
        if size > self._file.size:
            self._here.truncate(0)
        while piece := self._here.read(PIECE):
            self.sum.update(piece)
            self.have += len(piece)
            self._tell(self.have, CHECKING)

    def _load(self) -> None:
        """One connection, to its end or until it breaks."""
        import httpx2

        size = self._file.size
        name, start = self._file.name, self.have
        with self._hub.stream(self._repository, self._commit, name, start=start, permit=self._permit) as response:
            self._begin_where(response)
            try:
                for chunk in response.iter_raw():
                    if self.have + len(chunk) > size:
                        raise DownloadDamaged(file=self._file.name, detail=N_("it is longer than the Hub says"))
                    self._here.write(chunk)
                    self.sum.update(chunk)
                    self.have += len(chunk)
                    self._tell(self.have, LOADING)
            except httpx2.TransportError as error:
                raise _Broken(session.said(error)) from error
            finally:
                self._here.flush()
        if self.have < size:
            raise _Broken(N_("the connection was closed too early"))

    def _begin_where(self, response: Any) -> None:
        """Checks which bytes come; a server that knows no ranges sends all of them."""
        told = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
        if response.status_code == 206:
            if told is None or int(told[1]) != self.have or told[2] not in ("*", str(self._file.size)):
                raise DownloadDamaged(file=self._file.name, detail=N_("another part of it came than was asked for"))
        elif self.have:
            self._begin_anew()
            self._here.seek(0)
            self._here.truncate()

    def _wait(self, error: Exception, tries: int) -> None:
        """Longer each time; as long as a busy Hub says, within reason."""
        seconds: float = 2 ** (tries - 1)
        if isinstance(error, HubBusy):
            seconds = max(seconds, float(error.values["seconds"]))
        until = time.monotonic() + min(seconds, LONGEST_WAIT_S)
        while (left := until - time.monotonic()) > 0:
            self._tell(self.have, WAITING)
            time.sleep(min(left, 0.1))


class _Broken(Exception):
    """A connection that ended before the file did: how."""


def _detail(error: Exception) -> str:
    if isinstance(error, HubUnreachable | HubFailed):
        return str(error.values["detail"])
    return N_("the Hub takes no more requests") if isinstance(error, HubBusy) else str(error)
