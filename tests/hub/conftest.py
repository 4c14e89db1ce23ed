"""One Hub on loopback for the tests of a module, emptied before each; a tiny sound model; an empty data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.hub import transfer
from core.hub.client import Hub
from core.hub.downloads import Downloads
from core.jobs import Jobs
from core.settings import Settings
from tests.gguf.making import tiny
from tests.hub.local_hub import LocalHub, Repo


@pytest.fixture(scope="module")
def running_hub() -> Iterator[LocalHub]:
    with LocalHub() as hub:
        yield hub


@pytest.fixture
def local(running_hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    """The Hub, with nothing on it and nothing asked yet. No token of whoever runs the tests is sent."""
    running_hub.reset()
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return running_hub


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A tiny model's file."""
    return tiny(tmp_path_factory.mktemp("model") / "tiny.gguf").read_bytes()


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same split over two files."""
    folder = tmp_path_factory.mktemp("parts")
    names = [f"tiny-F32-0000{number}-of-00002.gguf" for number in (1, 2)]
    return {name: tiny(folder / name, split=(number, 2)).read_bytes() for number, name in enumerate(names)}


@pytest.fixture
def settings(tmp_path: Path, local: LocalHub) -> Settings:
    return Settings(home=tmp_path / "home", hub=local.url)


@pytest.fixture
def hub(settings: Settings) -> Hub:
    return Hub(settings)


@pytest.fixture
def repo(local: LocalHub, model: bytes) -> Repo:
    """A repository with one file of the tiny model."""
    return local.add(Repo("org/tiny-GGUF", {"tiny-F32.gguf": model}))


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    kept = Jobs()
    yield kept
    kept.close()


@pytest.fixture
def downloads(hub: Hub, settings: Settings, jobs: Jobs) -> Downloads:
    return Downloads(hub, settings.models, jobs)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken connection is taken up again at once; how often is as it is."""
    monkeypatch.setattr(transfer, "LONGEST_WAIT_S", 0)
