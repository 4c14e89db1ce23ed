"""The addresses at which a question being typed is counted: what they give, and whom they refuse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.attachments import LIMIT_BYTES
from core.drafts import Drafts
from core.errors import N_, NotThere
from core.messages import ChatRequest, Message
from core.models.base import ModelInfo
from core.models.remote.client import RemoteModel
from pages.ui.live_count import route

SAID = ChatRequest(messages=(Message("user", "a" * 400), Message("assistant", "b" * 400)))


@pytest.fixture
def drafts() -> Drafts:
    return Drafts()


@pytest.fixture
def client(drafts: Drafts) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=route.routes(lambda: drafts)), base_url="http://127.0.0.1:8501") as client:
        yield client


def model() -> RemoteModel:
    info = ModelInfo(id="r", name="r", provider="there", local=False, context_length=1000)
    return RemoteModel(info, "http://127.0.0.1:9/v1")


def draft(drafts: Drafts, before: ChatRequest = SAID, *, language: str = "en") -> str:
    return f"/workbench/drafts/{drafts.put(None, model(), lambda: before, language=language)}"


def test_a_question_is_counted_with_its_files(client: TestClient, drafts: Drafts) -> None:
    at = draft(drafts)
    key = client.post(f"{at}/files", params={"name": "a.txt"}, content=b"c" * 360).json()["key"]
    plain = client.post(f"{at}/count", json={"text": "d" * 40}).json()
    assert plain["by_origin"] == {"history": 200, "question": 10} and plain["prompt_tokens"] == 210
    assert (plain["exact"], plain["context_length"], plain["fits"]) == (False, 1000, True)
    with_file = client.post(f"{at}/count", json={"text": "d" * 40, "files": [key, "other"]}).json()
    assert with_file["by_origin"]["documents"] >= 90 and with_file["by_origin"]["question"] == pytest.approx(10, abs=1)


def test_nothing_typed_is_nothing_counted(client: TestClient, drafts: Drafts) -> None:
    assert client.post(f"{draft(drafts, ChatRequest())}/count", json={"text": " "}).status_code == 204


def test_a_file_that_is_none_says_why_in_the_readers_language(client: TestClient, drafts: Drafts) -> None:
    at = draft(drafts, language="fr")
    said = client.post(f"{at}/files", params={"name": "x.pdf"}, content=b"%PDF-1.7").json()
    assert said.keys() == {"message", "hint"} and "x.pdf" in said["message"]
    assert client.post(f"{at}/files", params={"name": "x"}, content=b"a" * (LIMIT_BYTES + 1)).json().keys() == {
        "message",
        "hint",
    }
    assert client.post(f"{at}/files", params={"name": "x"}, content=b"a" * (LIMIT_BYTES + 2)).status_code == 413


@pytest.mark.parametrize("what", ["count", "files"])
def test_others_are_refused(client: TestClient, drafts: Drafts, what: str) -> None:
    at = draft(drafts)
    elsewhere = {"origin": "http://evil.example"}
    assert client.post(f"{at}/{what}", content=b"{}", headers=elsewhere).status_code == 403
    assert client.post(f"/workbench/drafts/{'0' * 32}/{what}", content=b"{}").status_code == 404
    assert client.get(f"{at}/{what}").status_code == 405
    own = {"origin": "http://127.0.0.1:8501"}
    assert client.post(f"{at}/count", json={"text": "a"}, headers=own).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b'{"text": 1}', b'{"text": "a", "files": [1]}', b"\xff\xfe"])
def test_what_is_no_draft_is_refused(client: TestClient, drafts: Drafts, body: bytes) -> None:
    assert client.post(f"{draft(drafts)}/count", content=body).status_code == 400


def test_a_question_of_megabytes_is_refused(client: TestClient, drafts: Drafts) -> None:
    assert client.post(f"{draft(drafts)}/count", content=b" " * (route.TEXT_LIMIT + 1)).status_code == 413


def test_there_is_nothing_to_count_below_a_message_that_has_gone(client: TestClient, drafts: Drafts) -> None:
    def gone() -> ChatRequest:
        raise NotThere(what=N_("conversation"))

    id = drafts.put(None, model(), gone)
    assert client.post(f"/workbench/drafts/{id}/count", json={"text": "a"}).status_code == 204


def test_the_base_path_is_kept(drafts: Drafts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route.st, "get_option", lambda name: "/lab/")
    with TestClient(Starlette(routes=route.routes(lambda: drafts))) as client:
        assert client.post(f"/lab{draft(drafts)}/count", json={"text": "a"}).status_code == 200
