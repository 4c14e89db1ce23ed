"""Killed in the middle of it, from the command line: what was ready stays, nothing is half there, and a second run
completes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.cli.local import OWNER
from core.store.database import Database
from core.store.documents import Documents
from tests.rag import making

PATIENCE_S = 100
NUMBER = 8


def command(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "core", "rag", "add", *arguments, "--json"]


def added(*arguments: str) -> Any:
    done = subprocess.run(command(*arguments), cwd=making.ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents of some length each."""
    path = tmp_path / "documents"
    path.mkdir()
    for number in range(NUMBER):
        (path / f"{number}.txt").write_text(f"Document {number}. " + " ".join(making.ENGLISH) * 12)
    return path


def until(reached: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_second_run_completes_what_a_killed_one_began(home: Path, folder: Path) -> None:
    process = subprocess.Popen(command("notes", str(folder)), cwd=making.ROOT, stdout=subprocess.DEVNULL)
    until(lambda: (home / "workbench.db").exists())
    database = Database(home / "workbench.db")
    documents = Documents(database)

    def states() -> list[str]:
        found = documents.list(OWNER)
        return [one.status for one in documents.documents(OWNER, found[0].id)] if found else []

    until(lambda: "ready" in states())
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = states()
    code, said, _ = added("notes", str(folder))
    assert (code, said["failed"], [one["status"] for one in said["documents"]]) == (0, 0, ["ready"] * NUMBER)
    assert before.count("ready") < NUMBER, "it was killed in the middle"
    (collection,) = documents.list(OWNER)
    each = {one["chunks"] for one in said["documents"]}
    assert len(each) == 1 and said["chunks"] == NUMBER * each.pop(), "no half document, and none twice"
    assert collection.documents == NUMBER
    assert psutil.wait_procs(children, timeout=30)[1] == [], "its children ended with it"
    database.close()


def test_the_command_says_what_failed_and_why(home: Path, folder: Path) -> None:
    (folder / "picture.pdf").write_bytes(making.image_bytes())
    (folder / "sub").mkdir()
    making.docx(folder / "sub" / "word.docx")
    for number in range(1, NUMBER):
        (folder / f"{number}.txt").unlink()
    code, said, words = added("notes", str(folder), "--size", "60", "--overlap", "0", "--chunker", "headings")
    by_name = {one["name"]: one for one in said["documents"]}
    assert (code, words, said["ready"], said["failed"]) == (1, "", 2, 1)
    assert by_name["picture.pdf"]["error"]["error"] == "FormatUnknown"
    assert by_name["sub/word.docx"]["status"] == "ready"
    code, said, _ = added("notes", str(folder / "0.txt"))
    assert (code, said["same"], said["ready"]) == (0, 1, 0)
    code, said, _ = added("notes", str(folder / "nothing.txt"))
    assert (code, said["error"]) == (1, "DocumentUnreadable")


def test_beside_a_running_workbench_it_leaves_the_index_to_that(home: Path, folder: Path) -> None:
    from core.settings import from_environment
    from core.workbench import open_workbench

    running = open_workbench(from_environment())
    try:
        assert running.collections.index.ours()
        code, said, words = added("notes", str(folder / "0.txt"))
        assert (code, said["ready"]) == (0, 1)
        assert "a running workbench owns the search index" in words
        collections = running.collections
        question = collections.embed_query(OWNER, said["id"], making.ENGLISH[0])
        found = collections.search_dense(OWNER, said["id"], question, limit=3)
        assert len(found) == min(3, said["chunks"])
        assert collections.index.sync(OWNER, collections.get(OWNER, said["id"]))
        assert collections.search_dense(OWNER, said["id"], question, limit=3)[0][0] == found[0][0]
    finally:
        running.close()
