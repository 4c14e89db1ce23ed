"""The workbench's own server for as long as a block lasts: `streamlit run app.py` on 127.0.0.1, with a data folder of
its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import ROOT, Plan, Unmeasurable

START_LIMIT_S = 60


@dataclass(frozen=True)
class Server:
    """A running server. `began`: `time.perf_counter` just before it was started. `home`: its data folder."""

    address: str
    pid: int
    began: float
    home: Path


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def workbench(plan: Plan) -> Iterator[Server]:
    """A server that listens."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(plan.app), "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        log = Path(home, "server.log")
        with log.open("wb") as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | {"WORKBENCH_HOME": home}, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                _wait_until_listening(process, port, log)
                yield Server(f"http://127.0.0.1:{port}/", process.pid, began, Path(home))
            finally:
                _end(process)


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Unmeasurable(f"the server does not listen: {log.read_text(errors='replace')[-500:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
