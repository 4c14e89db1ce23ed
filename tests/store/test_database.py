"""Transactions, many writers, and what goes wrong outside: a killed process, a full disk, no database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from core.errors import NotThere, StoreUnavailable
from core.messages import ChatRequest
from core.store.conversations import Conversations
from core.store.database import Database

ROOT = Path(__file__).parents[2]
ANA = "ana"


def begin(conversations: Conversations) -> str:
    id = conversations.create(ANA).id
    return conversations.begin_answer(
        ANA, id, parent_id=None, model_id="m", model_name="M", request=ChatRequest(), answer_id="a"
    ).id


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_transaction_is_kept_whole_or_not_at_all(db: Database, conversations: Conversations) -> None:
    made = conversations.create(ANA)
    with pytest.raises(NotThere), db.transaction() as connection:
        connection.execute("UPDATE conversations SET title = 'half'")
        raise NotThere(what="conversation")
    assert conversations.get(ANA, made.id) == made
    with db.transaction() as connection:
        connection.execute("UPDATE conversations SET title = 'whole'")
    assert conversations.get(ANA, made.id).title == "whole"


def test_only_one_transaction_runs_at_a_time(db: Database) -> None:
    other = sqlite3.connect(db.path, timeout=0, isolation_level=None)
    with db.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_block_left_by_an_error_holds_no_lock(db: Database, conversations: Conversations) -> None:
    conversations.create(ANA)
    kept_error = None
    try:
        with db.transaction() as connection:
            rows = connection.execute("SELECT * FROM conversations")
            connection.execute("UPDATE conversations SET title = 'half'")
            raise ValueError
    except ValueError as exc:
        kept_error = exc
    assert kept_error is not None
    assert rows is not None
    other = sqlite3.connect(db.path, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_reading_sees_one_moment(db: Database, conversations: Conversations) -> None:
    conversations.create(ANA)
    with db.reading() as connection:
        count = "SELECT count(*) FROM conversations"
        assert connection.execute(count).fetchone()[0] == 1
        conversations.create(ANA)
        assert connection.execute(count).fetchone()[0] == 1
    assert len(conversations.list(ANA)) == 2


def test_the_file_is_kept_as_designed(db: Database) -> None:
    with db.transaction() as connection:
        pragmas = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 10_000}


def test_after_closing_it_says_so(tmp_path: Path) -> None:
    db = Database(tmp_path / "workbench.db")
    db.close()
    db.close()
    with pytest.raises(StoreUnavailable, match="it has been closed"):
        Conversations(db).list(ANA)


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    db = Database(tmp_path / "workbench.db")
    Conversations(db).create(ANA)
    db.close()
    assert [path.name for path in tmp_path.iterdir()] == ["workbench.db"]


def test_threads_and_processes_write_at_once(db: Database, conversations: Conversations) -> None:
    message_id = begin(conversations)
    code = """
import sys
from pathlib import Path
from core.store.conversations import Conversations
from core.store.database import Database
conversations = Conversations(Database(Path(sys.argv[1])))
for _ in range(150):
    conversations.append(sys.argv[2], sys.argv[3])
"""

    def write(letter: str) -> None:
        for _ in range(150):
            conversations.append(message_id, letter)

    processes = [child(code, str(db.path), message_id, letter) for letter in "ab"]
    threads = [threading.Thread(target=write, args=(letter,)) for letter in "cd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    content = conversations.message(ANA, message_id).content
    assert Counter(content) == {"a": 150, "b": 150, "c": 150, "d": 150}


def test_many_threads_at_once(db: Database, conversations: Conversations) -> None:
    message_id = begin(conversations)
    threads = [threading.Thread(target=conversations.append, args=(message_id, "x")) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert conversations.message(ANA, message_id).content == "x" * 40


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_threads_that_come_and_go_leave_no_files_open(db: Database, conversations: Conversations) -> None:
    message_id = begin(conversations)

    def ask_in_vain() -> None:
        with pytest.raises(NotThere):
            conversations.append("no such message", "x")

    for _ in range(10):
        for work in (ask_in_vain, lambda: conversations.append(message_id, "x")):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
    opened = [link for link in Path("/proc/self/fd").iterdir() if os.path.realpath(link) == str(db.path.resolve())]
    assert len(opened) == 1


@pytest.mark.faults
def test_a_killed_process_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    code = """
import sys
from itertools import count
from pathlib import Path
from core.messages import ChatRequest
from core.store.conversations import Conversations
from core.store.database import Database
conversations = Conversations(Database(Path(sys.argv[1])))
answer = conversations.begin_answer(
    "ana", conversations.create("ana").id, parent_id=None, model_id="m", model_name="M", request=ChatRequest()
)
print(answer.id, flush=True)
for n in count():
    conversations.append(answer.id, f"{n} ")
    print(n, flush=True)
"""
    with child(code, str(path)) as process:
        assert process.stdout is not None
        message_id = process.stdout.readline().strip()
        acknowledged = [int(process.stdout.readline()) for _ in range(100)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    conversations = Conversations(Database(path))
    assert conversations.recover() == 1
    stored = conversations.message(ANA, message_id)
    kept = [int(n) for n in stored.content.split()]
    assert stored.status == "cut"
    assert kept == list(range(len(kept)))
    assert len(acknowledged) <= len(kept) <= len(acknowledged) + 1


@pytest.mark.faults
def test_a_full_database_says_so_and_keeps_what_was_there(db: Database, conversations: Conversations) -> None:
    message_id = begin(conversations)
    conversations.append(message_id, "what was there")
    with db.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        conversations.append(message_id, "x" * 100_000)
    assert conversations.message(ANA, message_id).content == "what was there"
    conversations.append(message_id, ", and goes on")
    assert conversations.message(ANA, message_id).content == "what was there, and goes on"


@pytest.mark.faults
def test_a_file_that_may_not_grow_says_so_and_keeps_what_was_there(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    path = tmp_path / "workbench.db"
    db = Database(path)
    message_id = begin(Conversations(db))
    Conversations(db).append(message_id, "what was there")
    db.close()
    code = """
import resource, sys
from pathlib import Path
from core.errors import StoreUnavailable
from core.store.conversations import Conversations
from core.store.database import Database
conversations = Conversations(Database(Path(sys.argv[1])))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
for _ in range(2):
    try:
        conversations.append(sys.argv[2], "x" * 1_000_000)
    except StoreUnavailable as error:
        print(error.values["detail"])
    assert conversations.message("ana", sys.argv[2]).content == "what was there"
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
conversations.append(sys.argv[2], ", and goes on")
"""
    process = child(code, str(path), message_id)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert output.splitlines() == ["the disk refused to read or write it"] * 2
    assert Conversations(Database(path)).message(ANA, message_id).content == "what was there, and goes on"


@pytest.mark.faults
def test_another_writer_is_waited_for_then_named(tmp_path: Path) -> None:
    db = Database(tmp_path / "workbench.db", patience_s=0.05)
    conversations = Conversations(db)
    made = conversations.create(ANA)
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another program is holding it"):
        conversations.update(ANA, made.id, title="new")
    assert conversations.get(ANA, made.id) == made
    other.execute("ROLLBACK")
    other.close()
    conversations.update(ANA, made.id, title="new")
    assert conversations.get(ANA, made.id).title == "new"


@pytest.mark.faults
def test_a_file_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE of_another (x)")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another program is holding it"):
        Database(path, patience_s=0.05)
    release = threading.Timer(0.2, other.rollback)
    release.start()
    Conversations(Database(path)).create(ANA)
    release.join()
    other.close()


@pytest.mark.faults
@pytest.mark.parametrize("content", [b"this is a shopping list\n" * 100, b"\x89PNG\r\n\x1a\n" + bytes(5000)])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "workbench.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="the file is not a database"):
        Database(path)
    assert path.read_bytes() == content


@pytest.mark.faults
def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    db = Database(path)
    for _ in range(50):
        Conversations(db).create(ANA, system_prompt="p" * 500)
    db.close()
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    with pytest.raises(StoreUnavailable, match="the file is damaged"):
        Conversations(Database(path)).list(ANA)


@pytest.mark.faults
def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "workbench.db", tmp_path / "file" / "below" / "workbench.db"):
        with pytest.raises(StoreUnavailable) as raised:
            Database(path)
        assert raised.value.values["path"] == str(path)
        assert raised.value.__cause__ is not None


@pytest.mark.faults
def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="the file cannot be opened"):
        Database(tmp_path)


@pytest.mark.faults
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "home" / "workbench.db"
    Database(path).close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with pytest.raises(StoreUnavailable):
            Conversations(Database(path)).create(ANA)
    finally:
        path.parent.chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_a_folder_made_here_is_its_owners_alone(tmp_path: Path) -> None:
    Database(tmp_path / "home" / "workbench.db").close()
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0
