"""A model's process as its pipe shows it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.events import Finished
from core.llamacpp.worker import SILENCE_S
from core.messages import ChatRequest, Message, Sampling
from core.models.local import wire
from core.models.local.model_settings import ModelSettings

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def started(path: Path) -> Iterator[tuple[Callable[[wire.ToWorker], None], Iterator[wire.FromWorker]]]:
    """A process with the model loaded: what frames are said to it with, and those that it says, but for its loading."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "core.llamacpp.worker"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert worker.stdin is not None and worker.stdout is not None
    pipe = worker.stdin

    def say(frame: wire.ToWorker) -> None:
        pipe.write(wire.encode(frame) + b"\n")
        pipe.flush()

    try:
        say(wire.Load(str(path), "SmolLM2", ModelSettings(context_length=1024)))
        frames = map(wire.decode_from_worker, worker.stdout)
        assert any(isinstance(frame, wire.Ready) for frame in frames)
        yield say, frames
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.model
def test_a_prompt_that_was_made_is_told_before_it_is_read(smollm: Path) -> None:
    """On a busy machine reading takes long, and whoever hears nothing takes it for a template that does not end."""
    messages = (Message("user", "What is the capital of France? " * 40),)
    request = ChatRequest(messages=messages, sampling=Sampling(temperature=0.0), max_tokens=1)
    with started(smollm) as (said, frames):
        said(wire.Start(1, request, time.perf_counter()))
        told: list[wire.FromWorker] = []
        for frame in frames:
            told.append(frame)
            if isinstance(frame, wire.Events) and isinstance(frame.items[-1][1], Finished):
                break
    assert told[0] == wire.Prepared(1) and all(isinstance(frame, wire.Events) for frame in told[1:])


@pytest.mark.model
def test_what_is_announced_is_read_together_with_what_has_come(smollm: Path) -> None:
    """Later than the silence after which nothing more is expected."""
    with started(smollm) as (said, told):
        for attempt in range(5):  # one of them without this process being held up
            first, second = 2 * attempt + 1, 2 * attempt + 2
            said(wire.Start(first, short(70 + attempt), time.perf_counter(), more=True))
            time.sleep(2 * SILENCE_S)
            said(wire.Start(second, short(90 + attempt), time.perf_counter()))
            ended: list[set[int]] = []
            while sum(map(len, ended)) < 2:
                frame = next(told)
                if isinstance(frame, wire.Events):
                    ended.append({number for number, event in frame.items if isinstance(event, Finished)})
            if {first, second} in ended:
                return
    raise AssertionError("each was read alone")


def short(token: int) -> ChatRequest:
    return ChatRequest(prompt=(token, 5, 6), max_tokens=1)
