"""What the tests of documents share: a workbench of the module, so that the embedding is loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.rag.collections import Collections
from core.settings import Settings
from core.workbench import Workbench, open_workbench

OWNER = "ana"


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    opened = open_workbench(Settings(home=tmp_path_factory.mktemp("home")))
    yield opened
    opened.close()


@pytest.fixture
def collections(workbench: Workbench) -> Iterator[Collections]:
    """Without any collection."""
    yield workbench.collections
    for one in workbench.collections.list(OWNER):
        workbench.collections.delete(OWNER, one.id)
