"""Real servers and a real browser for the tests: started, waited for, ended. Knows nothing of any page.

A server is a process of its own on a free port of 127.0.0.1, with a data folder of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

from scripts import browser as system

ROOT = Path(__file__).resolve().parents[2]

PATIENCE_S = 60.0
"""Seconds until a test gives up waiting for what must come."""


@dataclass(frozen=True)
class Server:
    """A running server. `address` ends in a slash."""

    address: str
    port: int
    process: subprocess.Popen[bytes]

    def workers(self) -> list[psutil.Process]:
        """The models' processes."""
        return workers_of(self.process.pid)


def hears_ctrl_c() -> None:
    """For a child that begins: a test run in the background of a shell has Ctrl-C ignored, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def serve(
    script: str, *options: str, base: str = "", port: int | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """`streamlit run script` on a free port, or on the given one. No model's process is left when it has ended."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}", *options]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})}, stdout=subprocess.DEVNULL
    )
    server = Server(f"http://127.0.0.1:{port}/{base}", port, process)
    workers: list[psutil.Process] = []
    try:
        until(lambda: _healthy(server))
        yield server
        workers = server.workers()
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
    until(lambda: not any(worker.is_running() for worker in workers))


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium where there is one, else Playwright's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=system.executable(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


def until(condition: Callable[[], object], *, seconds: float = PATIENCE_S) -> None:
    """Waits for the condition; fails when it has not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def workers_of(pid: int) -> list[psutil.Process]:
    """The models' processes among the descendants of a process; none when it has gone."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if _is_worker(child)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "core.llamacpp.worker" in process.cmdline()
    except psutil.Error:
        return False


def _healthy(server: Server) -> bool:
    assert server.process.poll() is None, "the server has ended"
    try:
        return bool(urllib.request.urlopen(f"{server.address}_stcore/health", timeout=2).status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
