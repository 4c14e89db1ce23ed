"""A classroom over a database of each test's own; what it left open is ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.classroom.addresses import LOOPBACK
from core.classroom.ballots import Poll
from core.classroom.polls import Classroom
from core.store.database import Database
from core.store.polls import Polls
from core.store.votes import Votes
from tests.classroom.phones import paper

ME = "teacher"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "workbench.db")
    yield opened
    opened.close()


@pytest.fixture
def polls(database: Database) -> Polls:
    return Polls(database)


@pytest.fixture
def votes(database: Database) -> Votes:
    return Votes(database)


@pytest.fixture
def classroom(polls: Polls) -> Iterator[Classroom]:
    room = Classroom(polls)
    yield room
    room.end()


@pytest.fixture
def poll(classroom: Classroom) -> Poll:
    """One that is open, on this machine only."""
    return classroom.open(ME, paper(), address=LOOPBACK)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Classroom, Poll]]:
    """One that stays open for all tests of a module that send what must not be counted."""
    database = Database(tmp_path_factory.mktemp("standing") / "workbench.db")
    room = Classroom(Polls(database))
    yield room, room.open(ME, paper(), address=LOOPBACK)
    room.end()
    database.close()
