"""Downloads in the background: started, paused, gone on with, stopped; several at once, and again after a restart.

A download is a plan beside the models (core/hub/plans.py) and, while it runs, a job. Files get their names when all of
them are whole and checked, the first part of a split model last, so that nothing half is ever listed as a model. Before
anything is fetched there must be room for it beside the others. Thread-safe; everything has an owner.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from core.errors import N_, DiskTooSmall, DownloadRunning, DownloadTooLarge, NotThere, PartsMissing, WorkbenchError
from core.hub import transfer
from core.hub.client import Hub
from core.hub.plans import Plan, Plans, owner_mark
from core.hub.transfer import part_of
from core.hub.values import Repository, Variant
from core.jobs import Halted, Job, Jobs
from core.models.remote.permit import ANYTHING, Permit

KIND = "download"
AT_ONCE = 3
"""Downloads that run at the same time, of all owners; others wait for their turn."""

KEPT_FREE = 1 << 30
"""Bytes of the disk that are left to everything else."""

LARGEST = 50_000_000_000
"""Bytes of one file; huggingface_hub's MAX_HTTP_DOWNLOAD_SIZE: larger ones are sent by another protocol only."""

RATE_OVER_S = 5.0
"""Seconds over which the speed that is shown is taken."""

WAITING = N_("Waiting for another download")

State = Literal["running", "paused", "failed", "done"]


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """How far one is. done, size: bytes. rate: bytes a second, now. note: what it is at, a msgid. halting: whether it
    was asked to pause and has not yet. path: of the model, when it is done."""

    id: str
    repository: str
    label: str
    name: str
    state: State
    done: int
    size: int
    rate: float | None = None
    seconds_left: float | None = None
    note: str = ""
    halting: bool = False
    error: WorkbenchError | None = None
    path: Path | None = None


class Downloads:
    """The downloads of all owners into one folder of models."""

    def __init__(self, hub: Hub, models: Path, jobs: Jobs) -> None:
        self._hub = hub
        self._plans = Plans(models)
        self._models = models
        self._jobs = jobs
        self._lock = threading.Lock()
        self._running: dict[str, tuple[Plan, Job, _Meter]] = {}
        self._stopped: set[str] = set()
        self._slots = threading.Semaphore(AT_ONCE)

    def start(self, owner: str, repository: Repository, variant: Variant, permit: Permit = ANYTHING) -> Download:
        """Begins, or goes on where it was left. Returns at once.

        Raises `PartsMissing`, `DownloadTooLarge`, `DiskTooSmall`, `FolderUnusable`, or what forbids asking the Hub.
        """
        if not variant.complete:
            raise PartsMissing(name=variant.label)
        for file in variant.files:
            if file.size > LARGEST:
                raise DownloadTooLarge(file=file.name, size_gb=round(file.size / 1e9, 1), limit_gb=LARGEST / 1e9)
        self._hub.allowed(permit)
        plan = Plan(
            repository=repository.id,
            commit=repository.commit,
            label=variant.label,
            files=variant.files,
            owner=owner_mark(owner),
            began=time.time(),
        )
        earlier = next((one for one in self._plans.list(owner) if one.id == plan.id), None)
        if earlier is not None and earlier.files != plan.files and plan.id not in self._running:
            self._plans.delete(earlier)  # what came is of other files
        return self._begin(owner, plan, permit)

    def resume(self, owner: str, id: str, permit: Permit = ANYTHING) -> Download:
        """Goes on with one that is paused, failed, or left by a program that ended. Raises as `start`, `NotThere`."""
        self._hub.allowed(permit)
        return self._begin(owner, self._plan(owner, id), permit)

    def pause(self, owner: str, id: str) -> None:
        """Asks it to end for now; what came stays. Raises `NotThere`."""
        self._plan(owner, id)
        with self._lock:
            entry = self._running.get(id)
        if entry is not None:
            entry[1].pause()

    def stop(self, owner: str, id: str) -> None:
        """Ends it, and deletes what came. Raises `NotThere`."""
        plan = self._plan(owner, id)
        with self._lock:
            entry = self._running.get(id)
            if entry is not None and entry[1].state == "running":
                self._stopped.add(id)
                entry[1].cancel()
                return
            self._running.pop(id, None)
        self._plans.delete(plan)

    def dismiss(self, owner: str, id: str) -> None:
        """Takes one that is done from the list."""
        with self._lock:
            entry = self._running.get(id)
            if entry is not None and entry[0].owner == owner_mark(owner) and entry[1].state == "done":
                del self._running[id]

    def list(self, owner: str) -> list[Download]:
        """The owner's: those that run, those that can go on, and those done since the start; oldest first."""
        with self._lock:
            entries = {id: entry for id, entry in self._running.items() if entry[0].owner == owner_mark(owner)}
        plans = {plan.id: plan for plan in self._plans.list(owner)} | {id: entry[0] for id, entry in entries.items()}
        told = [self._told(plan, entries.get(id)) for id, plan in plans.items()]
        return [one for one in told if one is not None]

    def running(self, owner: str) -> frozenset[str]:
        """The ids of the owner's that are at work."""
        with self._lock:
            entries = list(self._running.values())
        mine = [(plan, job) for plan, job, _ in entries if plan.owner == owner_mark(owner)]
        return frozenset(plan.id for plan, job in mine if job.state == "running")

    def job(self, owner: str, id: str) -> Job:
        """What is at work on it, to wait for. Raises `NotThere`."""
        with self._lock:
            entry = self._running.get(id)
        if entry is None or entry[0].owner != owner_mark(owner):
            raise NotThere(what=N_("download"))
        return entry[1]

    def here(self, repository: str, variant: Variant) -> Path | None:
        """The model's file where all of it has been downloaded before."""
        places = [(self._plans.place(repository, file.name), file.size) for file in variant.files]
        return places[0][0] if all(_is(place, size) for place, size in places) else None

    def _plan(self, owner: str, id: str) -> Plan:
        plan = next((one for one in self._plans.list(owner) if one.id == id), None)
        if plan is None:
            raise NotThere(what=N_("download"))
        return plan

    def _begin(self, owner: str, plan: Plan, permit: Permit) -> Download:
        with self._lock:
            entry = self._running.get(plan.id)
            if entry is not None and entry[1].state == "running":
                if entry[0].owner != plan.owner:
                    raise DownloadRunning(file=plan.files[0].name)
            else:
                self._make_room(plan)
                self._plans.keep(plan)
                self._stopped.discard(plan.id)  # it may have been whole before it could be stopped
                meter = _Meter()
                work = partial(self._work, plan=plan, meter=meter, permit=permit)
                job = self._jobs.start(owner, KIND, plan.files[0].name, work)
                entry = self._running[plan.id] = (plan, job, meter)
        told = self._told(plan, entry)
        assert told is not None
        return told

    def _make_room(self, plan: Plan) -> None:
        """With what the others still need taken off. Raises `DiskTooSmall`."""
        others = [one for one, job, _ in self._running.values() if job.state == "running" and one.id != plan.id]
        folder = next((one for one in (self._models, *self._models.parents) if one.is_dir()), None)
        if folder is None:
            return
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise transfer.unusable(self._models, error) from error
        free -= KEPT_FREE + sum(one.size - self._plans.have(one) for one in others)
        needed = plan.size - self._plans.have(plan)
        if needed > free:
            raise DiskTooSmall(
                file=plan.files[0].name, needed_gb=round(needed / 1e9, 2), free_gb=round(max(free, 0) / 1e9, 2)
            )

    def _work(self, job: Job, *, plan: Plan, meter: _Meter, permit: Permit) -> Path:
        try:
            with self._slot(job, plan), self._plans.locked(plan):
                return self._bring(job, plan, meter, permit)
        except (Halted, WorkbenchError):
            self._put_away(plan)
            raise

    def _put_away(self, plan: Plan) -> None:
        """Where it was stopped, whatever it ended with, nothing of it is left."""
        with self._lock:
            stopped = plan.id in self._stopped
            self._stopped.discard(plan.id)
            if stopped:
                self._running.pop(plan.id, None)
        if stopped:
            self._plans.delete(plan)

    def _slot(self, job: Job, plan: Plan) -> _Slot:
        while not self._slots.acquire(timeout=0.1):
            job.step(self._plans.have(plan), plan.size, WAITING)
        return _Slot(self._slots)

    def _bring(self, job: Job, plan: Plan, meter: _Meter, permit: Permit) -> Path:
        before = 0
        for file in plan.files:
            target, tell = self._plans.target(plan, file), self._teller(job, plan, before, meter)
            if not transfer.is_whole(target, file, tell):
                transfer.fetch(self._hub, plan.repository, plan.commit, file, target, tell, permit)
            before += file.size
            job.step(before, plan.size)
        for file in reversed(plan.files):
            target = self._plans.target(plan, file)
            if part_of(target).exists():
                try:
                    part_of(target).replace(target)
                except OSError as error:
                    raise transfer.unusable(target.parent, error) from error
        self._plans.forget(plan)
        return self._plans.target(plan, plan.files[0])

    def _teller(self, job: Job, plan: Plan, before: int, meter: _Meter) -> Callable[[int, str], None]:
        def tell(here: int, note: str) -> None:
            if note == transfer.LOADING:
                meter.count(before + here)
            else:
                meter.rest()
            job.step(before + here, plan.size, note)

        return tell

    def _told(self, plan: Plan, entry: tuple[Plan, Job, _Meter] | None) -> Download | None:
        if entry is None:
            return self._of(plan, "paused", self._plans.have(plan))
        _, job, meter = entry
        if job.state == "cancelled":
            return None
        if job.state != "running":
            state: State = "paused" if job.state == "paused" else "done" if job.state == "done" else "failed"
            done = plan.size if state == "done" else self._plans.have(plan)
            return msgspec.structs.replace(self._of(plan, state, done), error=job.error, path=job.result)
        rate = meter.rate
        return msgspec.structs.replace(
            self._of(plan, "running", int(job.done)),
            rate=rate,
            seconds_left=(plan.size - job.done) / rate if rate else None,
            note=job.note,
            halting=job.halting,
        )

    @staticmethod
    def _of(plan: Plan, state: State, done: int) -> Download:
        return Download(
            id=plan.id,
            repository=plan.repository,
            label=plan.label,
            name=plan.files[0].name,
            state=state,
            done=done,
            size=plan.size,
        )


class _Slot:
    """A turn among the downloads that run at once; given back at its end."""

    def __init__(self, slots: threading.Semaphore) -> None:
        self._slots = slots

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._slots.release()


class _Meter:
    """Bytes a second over the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def count(self, done: int) -> None:
        """So many bytes are here now."""
        now = time.monotonic()
        with self._lock:
            if self._seen and now - self._seen[-1][0] < 0.1:
                return
            self._seen.append((now, done))
            while now - self._seen[0][0] > RATE_OVER_S:
                self._seen.popleft()

    def rest(self) -> None:
        """Nothing comes now."""
        with self._lock:
            self._seen.clear()

    @property
    def rate(self) -> float | None:
        with self._lock:
            if len(self._seen) < 2:
                return None
            (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began) if ended > began and last > first else None


def _is(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
