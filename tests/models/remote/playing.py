"""Servers on loopback that answer as the files in recorded/ have it, each written from the documentation it names.

    with Playing("ollama") as server:
        detect(presets, …)          # `server.port`, `server.url`; `server.asked` holds what came

A file has `answers` by path, `POST /path` for those of a POST: `status`, and `json`, `text` or `html`; whatever is not
there is 404. `headers` are sent with every answer.
"""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

FOLDER = Path(__file__).parent / "recorded"
FAMILIES = {False: socket.AF_INET, True: socket.AF_INET6}
KINDS = {"json": "application/json", "text": "text/plain; charset=utf-8", "html": "text/html; charset=utf-8"}


def recorded(name: str) -> dict[str, Any]:
    """What a file holds."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    """Head and body leave together: apart, each answer waits 40 ms for TCP's delayed acknowledgement."""
    home: Playing

    def do_GET(self) -> None:  # the name is http.server's
        self.play("")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.play("POST ")

    def play(self, method: str) -> None:
        self.home.asked.append((self.command, self.path, {n.lower(): v for n, v in self.headers.items()}))
        answer = self.home.answers.get(
            method + urlsplit(self.path).path, {"status": 404, "json": {"error": "not found"}}
        )
        kind = next(kind for kind in KINDS if kind in answer)
        data = (json.dumps(answer[kind]) if kind == "json" else answer[kind]).encode()
        self.send_response(answer.get("status", 200))
        for header, value in {
            "Content-Type": KINDS[kind],
            "Content-Length": str(len(data)),
            **self.home.headers,
        }.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(data)

    def version_string(self) -> str:
        return "playing"

    def send_header(self, keyword: str, value: str) -> None:
        """A server has one name."""
        if keyword == "Server" and value == "playing" and "Server" in self.home.headers:
            return
        super().send_header(keyword, value)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Playing:
    """The server, running in a thread while the block lasts. `answers` takes the place of a file's."""

    def __init__(
        self,
        name: str = "",
        *,
        answers: dict[str, dict[str, Any]] | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        content = recorded(name) if name else {}
        self.answers: dict[str, dict[str, Any]] = content.get("answers", {}) | (answers or {})
        self.headers: dict[str, str] = content.get("headers", {})
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        kind = type("Server", (ThreadingHTTPServer,), {"address_family": FAMILIES[":" in address]})
        self._server: ThreadingHTTPServer = kind((address, port), type("Handler", (Handler,), {"home": self}))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://{address}:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
