"""llama.cpp's own tools, the yardstick: where they are, llama-bench's figures, a llama-server for a block.

LLAMA_CPP_TOOLS   folder with llama-bench and llama-server; default: where benchmarks/build_llamacpp.py puts them
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figure import Plan, Unmeasurable
from benchmarks.server import free_port

TOOLS = ("llama-bench", "llama-server", "llama-perplexity", "llama-quantize")
FLASH_ATTENTION = "auto"
"""llama.cpp's own default."""

BENCH_LIMIT_S = 600
SERVER_LIMIT_S = 120


def version() -> str:
    """Of llama-cpp-python, as it is installed."""
    return importlib.metadata.version("llama-cpp-python")


def home() -> Path:
    """The folder that the tools' source and build of this version go to, outside the repository."""
    from platformdirs import user_cache_path

    return user_cache_path("inference-workbench", appauthor=False) / f"llama.cpp-{version()}"


def folder() -> Path:
    """The folder the tools are in, or will be."""
    named = os.environ.get("LLAMA_CPP_TOOLS")
    return Path(named).expanduser() if named else home() / "build" / "bin"


def tool(name: str) -> Path:
    """The path of one of `TOOLS`. Raises `Unmeasurable`."""
    for path in (folder() / name, folder() / "Release" / f"{name}.exe", folder() / f"{name}.exe"):
        if path.is_file():
            return path
    raise Unmeasurable(f"{name} is not in {folder()}. Build it first: python -m benchmarks.build_llamacpp")


def bench(
    plan: Plan, *, prompt: int = 0, generate: int = 0, depth: int = 0, flash_attention: str = FLASH_ATTENTION
) -> float:
    """Tokens a second of one llama-bench test: `pp{prompt}` or `tg{generate}`, after `depth` others, warmed up by
    itself."""
    command = [tool("llama-bench"), "-m", plan.model, "-p", prompt, "-n", generate, "-r", 1, "-t", plan.threads]
    command += ["-d", depth, "-fa", flash_attention, "-o", "json"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=BENCH_LIMIT_S)
    if done.returncode:
        raise Unmeasurable(f"llama-bench ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return rate(done.stdout)


def rate(output: str) -> float:
    """The tokens a second in llama-bench's JSON of a single test."""
    (test,) = json.loads(output)
    return float(test["avg_ts"])


@contextmanager
def server(plan: Plan, *, context: int) -> Iterator[int]:
    """The port of a llama-server with `plan.parallel` slots and a context of `context` tokens for all of them."""
    port = free_port()
    command = [tool("llama-server"), "-m", plan.model, "-t", plan.threads, "--parallel", plan.parallel, "-c", context]
    command += ["-fa", FLASH_ATTENTION, "--host", "127.0.0.1", "--port", port, "--no-ui"]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_ready(process, port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + SERVER_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unmeasurable(f"llama-server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise Unmeasurable(f"llama-server was not ready after {SERVER_LIMIT_S} s")
