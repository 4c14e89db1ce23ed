"""An embedding offered from the Hub: downloaded from a server that speaks as the Hub does, without any program."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from core.errors import EmbeddingMissing
from core.rag import embed
from core.rag.embed import DEFAULT, OFFERS
from core.workbench import Workbench
from tests.rag.conftest import OWNER

ID = OFFERS[1].id
COMMIT = "0" * 40


class Hub(BaseHTTPRequestHandler):
    """The default model under another name, and what nobody should load beside it."""

    files: dict[str, bytes]
    taken: list[str]

    def do_GET(self) -> None:  # the name is http.server's
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(f"/api/models/{ID}"):
            siblings = [{"rfilename": name} for name in self.files]
            tree = [{"type": "file", "path": n, "size": len(d), "oid": "0" * 40} for n, d in self.files.items()]
            about = {"id": ID, "sha": COMMIT, "siblings": siblings, "private": False, "tags": [], "downloads": 0}
            data, name = json.dumps(tree if "/tree/" in path else about).encode(), ""
        else:
            name = path.partition(f"/resolve/{COMMIT}/")[2] or path.partition("/resolve/main/")[2]
            data = self.files.get(name, b"")
            if name and body:
                self.taken.append(name)
        self.send_response(200 if data or name in self.files else 404)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/octet-stream" if name else "application/json")
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    folder = embed.packaged()
    assert folder is not None
    Hub.files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    Hub.files |= {"modeling.py": b"raise SystemExit", "pytorch_model.bin": b"a pickle", "onnx/model.onnx": b"large"}
    Hub.taken = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_model_of_the_hub_is_downloaded_and_used(workbench: Workbench, hub: str) -> None:
    embeddings = workbench.collections.embeddings
    with pytest.raises(EmbeddingMissing):
        embeddings.get(OWNER, ID)
    embeddings.download(ID, endpoint=hub)
    assert ID in embeddings.here()
    assert {"model.safetensors", "tokenizer.json", "1_Pooling/config.json"} <= set(Hub.taken)
    assert not {"modeling.py", "pytorch_model.bin", "onnx/model.onnx"} & set(Hub.taken)
    given = embeddings.get(OWNER, ID)
    assert given.embed(["A cat."]) == pytest.approx(embeddings.get(OWNER, DEFAULT).embed(["passage: A cat."]), abs=1e-5)
    asked = given.embed(["A cat."], question=True)
    assert asked == pytest.approx(embeddings.get(OWNER, DEFAULT).embed(["query: A cat."]), abs=1e-5)
    assert not np.allclose(asked, given.embed(["A cat."]))


def test_a_hub_that_cannot_be_reached_leaves_nothing(workbench: Workbench, tmp_path: Path) -> None:
    with pytest.raises(EmbeddingMissing):
        workbench.collections.embeddings.download(OFFERS[2].id, endpoint="http://127.0.0.1:9")
    assert OFFERS[2].id not in workbench.collections.embeddings.here()
    with pytest.raises(EmbeddingMissing):
        workbench.collections.embeddings.download("somebody/anything", endpoint="http://127.0.0.1:9")
