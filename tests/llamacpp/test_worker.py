"""A model's process as its pipe shows it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.events import Finished
from core.messages import ChatRequest, Message, Sampling
from core.models.local import wire
from core.models.local.model_settings import ModelSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.model
def test_a_prompt_that_was_made_is_told_before_it_is_read(smollm: Path) -> None:
    """On a busy machine reading takes long, and whoever hears nothing takes it for a template that does not end."""
    messages = (Message("user", "What is the capital of France? " * 40),)
    request = ChatRequest(messages=messages, sampling=Sampling(temperature=0.0), max_tokens=1)
    worker = subprocess.Popen(
        [sys.executable, "-m", "core.llamacpp.worker"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert worker.stdin is not None and worker.stdout is not None
        for sent in (
            wire.Load(str(smollm), "SmolLM2", ModelSettings(context_length=1024)),
            wire.Start(1, request, time.perf_counter()),
        ):
            worker.stdin.write(wire.encode(sent) + b"\n")
            worker.stdin.flush()
        told: list[wire.FromWorker] = []
        for line in worker.stdout:
            frame = wire.decode_from_worker(line)
            if not isinstance(frame, wire.Progress | wire.Ready):
                told.append(frame)
            if isinstance(frame, wire.Events) and isinstance(frame.items[-1][1], Finished):
                break
    finally:
        worker.kill()
        worker.communicate()
    assert told[0] == wire.Prepared(1) and all(isinstance(frame, wire.Events) for frame in told[1:])
