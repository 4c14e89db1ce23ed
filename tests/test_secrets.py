"""A key is in nothing that is written, logged, shown or exported: a whole run with keys that are easily found again."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import snippets
from core.chat import Asking
from core.errors import KeyRefused, WorkbenchError
from core.messages import ChatRequest, Message
from core.models.catalog import EMBEDDED_ID
from core.models.remote import presets
from core.models.remote.client import RemoteModel
from core.models.remote.keys import Found
from core.models.remote.permit import Budget
from core.settings import Settings
from core.store.restoring import Restoring
from core.transfer import markdown, openai_messages, ours
from core.workbench import Workbench, open_workbench
from tests.models.remote import keyrings
from tests.models.remote.misbehaving import Misbehaving

ROOT = Path(__file__).resolve().parent.parent
ME = "person"
CANARY = "canary"
SESSION, KEYRING, SECRETS, VARIABLE, HEADER = (
    f"sk-{CANARY}-{name}" for name in ("session", "keyring", "secrets", "variable", "header")
)
OPENAI = "https://api.openai.com/v1"
"""Whose key a variable is; never asked here."""


@pytest.fixture
def backend() -> Iterator[keyrings.Working]:
    backend = keyrings.Working()
    with keyrings.installed(backend):
        yield backend


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("OPENAI_API_KEY", VARIABLE)
    return Settings(home=tmp_path / "home", secrets=(tmp_path / "secrets.toml",))


def conversation(workbench: Workbench, model_id: str) -> str:
    """One question, and its answer or error. The conversation's id."""
    message = workbench.chat.ask(ME, None, "Tell me something about the weather.", Asking(model_id=model_id))
    answer = workbench.chat.running(message)
    assert answer is not None and answer.wait(60)
    return message.conversation_id


def errors_of(workbench: Workbench, url: str) -> Iterator[str]:
    """Every form of the errors that a refused key makes, of its list and of an answer."""
    model = workbench.chat_model(ME, f"{url}#tiny")
    request = ChatRequest(messages=(Message("user", "Hello."),))
    for ask in (lambda: workbench.connections.models(ME, url), lambda: list(model.stream(request))):
        try:
            ask()
        except WorkbenchError as error:
            assert isinstance(error, KeyRefused)
            yield "".join(traceback.format_exception(error))
            yield f"{error!r} {error.to_dict()} {error.advice()} {error.__cause__!r} {error.__context__!r}"


def programs(workbench: Workbench, model_id: str) -> Iterator[str]:
    model = workbench.chat_model(ME, model_id)
    assert isinstance(model, RemoteModel)
    exact = snippets.exact(model, ChatRequest(messages=(Message("user", "Hello."),)), own_api="http://localhost/v1")
    for write in (snippets.as_json, snippets.as_curl, snippets.as_python, snippets.as_javascript):
        yield write(exact)


def exports(workbench: Workbench, id: str) -> Iterator[str]:
    whole = Restoring(workbench.database).read(ME, id)
    for file in (markdown.export(whole), ours.export([whole]), openai_messages.export(whole)):
        yield file.decode("utf-8")


def run(workbench: Workbench, server: Misbehaving, secrets: Path, backend: keyrings.Working) -> list[str]:
    """All that can be done with keys. Returns whatever a person is shown of it."""
    connections, keys = workbench.connections, workbench.keys
    well, echo = server.url("well"), server.url("echo-key")
    shown: list[str] = []
    for place, key in (("secrets", SECRETS), ("keyring", KEYRING), ("session", SESSION)):
        if place == "secrets":
            secrets.write_text(f'[providers]\n"{well.split("/")[2]}" = "{key}"\n', encoding="utf-8")
            shown.append(repr(connections.connect(ME, well)))
        else:
            connection = connections.connect(ME, well, key, headers={"X-Team": HEADER}, where=place)  # type: ignore[arg-type]
            shown.append(repr(connection))
        connections.connect(ME, echo, names=["tiny"])
        assert keys.find(ME, well) == Found(key, place, getattr(keys.find(ME, well), "where", ""))  # type: ignore[arg-type]
        (info,) = connections.models(ME, well)
        connections.set_favourite(ME, info.id, True)
        connections.set_budget(ME, info.provider, Budget(5.0) if info.price else None)
        answered, failed = conversation(workbench, info.id), conversation(workbench, f"{echo}#tiny")
        shown += [*exports(workbench, answered), *exports(workbench, failed), *programs(workbench, info.id)]
        shown += errors_of(workbench, echo)
        shown += [repr(keys.find(ME, well)), repr(keys), repr(connections.endpoint(ME, well)), repr(workbench)]
        shown += [str(connections.spent(ME)), str(info), repr(workbench.chat_model(ME, info.id))]
        assert server.asked[-1].headers["authorization"] == f"Bearer {key}"
    connections.connect(ME, OPENAI, names=["gpt-4o-mini"])
    assert keys.find(ME, OPENAI) == Found(VARIABLE, "environment", "OPENAI_API_KEY")
    shown += [repr(connections.endpoint(ME, OPENAI)), *programs(workbench, f"{OPENAI}#gpt-4o-mini")]
    assert backend.entries == {} or CANARY in str(backend.entries), "the keyring is the one place that may have it"
    return shown


def test_no_key_is_in_anything_that_is_written_or_shown(
    settings: Settings, backend: keyrings.Working, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    (secrets,) = settings.secrets
    with Misbehaving() as server:
        workbench = open_workbench(settings)
        shown = run(workbench, server, secrets, backend)
        for kept in workbench.conversations.list(ME):
            workbench.titles.wish(ME, kept.id)
        workbench.close()
        again = open_workbench(settings)
        shown += [repr(again), str(again.connections.list(ME)), *errors_of(again, server.url("echo-key"))]
        again.close()
    assert len(shown) > 40 and caplog.records
    assert [text for text in [*shown, caplog.text, *capfd.readouterr()] if CANARY in text] == []
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    assert settings.database in files
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_no_key_is_in_an_address_or_a_request_s_body(settings: Settings, backend: keyrings.Working) -> None:
    with Misbehaving() as server:
        workbench = open_workbench(settings)
        run(workbench, server, settings.secrets[0], backend)
        workbench.close()
        sent = [f"{asked.path} {json.dumps(asked.body)}" for asked in server.asked]
    assert sent and [text for text in sent if CANARY in text] == []


@pytest.mark.parametrize(("shared", "found"), [(False, None), (True, VARIABLE)])
def test_a_machine_s_keys_are_not_for_every_browser(settings: Settings, shared: bool, found: str | None) -> None:
    workbench = open_workbench(dataclasses.replace(settings, owners="browser", shared_keys=shared))
    key = workbench.keys.find("a browser", OPENAI)
    places = workbench.keys.places()
    workbench.close()
    assert (key.key if key else None, places) == (found, ("session",))


def test_the_command_line_shows_no_key(home: Path) -> None:
    environ = os.environ | {preset.key_variable: VARIABLE for preset in presets.all() if preset.key_variable}
    with Misbehaving() as server:
        calls = [
            *(["models", "--base-url", server.url(name)] for name in ("well", "echo-key")),
            *(["chat", "Hello.", "--base-url", server.url(name), "--model", "tiny"] for name in ("well", "echo-key")),
            ["chat", "Hello.", "--model", EMBEDDED_ID, "--max-tokens", "2", "--json"],
        ]
        written = ""
        for call in calls:
            done = subprocess.run(
                [sys.executable, "-m", "core", *call],
                cwd=ROOT,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
            )
            written += done.stdout + done.stderr
        assert [asked.headers["authorization"] for asked in server.asked] == [f"Bearer {VARIABLE}"] * 4
    assert "Paris" in written and "did not accept the key" in written
    assert CANARY not in written
    assert [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()] == []
