"""`python -m core chat --model route:NAME`: the same routes as on the pages, by name and by id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.models.catalog import EMBEDDED_ID
from core.models.routes import RemoteFirst, Route
from core.settings import Settings
from core.store.database import Database
from core.store.routes import Routes
from tests.models.remote.misbehaving import Misbehaving
from tests.test_cli import GREEDY, QUESTION, core

pytestmark = pytest.mark.model


def kept(home: Path, remote: str) -> Route:
    database = Database(Settings(home=home).database)
    route = Routes(database).add("person", "At school", RemoteFirst(remote, EMBEDDED_ID))
    database.close()
    return route


def test_a_route_answers_and_says_who_did(home: Path) -> None:
    with Misbehaving() as server:
        route = kept(home, f"{server.url('refuses-500')}#x")
        done = core("chat", QUESTION, *GREEDY, "--model", "route:at school")
        said = core("chat", QUESTION, *GREEDY, "--model", route.model_id, "--json")
    assert done.returncode == 0 and done.stdout.strip()
    chosen, figures = done.stderr.splitlines()
    assert chosen == "SmolLM2-135M-Instruct: x did not answer: it failed" and "tokens/s" in figures
    answer = json.loads(said.stdout)
    assert (said.returncode, answer["model"], answer["text"]) == (0, EMBEDDED_ID, done.stdout.rstrip("\n"))
    assert answer["routed"]["values"] == {"before": "x", "why": "it failed"}


def test_a_route_that_is_not_there(home: Path) -> None:
    done = core("chat", QUESTION, "--model", "route:nowhere")
    assert (done.returncode, done.stdout) == (1, "") and "There is no such route" in done.stderr
