"""The misbehaving server, and models that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.models.base import ModelInfo
from core.models.remote.client import RemoteModel
from core.models.remote.connections import Connections
from core.models.remote.endpoint import Timeouts
from core.models.remote.keys import Keys
from core.models.remote.permit import Accounts
from core.store.database import Database
from core.store.providers import Providers
from core.store.runs import Runs
from tests.models.remote.misbehaving import Misbehaving

KEY = "sk-canary-0123456789"
INFO = ModelInfo(id="far/tiny", name="tiny", provider="Far Away", local=False, context_length=4096)
PATIENT = Timeouts(connect_s=10.0, read_s=30.0, wait_s=5.0)


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running


@pytest.fixture
def model(server: Misbehaving) -> Callable[..., RemoteModel]:
    """A function from a behaviour to a model that meets it."""

    def make(behaviour: str, **options: object) -> RemoteModel:
        return RemoteModel(INFO, server.url(behaviour), KEY, **({"timeouts": PATIENT} | options))  # type: ignore[arg-type]

    return make


@pytest.fixture
def kept(db: Database) -> Connections:
    """Connections of which nobody has any, and that look for keys nowhere else."""
    return connections(db)


def connections(db: Database) -> Connections:
    """As a server that has just been started finds them; keys that were given for a session are gone."""
    store = Providers(db)
    return Connections(store, Keys(store, environ={}), Accounts(store, Runs(db)))
