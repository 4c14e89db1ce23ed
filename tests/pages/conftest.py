"""One workbench for the page tests of a module: a data folder and a model's process, both gone at its end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from core.workbench import Workbench
from pages.ui import resources
from pages.ui.owner import PERSON
from tests.e2e.serving import until, workers_of


@pytest.fixture(scope="module")
def shared_workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """The workbench that every page of this process finds."""
    before = workers_of(os.getpid())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("WORKBENCH_OWNERS", "person")
        patch.delenv("WORKBENCH_MODELS", raising=False)
        opened = resources.workbench()
        opened.titles.close()  # they come when they come: tests/test_titles.py waits for them
        yield opened
        opened.close()
        resources._open.clear()
    until(lambda: workers_of(os.getpid()) == before)


@pytest.fixture
def workbench(shared_workbench: Workbench) -> Workbench:
    """The same, without any conversation."""
    conversations = shared_workbench.conversations
    for kept in conversations.list(PERSON):
        conversations.delete(PERSON, kept.id)
    return shared_workbench
