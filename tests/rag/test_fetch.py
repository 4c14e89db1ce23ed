"""Pages of the web: fetched from a real server, and from nowhere that a name may lead to in disguise."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import AddressInvalid, LocalOnly, PageRefused
from core.rag import fetch
from tests.rag import making


class Site(BaseHTTPRequestHandler):
    """A page, a redirection to anywhere, one to itself, one without end."""

    def do_GET(self) -> None:  # the name is http.server's
        path, _, target = self.path.partition("?")
        if path == "/to":
            self._say(302, location=target)
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 1_000_000)
            except OSError:
                return
        else:
            self._say(200 if path == "/île/page" or path == "/%C3%AEle/page" else 404)

    def _say(self, status: int, *, location: str = "") -> None:
        data = making.html() if status == 200 else b""
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def page(url: str) -> bytes:
    """Fetched as if this machine were the public web."""
    return fetch.page(url, local_only=False, allowed=lambda address: address.is_loopback).data or b""


def test_a_page_comes_with_a_name_that_says_what_it_is(site: str) -> None:
    found = fetch.page(f"{site}/île/page", local_only=False, allowed=lambda address: True)
    assert (found.data, found.name) == (making.html(), "127.0.0.1 › île › page.html")


def test_redirections_are_followed_one_by_one(site: str) -> None:
    assert page(f"{site}/to?/to?{site}/%C3%AEle/page") == making.html()
    with pytest.raises(PageRefused, match="without end"):
        page(f"{site}/to?/to?/to?/to?/to?/to?/to?/")


@pytest.mark.parametrize("target", ["http://10.0.0.1/", "http://127.0.0.2/", "http://192.168.1.1/x"])
def test_a_redirection_leads_nowhere_else_than_an_address(site: str, target: str) -> None:
    with pytest.raises(PageRefused, match="not on the public web"):
        fetch.page(f"{site}/to?{target}", local_only=False, allowed=lambda a: a == ipaddress.ip_address("127.0.0.1"))


def test_a_redirection_to_a_file_is_refused(site: str) -> None:
    with pytest.raises(AddressInvalid):
        page(f"{site}/to?file:///etc/passwd")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[fc00::1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
    ],
)
def test_nothing_but_the_public_web_is_asked(site: str, address: str) -> None:
    port = site.rpartition(":")[2]
    with pytest.raises((PageRefused, AddressInvalid)) as caught:
        fetch.page(f"http://{address}:{port}/île/page", local_only=False)
    assert (
        "public web" in str(caught.value) or isinstance(caught.value, AddressInvalid) or "reached" in str(caught.value)
    )


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]", "metadata.google.internal", "[fd00:ec2::254]"])
def test_where_a_cloud_keeps_its_secrets_is_an_invalid_address(address: str) -> None:
    with pytest.raises(AddressInvalid):
        fetch.page(f"http://{address}/latest/meta-data", local_only=False)


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "http://a:b@example.com/", "//example.com", "http://", "http://a b"]
)
def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(AddressInvalid):
        fetch.page(url, local_only=False)


def test_a_name_with_one_address_that_is_not_public_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the one that was looked at is the one that is asked: no name is looked up twice."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", (ip, port)) for ip in ("93.184.216.34", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(PageRefused, match="public web"):
        fetch.page("http://rebinding.example/", local_only=False)
    assert asked == ["rebinding.example"]


def test_nothing_is_asked_where_all_stays_here() -> None:
    with pytest.raises(LocalOnly):
        fetch.page("https://example.com/", local_only=True)


def test_a_page_that_never_ends_is_ended(site: str) -> None:
    with pytest.raises(PageRefused, match="50 MB"):
        page(f"{site}/endless")


def test_a_page_that_is_not_there_says_so(site: str) -> None:
    with pytest.raises(PageRefused, match="404"):
        page(f"{site}/nothing")
