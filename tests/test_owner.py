"""The cookie that names a browser: given once, with its first page, and to nothing but pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from pages.ui.owner import COOKIE, OwnerCookie

PAGE = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NAME = "A" * 40 + "_-9"


async def page(request: Request) -> Response:
    response = PlainTextResponse(request.cookies.get(COOKIE, ""))
    response.set_cookie("other", "1")
    return response


async def broken(request: Request) -> Response:
    return PlainTextResponse("no", status_code=404)


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes = [Route("/", page), Route("/broken", broken), WebSocketRoute("/socket", socket)]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(OwnerCookie)])) as client:
        yield client


def given(client: TestClient, headers: dict[str, str], path: str = "/") -> Morsel[str] | None:
    """The owner's cookie in the answer to one request."""
    for line in client.get(path, headers=headers).headers.get_list("set-cookie"):
        if COOKIE in (cookie := SimpleCookie(line)):
            return cookie[COOKIE]
    return None


def test_a_first_page_names_its_browser(client: TestClient) -> None:
    cookie = given(client, PAGE)
    assert cookie is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", cookie.value)
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert int(cookie["max-age"]) == 365 * 24 * 3600
    assert not cookie["secure"] and not cookie["domain"]


def test_the_name_is_given_once_and_comes_back(client: TestClient) -> None:
    cookie = given(client, PAGE)
    assert cookie is not None
    assert given(client, PAGE) is None
    assert client.get("/", headers=PAGE).text == cookie.value


def test_two_browsers_get_two_names(client: TestClient) -> None:
    names = set()
    for _ in range(5):
        client.cookies.clear()
        cookie = given(client, PAGE)
        assert cookie is not None
        names.add(cookie.value)
    assert len(names) == 5


def test_other_cookies_of_the_answer_stay(client: TestClient) -> None:
    response = client.get("/", headers=PAGE)
    assert response.cookies["other"] == "1" and COOKIE in response.cookies


def test_an_error_page_is_a_page(client: TestClient) -> None:
    assert given(client, PAGE, "/broken") is not None


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/css,*/*;q=0.1", "image/avif,image/webp", ""])
def test_nothing_but_a_page_names_a_browser(client: TestClient, accept: str) -> None:
    assert given(client, {"accept": accept}) is None


def test_a_websocket_passes_through(client: TestClient) -> None:
    with client.websocket_connect("/socket", headers=PAGE) as websocket:
        assert websocket.receive_text() == "hello"


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_cookie_is_secure_where_the_page_is(client: TestClient, scheme: str) -> None:
    client.base_url = f"{scheme}://testserver"  # type: ignore[assignment]
    cookie = given(client, PAGE)
    assert cookie is not None
    assert bool(cookie["secure"]) is (scheme == "https")


@pytest.mark.parametrize(
    "forged",
    ["", "short", "A" * 42, "A" * 44, "person", "../" + "A" * 40, "A" * 42 + "\x00", f"{NAME} {NAME}"],
)
def test_a_name_that_is_none_of_ours_is_replaced(client: TestClient, forged: str) -> None:
    cookie = given(client, PAGE | {"cookie": f"{COOKIE}={forged}"})
    assert cookie is not None and cookie.value != forged


@pytest.mark.parametrize(
    "cookies",
    [
        f"{COOKIE}={NAME}",
        f"a=b; {COOKIE}={NAME}; c=d",
        f'{COOKIE}={NAME}; quoted="x y"',
        f'json={{"a":1}}; {COOKIE}={NAME}',
        f"path=/; {COOKIE}={NAME}",
        f"flag; {COOKIE}={NAME}",
    ],
)
def test_a_name_among_other_cookies_is_kept(client: TestClient, cookies: str) -> None:
    assert given(client, PAGE | {"cookie": cookies}) is None
