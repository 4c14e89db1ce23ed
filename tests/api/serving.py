"""`python -m core serve` for as long as a block lasts, and words to talk to it with plain sockets."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


@dataclass(frozen=True)
class Served:
    """A running server. `base_url` ends in /v1."""

    base_url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return int(urlsplit(self.base_url).port or 0)

    def ask(
        self, path: str, body: object = None, *, method: str = "", headers: Mapping[str, str] | None = None
    ) -> Answered:
        """One request; a body that is not bytes goes as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method or ("GET" if data is None else "POST"), path, data, dict(headers or {}))
            response = connection.getresponse()
            return Answered(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def open(self, path: str, body: object) -> socket.socket:
        """A connection that has asked, and from which nothing has been read."""
        data = json.dumps(body).encode()
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data)
        return connection

    def figure(self, name: str) -> float:
        """A figure of /metrics by its name and labels; 0 where it is not told."""
        text = self.ask("/metrics").body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


@contextmanager
def serve(home: Path, *options: str, environ: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A server on a free port of 127.0.0.1, unless the options say otherwise."""
    command = [sys.executable, "-m", "core", "serve", "--port", "0", "--json", *options]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**inherited, "WORKBENCH_HOME": str(home), **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said, "the server has ended"
        yield Served(json.loads(said)["base_url"], process)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def events(body: bytes) -> list[str]:
    """The data of each server-sent event."""
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") for block in blocks)
    return [block.removeprefix("data: ") for block in blocks]


def until(condition: Callable[[], object]) -> None:
    """Waits for the condition; fails when it has not come true in time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
