"""A Hub on loopback: a real HTTP server that speaks as much of the Hugging Face Hub's API as GGUF files need.

    with LocalHub() as hub:
        hub.add(Repo("org/tiny-GGUF", {"tiny-Q8_0.gguf": path.read_bytes()}))
        Hub(Settings(home=…, hub=hub.url))

After https://huggingface.co/docs/hub/api and what huggingface_hub reads of its answers: listing,
one repository with its files, files by ranges with the Hub's headers, the redirect to a storage host, its error codes.
A repository's `fault` says what goes wrong. `hub.asked` holds what came.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
TOKEN = "hf_canary0123456789"
PIECE = 16 << 10


@dataclass
class Fault:
    """What goes wrong with the files of a repository. `times`: for how many requests; after them all is well."""

    times: int = 1_000_000
    cut_after: int | None = None
    """Bytes after which the connection is closed."""
    cut_at: int | None = None
    """The byte of the file at which the connection is closed: what is asked from there on brings nothing."""
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    no_ranges: bool = False
    shifted: bool = False
    """Another range than was asked for."""
    garbled: bool = False
    """A bit of the content is another one."""
    too_long: bool = False
    pause_s: float = 0.0
    """Between pieces."""


@dataclass
class Repo:
    """A repository. `sizes` are claimed in place of the real ones; `told` is added to what is said of it."""

    id: str
    files: dict[str, bytes] = field(default_factory=dict)
    gated: str | bool = False
    tags: tuple[str, ...] = ("gguf",)
    downloads: int = 0
    likes: int = 0
    modified: str = "2026-01-02T03:04:05.000Z"
    gguf: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    fault: Fault = field(default_factory=lambda: Fault(times=0))
    commit: str = COMMIT

    def __post_init__(self) -> None:
        self.files = dict(self.files)  # what a test does to it is no other test's matter

    def described(self, *, files: bool) -> dict[str, Any]:
        said: dict[str, Any] = {
            "id": self.id,
            "modelId": self.id,
            "author": self.id.split("/")[0],
            "sha": self.commit,
            "gated": self.gated,
            "private": False,
            "downloads": self.downloads,
            "likes": self.likes,
            "lastModified": self.modified,
            "tags": list(self.tags),
            "gguf": self.gguf,
            "cardData": self.card,
        }
        if files:
            said["siblings"] = [self._file(name, data) for name, data in self.files.items()]
        return said | self.told

    def _file(self, name: str, data: bytes) -> dict[str, Any]:
        size, sha256 = self.sizes.get(name, len(data)), hashlib.sha256(data).hexdigest()
        lfs = {"size": size, "sha256": sha256, "pointerSize": 134}
        return {"rfilename": name, "size": size, "blobId": "b" * 40, "lfs": lfs if name.endswith(".gguf") else None}


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


class LocalHub:
    """The server, on a free port. `storage`: another Hub to whose address files are redirected, as to a CDN."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.asked: list[Asked] = []
        self.storage: str | None = None
        self.broken: tuple[int, dict[str, str], bytes] | None = None
        handler = type("Bound", (Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def add(self, repo: Repo) -> Repo:
        self.repos[repo.id] = repo
        return repo

    def ranges(self, name: str) -> list[str]:
        """The ranges that were asked of a file, in order; "" is all of it."""
        return [a.headers.get("range", "") for a in self.asked if a.method == "GET" and a.path.endswith(f"/{name}")]

    def reset(self) -> None:
        self.repos.clear()
        self.asked.clear()
        self.storage = self.broken = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    hub: LocalHub

    def do_HEAD(self) -> None:  # the names are http.server's
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.asked.append(Asked(self.command, path, query, headers))
        with suppress(OSError):
            if path == "/":
                self._say(200, b"", "text/html")
            elif self.hub.broken is not None:
                status, extra, body = self.hub.broken
                self._say(status, body, "text/html", **extra)
            elif path == "/api/models":
                self._json(self._listed(query))
            elif path.startswith("/api/models/"):
                self._one(path.removeprefix("/api/models/"))
            else:
                self._file(path)

    def _listed(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        def one(name: str) -> str:
            return query.get(name, [""])[0]

        text, author = one("search").lower(), one("author")
        wanted = [
            repo
            for repo in self.hub.repos.values()
            if text in repo.id.lower()
            and author in ("", repo.id.split("/")[0])
            and set(query.get("filter", [])) <= set(repo.tags)
            and _within(repo.gguf.get("total"), one("num_parameters"))
        ]
        keys: dict[str, Callable[[Repo], Any]] = {
            "downloads": lambda repo: repo.downloads,
            "likes": lambda repo: repo.likes,
            "lastModified": lambda repo: repo.modified,
        }
        if one("sort") in keys:
            wanted.sort(key=keys[one("sort")], reverse=True)
        return [repo.described(files=False) for repo in wanted][: int(one("limit") or 1000)]

    def _one(self, id: str) -> None:
        repo = self.hub.repos.get(id)
        if repo is None:
            self._refuse(401, "RepoNotFound", "Repository not found")
        else:
            self._json(repo.described(files=True))

    def _file(self, path: str) -> None:
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        repo = self.hub.repos.get(found[1]) if found else None
        if found is None or repo is None:
            self._refuse(401, "RepoNotFound", "Repository not found")
        elif repo.gated and self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._refuse(401, "GatedRepo", "Access to this model is restricted")
        elif found[3] not in repo.files or found[2] not in (repo.commit, "main"):
            self._refuse(404, "EntryNotFound", "Entry not found")
        elif self.hub.storage is not None:
            data = repo.files[found[3]]
            self._say(
                302,
                b"",
                "text/plain",
                **{
                    "Location": f"{self.hub.storage}{path}",
                    "X-Repo-Commit": repo.commit,
                    "X-Linked-Etag": f'"{hashlib.sha256(data).hexdigest()}"',
                    "X-Linked-Size": str(len(data)),
                },
            )
        else:
            self._send(repo, repo.files[found[3]])

    def _send(self, repo: Repo, data: bytes) -> None:
        fault = repo.fault
        if fault.times <= 0:
            fault = Fault()
        repo.fault.times -= 1
        if fault.status is not None:
            self._refuse(fault.status, "", "", **fault.headers)
            return
        if fault.garbled:
            data = data[:-1] + bytes([data[-1] ^ 1])
        whole, start, end = len(data), 0, len(data)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        ranged = asked is not None and not fault.no_ranges
        if asked is not None and ranged:
            start, end = int(asked[1]) + fault.shifted, min(int(asked[2] or whole) + 1, whole)
            if start >= whole:
                self._refuse(416, "", "")
                return
        body = data[start:end] + (b"more" if fault.too_long else b"")
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{whole}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", repo.commit)
        self.end_headers()
        if self.command == "HEAD":
            return
        most = fault.cut_after if fault.cut_at is None else max(fault.cut_at - start, 0)
        body = body[:most]
        for at in range(0, len(body), PIECE):
            self.wfile.write(body[at : at + PIECE])
            if fault.pause_s:
                self.wfile.flush()
                time.sleep(fault.pause_s)
        if most is not None:
            self.close_connection = True

    def _refuse(self, status: int, code: str, message: str, **headers: str) -> None:
        extra = {"X-Error-Code": code, "X-Error-Message": message} if code else {}
        self._say(status, json.dumps({"error": message}).encode(), "application/json", **extra, **headers)

    def _json(self, value: object) -> None:
        self._say(200, json.dumps(value).encode(), "application/json")

    def _say(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _within(total: int | None, wanted: str) -> bool:
    units = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    parts = [part.split(":") for part in wanted.split(",") if part]
    ends = {name: float(value[:-1]) * units[value[-1]] for name, value in parts}
    if not ends:
        return True
    return total is not None and ends.get("min", 0) <= total <= ends.get("max", 1e15)
