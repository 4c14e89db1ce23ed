"""A process of its own for one piece of work that must not take the server with it: quantizing, measuring, reading.

The child is `python -m MODULE`; it takes one line of JSON on its standard input and says frames, a line of JSON each,
on its standard output. It ends when it is done, or is ended with the iterator that reads it. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

import msgspec

ROOT = Path(__file__).resolve().parents[1]
QUIET = {"GGML_NO_BACKTRACE": "1"}
"""A failed assertion is the last line that the process says, not the debugger's."""

LAST_WORDS = 4000
"""Bytes at the end of its standard error in which the last line is looked for."""

F = TypeVar("F")


class ChildDied(Exception):  # says what happened
    """The child ended otherwise than by being done: how, and its last words. For its caller to put into an error of
    core/errors."""


def frames(module: str, task: bytes, decode: Callable[[bytes], F], *, limit_s: float | None = None) -> Generator[F]:
    """Runs the child and gives its frames as they come. Closing the iterator ends the child.

    task: one line of JSON. limit_s: seconds after which it is ended, whatever it does. Raises `ChildDied`.
    """
    with started(module) as child:
        yield from child.frames(task, decode, limit_s=limit_s)


@contextmanager
def started(module: str) -> Iterator[Child]:
    """A child that has no task yet: its start takes longer than many a check of what it will be given. Ended with the
    block. Raises `ChildDied`."""
    with tempfile.TemporaryFile() as stderr:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=ROOT,
                env=QUIET | os.environ,
                process_group=0 if os.name == "posix" else None,
            )
        except OSError as error:
            raise ChildDied(error.strerror or "no process could be started") from error
        child = Child(process, stderr)
        try:
            yield child
        finally:
            child.end()


class Child:
    """A process of `started`, for one task."""

    def __init__(self, process: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
        self._process = process
        self._stderr = stderr

    def frames(self, task: bytes, decode: Callable[[bytes], F], *, limit_s: float | None = None) -> Generator[F]:
        """As the module's `frames`."""
        process = self._process
        began = time.monotonic()
        timer = threading.Timer(limit_s, process.kill) if limit_s is not None else None
        if timer is not None:
            timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            with contextlib.suppress(OSError):  # it has died already, and says why below
                process.stdin.write(task + b"\n")
                process.stdin.flush()
            for line in process.stdout:
                yield decode(line)
            code = process.wait()
        except msgspec.DecodeError as error:
            raise ChildDied("what it said could not be read") from error
        finally:
            if timer is not None:
                timer.cancel()
            self.end()
        if code:
            if limit_s is not None and time.monotonic() - began >= limit_s:
                raise ChildDied(f"it did not end within {limit_s:.0f} s")
            raise ChildDied(cause(code, last_words(self._stderr)))

    def end(self) -> None:
        """Ends it, whatever it does; it is gone afterwards."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def last_words(stderr: IO[bytes]) -> str:
    """The last line that is not blank of what a process wrote to its standard error."""
    try:
        stderr.seek(0, 2)
        stderr.seek(max(stderr.tell() - LAST_WORDS, 0))
        lines = stderr.read().decode("utf-8", errors="replace").split("\n")
    except (ValueError, OSError):  # already closed
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def cause(code: int, words: str) -> str:
    """How a process ended, for an error's detail: its signal or exit code, and its last words."""
    if code < 0:
        try:
            said = f"signal {signal.Signals(-code).name}"
        except ValueError:
            said = f"signal {-code}"
    else:
        said = f"exit code {code}"
    return f"{said}: {words[:200]}" if words else said
