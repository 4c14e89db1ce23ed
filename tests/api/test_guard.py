"""Who may ask."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openai
import pytest
from openai import OpenAI
from starlette.datastructures import Headers

from core.api import Access
from core.api.guard import check
from core.errors import ApiClosed, ApiKeyWrong, HostForeign, OriginForeign
from core.settings import from_environment
from tests.api.serving import Served, serve

HERE, EVERYWHERE, KEY = "127.0.0.1", "0.0.0.0", "wb-key-0123456789"


def refusal(access: Access, **headers: str) -> type[Exception] | None:
    """Why a request with these headers is refused; None when it is not."""
    try:
        check(access, Headers({"host": "localhost:8502"} | headers))
    except Exception as error:
        return type(error)
    return None


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "::1", "127.0.0.53"])
def test_programs_of_this_machine_may(address: str) -> None:
    assert refusal(Access(address)) is None
    assert not Access(address).closed


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.7", "example.com", "unix:///run/x"])
def test_without_a_key_no_other_machine_may_ever_ask(address: str | None) -> None:
    assert refusal(Access(address)) is ApiClosed
    assert Access(address).closed
    assert refusal(Access(address, KEY), authorization=f"Bearer {KEY}") is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8502", "127.0.0.1:8502", "[::1]:8502", "127.1.2.3"])
def test_names_of_this_machine(host: str) -> None:
    assert refusal(Access(HERE), host=host) is None


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8502", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.7:8502",
     "[::", "localhost@evil.example", "0x7f000001.evil", ":8502"],
)  # fmt: skip
def test_a_name_that_was_made_to_lead_here(host: str) -> None:
    assert refusal(Access(HERE), host=host) is HostForeign
    assert refusal(Access(HERE, KEY), host=host, authorization=f"Bearer {KEY}") is None, "the key says who asks"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost:8501", "http://localhost", "http://127.0.0.1:8502", "http://[",
     "", "file://", "http://localhost:8502.evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("access", [Access(HERE), Access(EVERYWHERE, KEY)])
def test_a_page_of_another_origin(access: Access, origin: str) -> None:
    assert refusal(access, origin=origin, authorization=f"Bearer {KEY}") is OriginForeign


def test_a_page_of_the_server_itself() -> None:
    assert refusal(Access(HERE), origin="http://localhost:8502") is None
    assert refusal(Access(HERE, KEY), origin="http://localhost:8502") is ApiKeyWrong


@pytest.mark.parametrize(
    "sent", ["", KEY, "Bearer", "Bearer ", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer \xff"]
)
def test_a_wrong_key(sent: str) -> None:
    assert refusal(Access(HERE, KEY), authorization=sent) is ApiKeyWrong


def test_the_right_key() -> None:
    assert refusal(Access(HERE, KEY), authorization=f"bearer  {KEY} ") is None
    assert refusal(Access(HERE, "clé"), authorization="Bearer clé".encode().decode("latin-1")) is None


def test_the_key_is_not_shown() -> None:
    kept = from_environment({"WORKBENCH_API_KEY": KEY})
    assert kept.api_key == KEY
    assert KEY not in repr(kept) + repr(Access(HERE, KEY))
    assert from_environment({"WORKBENCH_API_KEY": " "}).api_key is None, "white space is no key"


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_server_with_a_key(nothing: Path) -> None:
    with serve(nothing, environ={"WORKBENCH_API_KEY": f" {KEY} "}) as server:
        refused = server.ask("/v1/models")
        assert (refused.status, refused.error["code"]) == (401, "invalid_api_key")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert KEY not in refused.body.decode()
        assert server.ask("/metrics").status == server.ask("/v1/nothing").status == 401
        assert server.ask("/health").status == 200
        assert list(OpenAI(base_url=server.base_url, api_key=KEY).models.list())
        with pytest.raises(openai.AuthenticationError):
            OpenAI(base_url=server.base_url, api_key="wrong", max_retries=0).models.list()
        page = {"Origin": "http://evil.example", "Authorization": f"Bearer {KEY}"}
        assert server.ask("/v1/models", headers=page).status == 403


def test_a_server_that_other_machines_reach_is_closed(nothing: Path) -> None:
    with serve(nothing, "--host", "0.0.0.0") as server:
        for path in ("/v1/models", "/health", "/metrics", "/v1/nothing"):
            refused = server.ask(path)
            assert (refused.status, refused.error["code"]) == (403, "api_key_not_set")
            assert "WORKBENCH_API_KEY" in refused.error["message"]


@pytest.mark.model
def test_a_server_of_this_machine_and_its_names(server: Served) -> None:
    foreign = server.ask("/v1/models", headers={"Host": "evil.example"})
    assert (foreign.status, foreign.error["code"]) == (403, "foreign_host")
    page = server.ask("/v1/models", headers={"Origin": "http://evil.example"})
    assert (page.status, page.error["code"]) == (403, "foreign_origin")
    assert not [name for name in page.headers if name.startswith("access-control")]
    own = {"Host": f"localhost:{server.port}", "Origin": f"http://localhost:{server.port}"}
    assert server.ask("/v1/models", headers=own).status == 200


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
@pytest.mark.model
def test_curl(server: Served) -> None:
    body = '{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "stream": true}'
    command = ["curl", "-sSN", f"{server.base_url}/chat/completions", "-d", body]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("data: {") and done.stdout.endswith("data: [DONE]\n\n")
