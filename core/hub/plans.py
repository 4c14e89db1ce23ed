"""What is being downloaded, kept beside the models, so that it goes on after a restart. One JSON file a download.

Says which files of which repository, as of which commit, and whose download it is: only its owner sees it. A lock on it
keeps two programs from writing the same file. Raises `FolderUnusable`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from core.errors import DownloadRunning
from core.hub import naming
from core.hub.transfer import part_of, unusable
from core.hub.values import HubFile

FOLDER = ".downloads"
LONGEST = 1 << 20


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One download: a quantization of a repository. owner: a hash of the owner, who is no business of a file's."""

    repository: str
    commit: str
    label: str
    files: tuple[HubFile, ...]
    owner: str
    began: float

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.repository}/{self.files[0].name}".encode()).hexdigest()[:20]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def owner_mark(owner: str) -> str:
    """What stands in a plan for its owner."""
    return hashlib.sha256(f"downloads of {owner}".encode()).hexdigest()[:20]


class Plans:
    """The plans in one folder of models."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._folder = models / FOLDER

    def target(self, plan: Plan, file: HubFile) -> Path:
        """Where a file will lie: models/OWNER/NAME/FILE, as other programs lay them too."""
        return self.place(plan.repository, file.name)

    def place(self, repository: str, name: str) -> Path:
        """The same, without a plan."""
        return self._models.joinpath(*repository.split("/"), *name.split("/"))

    def have(self, plan: Plan) -> int:
        """Bytes of it that are here."""
        return sum(min(_size(self.target(plan, f)) or _size(part_of(self.target(plan, f))), f.size) for f in plan.files)

    def list(self, owner: str) -> list[Plan]:
        """The owner's, oldest first; what is no plan is passed over."""
        found = []
        with suppress(OSError):
            for path in self._folder.glob("*.json"):
                plan = _read(path)
                if plan is not None and plan.owner == owner_mark(owner) and plan.id == path.stem:
                    found.append(plan)
        return sorted(found, key=lambda plan: plan.began)

    def keep(self, plan: Plan) -> None:
        """Writes it, whole or not at all."""
        path = self._path(plan)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(".new")
            beside.write_bytes(msgspec.json.encode(plan))
            beside.replace(path)
        except OSError as error:
            raise unusable(self._folder, error) from error

    def forget(self, plan: Plan) -> None:
        """The plan is over; what came is not touched."""
        with suppress(OSError):
            self._path(plan).unlink(missing_ok=True)

    def delete(self, plan: Plan) -> None:
        """Forgets it, and deletes what came of files that are not whole."""
        for file in plan.files:
            with suppress(OSError):
                part_of(self.target(plan, file)).unlink(missing_ok=True)
        for folder in list(self.target(plan, plan.files[0]).parents)[: naming.MAX_DEPTH + 2]:
            with suppress(OSError):
                if folder != self._models and folder.is_relative_to(self._models):
                    folder.rmdir()  # only where nothing else is in it
        self.forget(plan)

    @contextmanager
    def locked(self, plan: Plan) -> Iterator[None]:
        """Raises `DownloadRunning` where another thread or program is at it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._path(plan).with_suffix(".lock"))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0.05)
        except Timeout as error:
            raise DownloadRunning(file=plan.files[0].name) from error
        except OSError as error:
            raise unusable(self._folder, error) from error
        try:
            yield
        finally:
            lock.release()

    def _path(self, plan: Plan) -> Path:
        return self._folder / f"{plan.id}.json"


def _read(path: Path) -> Plan | None:
    try:
        if path.stat().st_size > LONGEST:
            return None
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None
    sound = naming.is_repository(plan.repository) and plan.files and all(naming.is_safe(f.name) for f in plan.files)
    return plan if sound else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
