from __future__ import annotations

import pytest

from core.store.database import Database
from core.store.library import Library
from core.store.restoring import Restoring


@pytest.fixture
def library(db: Database) -> Library:
    return Library(db)


@pytest.fixture
def restoring(db: Database) -> Restoring:
    return Restoring(db)
