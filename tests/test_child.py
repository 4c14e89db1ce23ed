"""A process of its own: its frames as they come, its end, and what is said when it dies."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import psutil
import pytest

from core import child
from core.child import ChildDied, frames, started

PROGRAM = """
import json, os, signal, sys, time
task = json.loads(sys.stdin.readline())
for number in range(task.get("say", 0)):
    print(json.dumps({"number": number, "pid": os.getpid()}), flush=True)
if task.get("noise"): print("no JSON at all", flush=True)
if task.get("words"): print(task["words"], file=sys.stderr, flush=True)
if task.get("sleep"): time.sleep(task["sleep"])
if task.get("kill"): os.kill(os.getpid(), signal.SIGSEGV)
sys.exit(task.get("code", 0))
"""
decode = msgspec.json.Decoder(dict[str, int]).decode


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spoken.py").write_text(PROGRAM)
    monkeypatch.setattr(child, "ROOT", tmp_path)


def task(**values: object) -> bytes:
    return msgspec.json.encode(values)


def test_frames_come_in_order_and_it_ends_by_itself() -> None:
    assert [frame["number"] for frame in frames("spoken", task(say=3), decode)] == [0, 1, 2]


def test_a_child_that_fails_says_its_last_words() -> None:
    with pytest.raises(ChildDied, match="exit code 3: no room left"):
        list(frames("spoken", task(say=1, words="no room left", code=3), decode))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_child_that_crashes_is_named_by_its_signal() -> None:
    with pytest.raises(ChildDied, match="SIGSEGV"):
        list(frames("spoken", task(kill=True), decode))


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ChildDied, match="could not be read"):
        list(frames("spoken", task(noise=True, sleep=60), decode))


def test_closing_the_iterator_ends_the_child() -> None:
    with closing(frames("spoken", task(say=1, sleep=60), decode)) as spoken:
        pid = next(spoken)["pid"]
        assert pid != os.getpid()
    assert not psutil.pid_exists(pid)


def test_one_is_started_before_there_is_a_task() -> None:
    with started("spoken") as spoken:
        assert [frame["number"] for frame in spoken.frames(task(say=2), decode)] == [0, 1]


def test_one_that_gets_no_task_ends_with_the_block() -> None:
    with started("spoken"):
        (pid,) = [one.pid for one in psutil.Process().children() if "spoken" in one.cmdline()]
    assert not psutil.pid_exists(pid)


def test_one_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ChildDied, match="within 1 s"):
        list(frames("spoken", task(sleep=60), decode, limit_s=1.0))
