"""Work in the background that a page starts and follows: quantizing, measuring, downloading, indexing.

A job is a function run in a thread of its own, which says how far it is and looks whether it is to end. A page that
goes away does not stop it. What is to outlive the server is kept by the work itself, as it comes. Thread-safe; knows no
store and no page.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import NotThere, WorkbenchError

State = Literal["running", "done", "failed", "paused", "cancelled"]

KEPT = 100
"""Ended jobs of one owner that are remembered, the newest."""

STOP_LIMIT_S = 5.0
"""Jobs that are stopped with the server have that long to put things away."""

_log = logging.getLogger(__name__)


class Halted(Exception):  # no error: it was asked for
    """Raised in the work where it was asked to end, by `Job.step` and `Job.check`."""


@dataclass(eq=False)
class Job:
    """One piece of work. `kind` and `subject` say what it is of ("quantize", a file's name); `owner` whose it is."""

    owner: str
    kind: str
    subject: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "running"
    done: float = 0.0
    total: float | None = None
    """In what the work counts in: bytes, tensors, chunks. None: not known yet."""
    note: str = ""
    """What it is at, in English: a msgid, or a name."""
    result: Any = None
    error: WorkbenchError | None = None
    began: float = field(default_factory=time.time)
    _asked: Literal["no", "pause", "cancel"] = "no"
    _ended: threading.Event = field(default_factory=threading.Event)
    _steps: tuple[float, float] | None = None

    @property
    def fraction(self) -> float | None:
        """0 … 1; None while it cannot be said."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def seconds_left(self) -> float | None:
        """At the rate since the first step; None while it cannot be said."""
        if self._steps is None or self.total is None or self.state != "running":
            return None
        at, first = self._steps
        gone = self.done - first
        return (self.total - self.done) * (time.monotonic() - at) / gone if gone > 0 else None

    @property
    def halting(self) -> bool:
        """Whether it was asked to end."""
        return self._asked != "no"

    def step(self, done: float, total: float | None = None, note: str | None = None) -> None:
        """For the work: how far it is. Raises `Halted` where it is to end."""
        self.done = done
        if total is not None:
            self.total = total
        if note is not None:
            self.note = note
        if self._steps is None:
            self._steps = (time.monotonic(), done)
        self.check()

    def check(self) -> None:
        """For the work: raises `Halted` where it is to end."""
        if self._asked != "no":
            raise Halted

    def pause(self) -> None:
        """Asks it to end for now. Work that cannot go on later begins anew."""
        self._asked = "pause"

    def cancel(self) -> None:
        """Asks it to end, for good."""
        self._asked = "cancel"

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until it has ended, at most so many seconds; whether it has."""
        return self._ended.wait(timeout)

    def run(self, work: Callable[[Job], Any]) -> None:
        """Runs it in this thread, to its end. Nothing is raised: see `state` and `error`."""
        try:
            self.result = work(self)
            self.state = "done"
        except Halted:
            self.state = "paused" if self._asked == "pause" else "cancelled"
        except WorkbenchError as error:
            self.state, self.error = "failed", error
        except Exception:
            _log.exception("A job of kind %s has failed", self.kind)
            self.state, self.error = "failed", WorkbenchError()
        finally:
            self._ended.set()


class Jobs:
    """The jobs of all owners in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def start(self, owner: str, kind: str, subject: str, work: Callable[[Job], Any]) -> Job:
        """Runs `work` in the background; what it returns becomes the job's `result`. Returns at once."""
        job = Job(owner, kind, subject)
        with self._lock:
            self._jobs[job.id] = job
            ended = [one.id for one in self._jobs.values() if one.owner == owner and one.state != "running"]
            for id in ended[: max(len(ended) - KEPT, 0)]:
                del self._jobs[id]
        threading.Thread(target=job.run, args=(work,), name=f"{kind} {job.id[:6]}", daemon=True).start()
        return job

    def get(self, owner: str, id: str) -> Job:
        """Raises `NotThere` for another owner's."""
        with self._lock:
            job = self._jobs.get(id)
        if job is None or job.owner != owner:
            raise NotThere(what="job")
        return job

    def list(self, owner: str, *kinds: str) -> Sequence[Job]:
        """The owner's jobs of these kinds (none: of all), newest first."""
        with self._lock:
            return [
                job for job in reversed(self._jobs.values()) if job.owner == owner and (not kinds or job.kind in kinds)
            ]

    def forget(self, owner: str, id: str) -> None:
        """Cancels it and takes it from the list."""
        self.get(owner, id).cancel()
        with self._lock:
            del self._jobs[id]

    def close(self) -> None:
        """Pauses all, and waits for them a little."""
        with self._lock:
            running = [job for job in self._jobs.values() if job.state == "running"]
        for job in running:
            job.pause()
        deadline = time.monotonic() + STOP_LIMIT_S
        for job in running:
            job.wait(max(deadline - time.monotonic(), 0.0))
