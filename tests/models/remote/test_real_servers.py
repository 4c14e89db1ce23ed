"""Real servers are found, described and tested: llama.cpp's own, llama-cpp-python's, and ours.

The first two are not everywhere, and are skipped where they are not; what they say is played in the other tests.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.models.remote import checking, listing, native, presets, probe
from core.models.remote.endpoint import Endpoint, Timeouts, endpoint
from core.models.remote.probe import UNNAMED, Detected
from tests.api.serving import serve
from tests.e2e.serving import free_port
from tests.gguf.making import tiny

PATIENCE_S = 60.0
TIMEOUTS = Timeouts(connect_s=5.0, read_s=30.0)
EXTRAS = ("fastapi", "sse_starlette", "starlette_context", "pydantic_settings")
"""What llama-cpp-python's server needs beside llama-cpp-python."""


def found(port: int) -> list[Detected]:
    """What the probe finds at this port of this machine."""
    known = [replace(preset, ports=(port,)) for preset in presets.all() if preset.kind == "machine"]
    return probe.detect(known, timeout=20.0, local_only=True)


def at(base_url: str) -> Endpoint:
    return endpoint(base_url, provider="Here", timeouts=TIMEOUTS)


def states(base_url: str, name: str | None = None) -> dict[str, str]:
    """How the steps of the connection test end, but for whether it streams: that is the model's to show."""
    ended = {step.name: step.state for step in checking.steps(at(base_url), name)}
    assert ended.pop("streaming")
    return ended


@contextmanager
def running(command: list[str], port: int) -> Iterator[str]:
    """A server, from the moment it lists its models; its base URL."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(f"http://127.0.0.1:{port}/v1/models"):
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def llama_server(smollm: Path) -> Iterator[str]:
    tools = os.environ.get("LLAMA_CPP_TOOLS")
    if not tools:
        pytest.skip("LLAMA_CPP_TOOLS names no folder with llama-server (benchmarks/build_llamacpp.py makes one)")
    port = free_port()
    command = [str(Path(tools) / "llama-server"), "-m", str(smollm), "--port", str(port), "--host", "127.0.0.1"]
    with running([*command, "-c", "2048", "--parallel", "2", "--threads", "1"], port) as url:
        yield url


def test_llama_cpp_s_own_server_is_found(llama_server: str) -> None:
    (one,) = found(int(llama_server.split(":")[2].split("/")[0]))
    assert (one.base_url, one.preset_id, one.models, one.needs_key) == (llama_server, "llamacpp", 1, False)
    assert one.version


def test_llama_cpp_s_own_server_is_described(llama_server: str) -> None:
    (listed,) = listing.models(at(llama_server))
    told = native.describe(at(llama_server), presets.get("llamacpp"), listed.info.name)
    assert listed.unsupported == frozenset()
    assert (told.context_length, told.trained_context) == (listed.info.context_length, 8192)
    assert (told.parameters, told.slots, told.busy, told.chat_template) == (134_515_008, 2, 0, True)
    assert told.size_bytes == listed.info.size_bytes and told.quantization


def test_llama_cpp_s_own_server_passes_the_test(llama_server: str) -> None:
    assert set(states(llama_server).values()) == {"done"}


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in EXTRAS), reason="llama_cpp.server's extras are not installed"
)
def test_llama_cpp_python_s_own_server(smollm: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(smollm), "--port", str(port)]
    with running([*command, "--n_ctx", "1024", "--n_threads", "1"], port) as url:
        (one,) = found(port)
        ended = states(url)
    assert (one.base_url, one.preset_id, one.name, one.models) == (url, None, UNNAMED, 1)
    assert ended.pop("usage") == "failed", "it has no stream_options"
    assert set(ended.values()) == {"done"}


def test_our_own_api_passes_the_test_and_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    model = tiny(tmp_path / "models" / "tiny.gguf")
    with serve(tmp_path) as ours:
        assert set(states(ours.base_url, str(model)).values()) == {"done"}
        assert found(ours.port) == []


def test_our_own_api_with_a_key_is_known_too(tmp_path: Path) -> None:
    with serve(tmp_path, environ={"WORKBENCH_API_KEY": "sk-canary"}) as ours:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{ours.base_url}/models", timeout=PATIENCE_S)
        assert found(ours.port) == []
