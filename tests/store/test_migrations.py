from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StoreUnavailable
from core.store import migrations
from core.store.comparisons import Comparisons
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.library import Library
from core.store.runs import Runs
from core.store.votes import Votes

ROOT = Path(__file__).parents[2]
NEWEST = len(migrations.STEPS)


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def old_database(path: Path, *, upto: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrations.apply(connection, path, upto=upto)
    return connection


def test_the_steps_are_the_modules_in_order() -> None:
    modules = sorted(path.stem for path in (ROOT / "core" / "store").glob("m[0-9]*.py"))
    assert [step.__module__ for step in migrations.STEPS] == [f"core.store.{name}" for name in modules]
    assert [int(name[1:4]) for name in modules] == list(range(1, NEWEST + 1))


def test_a_fresh_database_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "déjà" / "workbench.db"
    Database(path).close()
    assert version(path) == NEWEST


def test_opening_again_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    db = Database(path)
    made = Conversations(db).create("ana")
    db.close()
    assert Conversations(Database(path)).get("ana", made.id) == made


def test_an_old_database_is_brought_up_to_date_with_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    old = old_database(path, upto=1)
    old.execute(
        "INSERT INTO conversations (id, owner, title, created_at, updated_at, settings, system_prompt) "
        "VALUES ('c1', 'ana', 'Old', 1, 2, '{}', '')"
    )
    old.close()
    assert version(path) == 1
    db = Database(path)
    assert version(path) == NEWEST
    assert Conversations(db).get("ana", "c1").title == "Old"
    assert Runs(db).list("ana") == []


def test_conversations_of_before_are_no_panes(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    old = old_database(path, upto=5)
    for id in ("c1", "c2"):
        old.execute(
            "INSERT INTO conversations (id, owner, title, created_at, updated_at, settings, system_prompt) "
            "VALUES (?, 'ana', 'Old zebras', 1, 2, '{}', '')",
            (id,),
        )
    old.close()
    db = Database(path)
    kept = Conversations(db).get("ana", "c1")
    assert (kept.comparison_id, kept.pane) == (None, None)
    library = Library(db)
    assert library.count("ana") == len(Conversations(db).list("ana")) == len(library.search("ana", "zebra")) == 2
    assert Comparisons(db).list("ana") == [] and Votes(db).count("ana") == 0


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    old = old_database(path, upto=1)
    old.execute("CREATE TABLE in_the_way (at)")
    old.execute("CREATE INDEX runs_of_model ON in_the_way (at)")
    old.close()
    with pytest.raises(StoreUnavailable):
        Database(path)
    assert version(path) == 1
    connection = sqlite3.connect(path)
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchall()
    connection.execute("DROP TABLE in_the_way")
    connection.close()
    Database(path).close()
    assert version(path) == NEWEST


def test_a_database_from_the_future_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    Database(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    connection.execute("CREATE TABLE of_the_future (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="a newer version of this program has written it"):
        Database(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("round", range(3))
def test_several_processes_may_make_it_at_once(tmp_path: Path, round: int) -> None:
    path = tmp_path / "workbench.db"
    code = """
import sys
from pathlib import Path
from core.store.conversations import Conversations
from core.store.database import Database
print("ready", flush=True)
sys.stdin.readline()
Conversations(Database(Path(sys.argv[1]))).create("ana")
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=30)
    assert [child.returncode for child in children] == [0, 0, 0, 0]
    assert version(path) == NEWEST
    assert len(Conversations(Database(path)).list("ana")) == 4
