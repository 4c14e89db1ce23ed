"""A Chroma server holds the index, by a setting: a real one, started for the test."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from core import settings
from core.errors import SettingInvalid
from core.rag.index import SearchIndex
from tests.rag.test_index import PATIENCE_S, Shelf, unit


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("chroma")
    command = [str(program), "run", "--path", str(tmp_path / "chroma"), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE_S
    while True:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.1)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()


def test_two_workbenches_search_one_server_and_its_loss_is_no_loss(server: str, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.index = SearchIndex(shelf.chunks, tmp_path / "index", server=server)
    other = SearchIndex(shelf.chunks, tmp_path / "index", server=server)
    vectors = unit(30)
    shelf.put("a", vectors)
    assert shelf.index.ours() and other.ours()
    shelf.sync()
    shelf.agrees(vectors)
    assert other.sync("ana", shelf.collection)
    assert other.search("ana", shelf.collection, vectors[3], limit=1)[0][1] == pytest.approx(1.0, abs=1e-5)
    assert not (tmp_path / "index").exists(), "nothing is written here"
    shelf.index.forget(shelf.collection.build.id)
    assert shelf.search(vectors[3])[0] == "a 3", "the database is searched"
    shelf.sync()
    shelf.agrees(vectors)
    shelf.index.close()
    other.close()


def test_a_server_that_is_not_there_ends_no_search(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.index = SearchIndex(shelf.chunks, tmp_path / "index", server="127.0.0.1:9")
    shelf.put("a", unit(5))
    assert shelf.search(unit(5)[2])[0] == "a 2"
    assert not shelf.index.sync("ana", shelf.collection)
    shelf.index.close()


@pytest.mark.parametrize("value", ["localhost", "localhost:x", ":8000", "localhost:99999"])
def test_an_address_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingInvalid):
        settings.from_environment({"WORKBENCH_CHROMA": value})


def test_the_setting_is_read() -> None:
    assert settings.from_environment({"WORKBENCH_CHROMA": " chroma.example:8000 "}).chroma == "chroma.example:8000"
    assert settings.from_environment({}).chroma == ""
