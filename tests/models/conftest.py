from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models.local.engine import Engine
from core.models.local.model_settings import ModelSettings
from tests.conftest import loaded


@pytest.fixture
def engine(smollm: Path) -> Iterator[Engine]:
    """An engine of the test's own, to break or to fill."""
    engine = loaded(Engine(smollm, name="SmolLM2", settings=ModelSettings(context_length=512, parallel=2)))
    yield engine
    engine.close()
