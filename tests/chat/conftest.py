"""One workbench for the conversations of a test module: a database and a model's process, both gone at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from core.store.conversations import Conversations
from core.workbench import Workbench, open_workbench


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    workbench = open_workbench(Settings(home=tmp_path_factory.mktemp("home")))
    workbench.titles.close()  # they come when they come: tests/test_titles.py waits for them
    yield workbench
    workbench.close()


@pytest.fixture
def conversations(workbench: Workbench) -> Conversations:
    return workbench.conversations
