"""The search index is brought to what the database holds, whatever became of it: real Chroma in its own process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.rag.index import SearchIndex
from core.rag.values import Build, Collection, Span
from core.store.chunks import Chunks
from core.store.database import Database
from core.store.documents import Documents

OWNER = "ana"
PATIENCE_S = 60
ROOT = Path(__file__).parents[2]


class Shelf:
    """A collection in a database, and the index over it."""

    def __init__(self, folder: Path) -> None:
        self.db = Database(folder / "workbench.db")
        self.documents, self.chunks = Documents(self.db), Chunks(self.db)
        self.folder = folder / "index"
        self.id = self.documents.create(OWNER, "c", embedding="e", chunker="pages", size=50, overlap=0).id
        self.index = SearchIndex(self.chunks, self.folder)

    @property
    def collection(self) -> Collection:
        return self.documents.get(OWNER, self.id)

    def put(self, name: str, vectors: np.ndarray, build: Build | None = None) -> None:
        """A document with a chunk a vector."""
        found, _ = self.documents.register(OWNER, self.id, name=name, media_type="", hash=name, size=1)
        spans = [Span(f"{name} {number}", number, number + 1, 1) for number in range(len(vectors))]
        self.chunks.put(OWNER, self.id, (build or self.collection.build).id, found.id, spans, vectors)

    def sync(self) -> None:
        assert self.index.sync(OWNER, self.collection)

    def search(self, vector: np.ndarray, limit: int = 5) -> list[str]:
        """The texts that are found."""
        found = self.index.search(OWNER, self.collection, vector, limit=limit)
        by_id = self.chunks.some(OWNER, self.id, [id for id, _ in found])
        return [by_id[id].text for id, _ in found]

    def agrees(self, vectors: np.ndarray) -> None:
        """The index gives what the vectors themselves give, and it is the index that gives it."""
        assert self.index.synced(self.collection)
        for vector in vectors[:5]:
            given = self.index.search(OWNER, self.collection, vector, limit=5)
            exact = self.index._exact(OWNER, self.collection, vector, 5)
            assert [id for id, _ in given] == [id for id, _ in exact]
            assert [score for _, score in given] == pytest.approx([score for _, score in exact], abs=1e-5)
        assert self.index.synced(self.collection)


def unit(number: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(number, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.index.close()
    made.db.close()


def test_it_finds_what_the_vectors_say_and_follows_every_change(shelf: Shelf) -> None:
    first, second = unit(40), unit(30, seed=1)
    shelf.put("a", first)
    assert shelf.search(first[7])[0] == "a 7", "before there is an index, the database is searched"
    shelf.sync()
    shelf.agrees(first)
    shelf.put("b", second)
    assert not shelf.index.synced(shelf.collection)
    assert shelf.search(second[3])[0] == "b 3"
    shelf.sync()
    shelf.agrees(second)
    shelf.documents.remove(OWNER, shelf.id, [shelf.documents.documents(OWNER, shelf.id)[0].id])
    assert all(text.startswith("b") for text in shelf.search(first[7]))
    shelf.sync()
    shelf.agrees(second)


def test_a_folder_that_was_deleted_is_made_again_without_embedding(shelf: Shelf) -> None:
    vectors = unit(30)
    shelf.put("a", vectors)
    shelf.sync()
    shelf.index.close()
    shutil.rmtree(shelf.folder)
    shelf.index = SearchIndex(shelf.chunks, shelf.folder)
    shelf.sync()
    shelf.agrees(vectors)


def test_a_damaged_folder_is_made_again(shelf: Shelf) -> None:
    vectors = unit(30)
    shelf.put("a", vectors)
    shelf.sync()
    shelf.index.close()
    for file in shelf.folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"no database" * 100)
    shelf.index = SearchIndex(shelf.chunks, shelf.folder)
    shelf.sync()
    shelf.agrees(vectors)


def test_what_it_lost_and_what_it_should_not_hold_is_found_by_ids(shelf: Shelf) -> None:
    """As many as there should be, and not those: a count would not see it."""
    vectors = unit(20)
    shelf.put("a", vectors)
    shelf.sync()
    build = shelf.collection.build.id
    ids = shelf.chunks.ids(OWNER, shelf.id)
    from core.rag.searching import wire

    index = shelf.index
    index._ask(wire.Delete(build, ids[:3]), None, limit_s=PATIENCE_S)
    strange = wire.Add(build, ["x", "y", "z"], 16, unit(3, seed=9).astype("<f4").tobytes())
    index._ask(strange, None, limit_s=PATIENCE_S)
    index._synced.clear()
    shelf.sync()
    shelf.agrees(vectors)
    held = index._ask(wire.Ids(build, whole=True), wire.Held, limit_s=PATIENCE_S)
    assert sorted(held.ids) == sorted(ids)


def test_an_index_of_another_size_is_dropped(shelf: Shelf) -> None:
    vectors = unit(20)
    shelf.put("a", vectors)
    from core.rag.searching import wire

    build = shelf.collection.build.id
    ids = shelf.chunks.ids(OWNER, shelf.id)
    other = wire.Add(build, ids, 8, unit(20, 8).astype("<f4").tobytes())
    shelf.index._ask(other, None, limit_s=PATIENCE_S)
    shelf.sync()
    shelf.agrees(vectors)


def test_chroma_dying_ends_no_search(shelf: Shelf) -> None:
    vectors = unit(20)
    shelf.put("a", vectors)
    shelf.sync()
    assert shelf.index.pid is not None
    os.kill(shelf.index.pid, signal.SIGKILL)
    assert shelf.search(vectors[2])[0] == "a 2"
    shelf.sync()
    shelf.agrees(vectors)


def test_killed_while_it_writes_it_is_whole_again(shelf: Shelf) -> None:
    shelf.put("a", unit(6000, 64))
    shelf.index.sync_soon(OWNER, shelf.collection)
    end = time.monotonic() + PATIENCE_S
    while shelf.index.pid is None or not any(shelf.folder.rglob("*.sqlite3")):
        assert time.monotonic() < end
        time.sleep(0.01)
    os.kill(shelf.index.pid, signal.SIGKILL)
    shelf.sync()
    shelf.agrees(unit(6000, 64))


def test_one_process_owns_the_folder_and_the_other_searches_the_database(shelf: Shelf, tmp_path: Path) -> None:
    vectors = unit(20)
    shelf.put("a", vectors)
    shelf.sync()
    program = (
        "import sys, pathlib, numpy as np\n"
        "from core.store.database import Database\n"
        "from core.store.documents import Documents\n"
        "from core.store.chunks import Chunks\n"
        "from core.rag.index import SearchIndex\n"
        "home = pathlib.Path(sys.argv[1]); db = Database(home / 'workbench.db')\n"
        "index = SearchIndex(Chunks(db), home / 'index')\n"
        "found = Documents(db).list('ana')[0]\n"
        "vector = np.array(eval(sys.argv[2]), dtype=np.float32)\n"
        "print(index.ours(), index.sync('ana', found), len(index.search('ana', found, vector, limit=5)), index.pid)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path), str(vectors[0].tolist())]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False", "5", "None"]
    shelf.index.close()
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.split()[:3] == ["True", "True", "5"]


def test_closing_leaves_no_process_and_no_lock(shelf: Shelf) -> None:
    shelf.put("a", unit(3))
    shelf.sync()
    pid = shelf.index.pid
    shelf.index.close()
    assert pid is not None and not psutil.pid_exists(pid)
    other = SearchIndex(shelf.chunks, shelf.folder)
    assert other.ours()
    other.close()


def test_indexes_of_builds_that_are_gone_are_taken_away(shelf: Shelf) -> None:
    shelf.put("a", unit(3))
    shelf.sync()
    from core.rag.searching import wire

    shelf.documents.delete(OWNER, shelf.id)
    shelf.index.close()
    shelf.id = shelf.documents.create(OWNER, "c", embedding="e", chunker="pages", size=50, overlap=0).id
    shelf.index = SearchIndex(shelf.chunks, shelf.folder)
    shelf.put("b", unit(3))
    shelf.sync()
    build = shelf.collection.build.id
    assert shelf.index._ask(wire.Builds(), list[str], limit_s=PATIENCE_S) == [build]
