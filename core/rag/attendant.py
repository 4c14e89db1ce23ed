"""A process of its own that answers requests: started when it is first asked, ended when nobody has asked for a while.

So what is heavy (torch) or may fall over (a search index) is outside the server: its memory is given back, its end is
real, and its death is an error on the requests it had; the next one starts it again. Thread-safe: requests of several
threads are on their way at once. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import IO

import msgspec

from core import child
from core.child import ChildDied
from core.errors import WorkbenchError
from core.rag.wire import Answered, Asked

IDLE_S = 300.0
"""Seconds without a request after which the process is ended."""

_answers = msgspec.json.Decoder(Answered)


@dataclass(eq=False)
class _Process:
    """One life of the child."""

    popen: subprocess.Popen[bytes]
    stderr: IO[bytes]
    waiting: dict[int, Future[bytes]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Attendant:
    """`python -m module`, which gets `hello`, a line of JSON, first. environ: more variables for it."""

    def __init__(
        self, module: str, hello: bytes, *, idle_s: float = IDLE_S, environ: dict[str, str] | None = None
    ) -> None:
        self._module = module
        self._hello = hello
        self._idle_s = idle_s
        self._environ = environ or {}
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._numbers = itertools.count(1)
        self._asked_at = 0.0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        process = self._process
        return process.popen.pid if process is not None and process.popen.poll() is None else None

    def ask(self, body: bytes, *, limit_s: float | None = None) -> bytes:
        """The answer to a request. Raises the `WorkbenchError` that the worker raised, and `ChildDied`.

        limit_s: seconds after which the process is ended, for whatever may never come back.
        """
        number: int = next(self._numbers)
        process, future = self._send(number, msgspec.json.encode(Asked(number, msgspec.Raw(body))))
        try:
            return future.result(timeout=limit_s)
        except TimeoutError:
            self._end(process)
            raise ChildDied(f"it did not answer within {limit_s:.0f} s") from None
        finally:
            process.waiting.pop(number, None)

    def stop(self) -> None:
        """Ends the process; the next request starts another."""
        if (process := self._process) is not None:
            self._end(process)

    def close(self) -> None:
        """Ends the process for good."""
        with self._lock:
            self._closed = True
        self.stop()

    def _send(self, number: int, line: bytes) -> tuple[_Process, Future[bytes]]:
        future: Future[bytes] = Future()
        with self._lock:
            process = self._running()
            process.waiting[number] = future
            self._asked_at = time.monotonic()
        assert process.popen.stdin is not None
        try:
            with process.lock:
                process.popen.stdin.write(line + b"\n")
                process.popen.stdin.flush()
        except (OSError, ValueError):
            self._end(process)
        return process, future

    def _running(self) -> _Process:
        process = self._process
        if process is not None and process.popen.poll() is None:
            return process
        if self._closed:
            raise ChildDied("it was closed")
        stderr = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process is
        try:
            popen = subprocess.Popen(
                [sys.executable, "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=child.ROOT,
                env=os.environ | self._environ,
                # Ctrl-C in a terminal is for the server, which closes the pipe.
                process_group=0 if os.name == "posix" else None,
            )
            assert popen.stdin is not None
            popen.stdin.write(self._hello + b"\n")
            popen.stdin.flush()
        except OSError as error:
            raise ChildDied(error.strerror or "no process could be started") from error
        self._process = process = _Process(popen, stderr)
        threading.Thread(target=self._read, args=(process,), name=self._module, daemon=True).start()
        threading.Thread(target=self._watch, args=(process,), name=f"{self._module} idle", daemon=True).start()
        return process

    def _read(self, process: _Process) -> None:
        assert process.popen.stdout is not None
        with contextlib.suppress(OSError, ValueError, msgspec.DecodeError):
            for line in process.popen.stdout:
                answer = _answers.decode(line)
                future = process.waiting.pop(answer.id, None)
                self._asked_at = time.monotonic()
                if future is None:
                    continue
                if answer.error is not None:
                    future.set_exception(WorkbenchError.from_dict(answer.error))
                else:
                    future.set_result(bytes(answer.body))
        with contextlib.suppress(subprocess.TimeoutExpired):  # so that it is said how it ended by itself
            process.popen.wait(timeout=1.0)
        process.popen.kill()
        died = ChildDied(child.cause(process.popen.wait(), child.last_words(process.stderr)))
        with self._lock:
            waiting, process.waiting = list(process.waiting.values()), {}
        for future in waiting:
            if not future.done():
                future.set_exception(died)
        for pipe in (process.popen.stdin, process.popen.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _watch(self, process: _Process) -> None:
        """Ends the process when it has had nothing to do for long."""
        while process.popen.poll() is None:
            time.sleep(min(max(self._idle_s / 10, 0.05), 5.0))
            with self._lock:
                idle = not process.waiting and time.monotonic() - self._asked_at > self._idle_s
                if idle and self._process is process:
                    self._process = None
            if idle:
                self._end(process)

    def _end(self, process: _Process) -> None:
        """Closing the pipe lets it put things away; one that does not end by itself is killed."""
        with contextlib.suppress(OSError, ValueError):
            if process.popen.stdin is not None and not process.waiting:
                process.popen.stdin.close()
                process.popen.wait(timeout=2.0)
        process.popen.kill()
        process.popen.wait()
