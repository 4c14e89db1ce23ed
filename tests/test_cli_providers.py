"""`python -m core providers` as a person and a program use it: what is known, what runs here, a connection tested."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.providers import OWNER
from core.models.remote import presets
from core.models.remote.checking import NAMES
from core.models.remote.permit import Accounts
from core.settings import from_environment
from core.store.database import Database
from core.store.providers import Providers
from core.store.runs import Runs
from tests.models.remote.lists import ACCEPTED_KEY
from tests.models.remote.misbehaving import Misbehaving
from tests.models.remote.playing import Playing
from tests.test_cli import answered, core

pytestmark = pytest.mark.usefixtures("home")

CANARY = ACCEPTED_KEY
PLAIN = [name for name in NAMES if name != "secured"]


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None but those that a test sets."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for preset in presets.all():
        if preset.key_variable:
            monkeypatch.delenv(preset.key_variable, raising=False)


def test_what_is_known_and_where_a_key_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", CANARY)
    said = answered("providers")
    assert (said["detected"], said["test"]) == (None, None)
    known = {preset["id"]: preset for preset in said["presets"]}
    assert list(known) == [preset.id for preset in presets.all()]
    assert known["mistral"]["key"] == {"source": "environment", "where": "MISTRAL_API_KEY"}
    assert known["openai"]["key"] is None
    assert known["azure"]["key"] is None
    assert "canary" not in json.dumps(said)
    done = core("providers")
    assert done.returncode == 0
    assert "environment: MISTRAL_API_KEY" in done.stdout and "OPENAI_API_KEY is not set" in done.stdout
    assert "canary" not in done.stdout + done.stderr


@pytest.fixture
def ollama() -> Iterator[Playing]:
    """Ollama as it is played, at a port that is known and that nobody has here."""
    for port in sorted({port for preset in presets.all() for port in preset.ports}, reverse=True):
        try:
            playing = Playing("ollama", port=port)
        except OSError:
            continue
        with playing:
            yield playing
        return
    pytest.skip("every known port is taken on this machine")


def test_what_runs_here_is_found(ollama: Playing) -> None:
    detected = {one["base_url"]: one for one in answered("providers", "--probe")["detected"]}
    one = detected[f"{ollama.url}/v1"]
    assert one["seconds"] > 0
    assert {**one, "seconds": None} == {
        "base_url": f"{ollama.url}/v1",
        "preset_id": "ollama",
        "name": "Ollama",
        "version": "0.12.6",
        "models": 2,
        "seconds": None,
        "needs_key": False,
    }
    (line,) = [line for line in core("providers", "--probe").stdout.splitlines() if ollama.url in line]
    assert line.split() == ["Ollama", "0.12.6", f"{ollama.url}/v1", "2"]


def test_a_connection_is_tested(server: Misbehaving) -> None:
    said = answered("providers", "--test", server.url("counts"))["test"]
    assert (said["base_url"], said["model"]) == (server.url("counts"), None)
    assert [step["name"] for step in said["steps"]] == PLAIN
    assert {step["state"] for step in said["steps"]} == {"done"}
    assert server.asked[-1].body["model"] == "tiny"
    done = core("providers", "--test", server.url("counts"), "--model", "other")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["done"] * len(PLAIN)
    assert server.asked[-1].body["model"] == "other"


def test_a_key_comes_from_its_variable_and_is_not_written(server: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    done = core("providers", "--test", server.url("lists-for-key"), "--json")
    steps = {step["name"]: step for step in json.loads(done.stdout)["test"]["steps"]}
    assert (steps["key"]["state"], steps["listed"]["state"]) == ("done", "done")
    done = core("providers", "--test", server.url("echo-key"))
    assert done.returncode == 1
    assert "did not accept the key" in done.stdout and "Check the key" in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_a_step_that_fails_is_exit_code_1(server: Misbehaving) -> None:
    done = core("providers", "--test", server.url("refuses-401"), "--json")
    assert (done.returncode, done.stderr) == (1, "")
    steps = {step["name"]: step for step in json.loads(done.stdout)["test"]["steps"]}
    assert steps["key"]["error"]["error"] == "KeyMissing"
    assert steps["key"]["error"]["hint"]
    assert steps["usage"] == {"name": "usage", "state": "skipped", "seconds": None, "detail": "", "error": None}


def test_what_the_person_here_decided_holds_on_the_command_line_too() -> None:
    database = Database(from_environment().database)
    Accounts(Providers(database), Runs(database)).set_local_only(OWNER, True)
    database.close()
    done = core("providers", "--test", "https://far.example/v1", "--json")
    assert done.returncode == 1
    first = json.loads(done.stdout)["test"]["steps"][0]
    assert (first["name"], first["error"]["error"]) == ("resolved", "LocalOnly")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--model", "x"], 2, "--model is for --test"),
        (["--test", "http://me:hunter2@host/v1"], 1, "a user name or a password"),
        (["--test", "localhost:8080"], 1, "http:// or https://"),
    ],
)
def test_what_cannot_be_done(arguments: list[str], code: int, says: str) -> None:
    done = core("providers", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr and "hunter2" not in done.stderr
