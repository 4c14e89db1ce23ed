from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models.local.shelf import Shelf
from tests.gguf.making import tiny


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """No model in memory yet."""
    shelf = Shelf()
    yield shelf
    shelf.close()


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A model that works."""
    return tiny(tmp_path / "sound.gguf")
