from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store.conversations import Conversations
from core.store.database import Database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "workbench.db")
    yield database
    database.close()


@pytest.fixture
def conversations(db: Database) -> Conversations:
    return Conversations(db)
