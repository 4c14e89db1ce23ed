"""A model's process that is killed, stands still, talks nonsense or cannot start: an error in words, and a next one."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.errors import ModelDied, ModelLoadFailed, WorkbenchError
from core.events import Event, Finished, Idle, Prefill, Text
from core.models.local import wire
from core.models.local.engine import Engine
from core.models.local.shelf import LocalModel, Shelf
from tests.asking import request, text
from tests.faults.models import ENDLESS, SHORT, SMALL, answers, begun, model

pytestmark = pytest.mark.faults

LONG_PROMPT = request("Once upon a time there was a river. " * 400, max_tokens=8)


@pytest.fixture
def asked(shelf: Shelf, sound: Path) -> LocalModel:
    return model(shelf, sound)


def signalled(engine: Engine, number: signal.Signals) -> None:
    """Sends a signal; a deadly one has been deadly when this returns."""
    os.kill(engine.pid, number)
    while number == signal.SIGKILL and engine.alive:
        time.sleep(0.01)


def prefilling(model: LocalModel) -> Iterator[Event]:
    stream = model.stream(LONG_PROMPT)
    while not isinstance(next(stream), Prefill):
        pass
    return stream


def test_killed_while_loading(asked: LocalModel) -> None:
    engine = asked.engine()
    signalled(engine, signal.SIGSTOP)  # so that it is not loaded before it is killed
    stream = asked.stream(SHORT)
    next(stream)
    signalled(engine, signal.SIGKILL)
    with pytest.raises(ModelLoadFailed, match="SIGKILL"):
        list(stream)
    assert answers(asked)


def test_killed_while_reading_the_prompt(shelf: Shelf, smollm: Path) -> None:
    asked = shelf.model(model(shelf, smollm).info, smollm)
    stream = prefilling(asked)
    signalled(asked.engine(), signal.SIGKILL)
    with pytest.raises(ModelDied, match="SIGKILL"):
        list(stream)
    assert text(asked.stream(request(max_tokens=2)))


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT], ids=lambda s: s.name)
def test_killed_while_answering(shelf: Shelf, sound: Path, asked: LocalModel, deadly: signal.Signals) -> None:
    stream, came = begun(asked.stream(ENDLESS)), 0
    os.kill(asked.engine().pid, deadly)
    with pytest.raises(ModelDied, match=deadly.name):
        for event in stream:
            came += isinstance(event, Text)
    assert answers(asked)


def test_killed_while_idle(asked: LocalModel) -> None:
    assert answers(asked)
    signalled(asked.engine(), signal.SIGKILL)
    assert answers(asked)


def test_a_death_troubles_no_other_model(shelf: Shelf, smollm: Path, asked: LocalModel) -> None:
    other = begun(model(shelf, smollm).stream(request("Count.", max_tokens=40, ignore_end=True)))
    stream = begun(asked.stream(ENDLESS))
    signalled(asked.engine(), signal.SIGKILL)
    with pytest.raises(ModelDied):
        list(stream)
    assert isinstance(list(other)[-1], Finished)


def test_all_its_answers_hear_of_a_death_and_nobody_waits_for_ever(asked: LocalModel) -> None:
    heard: list[WorkbenchError] = []

    def ask() -> None:
        try:
            list(asked.stream(ENDLESS))
        except WorkbenchError as error:
            heard.append(error)

    stream = begun(asked.stream(ENDLESS))
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    engine = asked.engine()
    while engine.answering < 7:
        time.sleep(0.01)
    signalled(engine, signal.SIGKILL)
    for thread in threads:
        thread.join(timeout=60)
    assert [type(error) for error in heard] == [ModelDied] * 6
    with pytest.raises(ModelDied):
        list(stream)
    assert answers(asked)


def test_its_pipe_closed_while_answering(asked: LocalModel) -> None:
    stream = begun(asked.stream(ENDLESS))
    engine = asked.engine()
    assert engine._process.stdin is not None
    engine._process.stdin.close()
    with pytest.raises(ModelDied):
        list(stream)
    assert engine._process.wait(timeout=60) == 0
    assert answers(asked)


def test_one_that_stands_still_can_be_left_and_goes_on_later(asked: LocalModel) -> None:
    stream = begun(asked.stream(ENDLESS))
    engine = asked.engine()
    signalled(engine, signal.SIGSTOP)
    while not isinstance(next(stream), Idle):
        pass
    stream.close()  # type: ignore[attr-defined]
    assert engine.answering == 0
    signalled(engine, signal.SIGCONT)
    assert answers(asked)
    assert asked.engine() is engine


READY = wire.encode(wire.Ready(256, 128, 1, 300, True, True, 0.1)).decode()
PYTHON = sys.executable
WORKER = """#!{python}
import sys, time
sys.stdin.readline()
{words}
"""


@pytest.fixture
def impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What is started in a worker's place: write a program into it."""
    path = tmp_path / "impostor"
    path.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    yield path


def says(path: Path, words: str) -> None:
    path.write_text(WORKER.format(python=PYTHON, words=words), encoding="utf-8")


NONSENSE = {
    "no JSON": b"Segmentation fault (core dumped)\n",
    "not UTF-8": b'{"op":"Progress","fraction":"\xff\xfe"}\n',
    "no frame": b"[1, 2]\n",
    "an unknown frame": b'{"op":"Surprise"}\n',
    "a frame with something missing": b'{"op":"Events"}\n',
    "an empty line": b"\n",
    "deeper than anything": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_ends_the_process_that_says_it(sound: Path, impostor: Path, nonsense: bytes) -> None:
    ready = f"print({READY!r}, flush=True); sys.stdin.readline()"
    says(impostor, f"{ready}\nsys.stdout.buffer.write({nonsense!r}); sys.stdout.flush()\ntime.sleep(600)")
    engine = Engine(sound, name="impostor", settings=SMALL)
    try:
        list(engine.load())
        with pytest.raises(ModelDied, match="could not be read"):
            list(engine.stream(SHORT))
        assert not engine.alive
        engine._process.wait(timeout=60)
    finally:
        engine.close()


def test_nonsense_while_loading(sound: Path, impostor: Path) -> None:
    says(impostor, "print('Hello!', flush=True); time.sleep(600)")
    engine = Engine(sound, name="impostor", settings=SMALL)
    with pytest.raises(ModelDied, match="could not be read"):
        list(engine.load())
    engine.close()
    assert not psutil.pid_exists(engine.pid)


def test_half_a_frame_at_the_end_is_a_death(sound: Path, impostor: Path) -> None:
    says(impostor, f"sys.stdout.write({READY[:40]!r}); sys.stdout.flush(); print('no room', file=sys.stderr)")
    engine = Engine(sound, name="impostor", settings=SMALL)
    with pytest.raises(ModelLoadFailed, match="no room"):
        list(engine.load())
    engine.close()


def test_frames_of_requests_long_gone_are_nobodys(sound: Path, impostor: Path) -> None:
    gone = wire.encode(wire.Raised(99, {"error": "EmptyPrompt", "values": {}})).decode()
    done = wire.encode(wire.Tokenized(1, [7], ["x"])).decode()
    says(impostor, f"print({READY!r}, flush=True); sys.stdin.readline(); print({gone!r}); print({done!r}, flush=True)")
    engine = Engine(sound, name="impostor", settings=SMALL)
    list(engine.load())
    assert engine.tokenize("x").ids == [7]
    engine.close()


def test_a_process_that_cannot_be_started_says_why(
    shelf: Shelf, asked: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "nothing"))
        with pytest.raises(ModelLoadFailed, match="No such file"):
            answers(asked)
    assert shelf.loaded() == []
    assert answers(asked)
