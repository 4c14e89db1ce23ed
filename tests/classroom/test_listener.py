"""What a network reaches while a vote is open: this one page, with bounded requests, and nothing before or after."""

from __future__ import annotations

import socket
import threading

import pytest

from core.classroom import listener
from core.classroom.addresses import LOOPBACK
from core.classroom.ballots import Poll
from core.classroom.polls import Classroom
from core.errors import AddressTaken
from tests.answering import until
from tests.classroom.conftest import ME
from tests.classroom.phones import FORM, QUESTION, Phone, paper, reachable


def test_nothing_listens_before_and_after(classroom: Classroom) -> None:
    before = threading.active_count()
    first = classroom.open(ME, paper(), address=LOOPBACK)
    second = classroom.open(ME, paper(), address=LOOPBACK)
    assert reachable(first.url)
    assert reachable(second.url)
    classroom.close(ME, first.id)
    assert not reachable(first.url)
    assert reachable(second.url)
    classroom.end()
    assert not reachable(second.url)
    until(lambda: threading.active_count() <= before)


def test_it_listens_on_the_address_that_was_asked_for_only(poll: Poll) -> None:
    port = int(poll.host.split(":")[1])
    with socket.socket() as probe:
        assert probe.connect_ex((LOOPBACK, port)) == 0
        assert probe.getpeername()[0] == LOOPBACK
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_the_port_is_one_that_is_free(poll: Poll) -> None:
    with listener.bound(LOOPBACK) as one, listener.bound(LOOPBACK) as other:
        ports = {one.getsockname()[1], other.getsockname()[1], int(poll.host.split(":")[1])}
    assert len(ports) == 3


def test_an_address_that_is_none_is_said() -> None:
    with pytest.raises(AddressTaken):
        listener.bound("no address")


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/health", "/_stcore/stream", "/_stcore/upload_file/x", "/v1/models", "/v1/chat/completions",
        "/tokenize", "/metrics", "/health", "/workbench/answers/1", "/workbench/answers/1/stop", "/compare",
        "/static/js/index.js", "/app.py", "/../app.py", "/phone.css/../../phone.py", "/paper.html", "/web/paper.html",
        "//", "/favicon.ico", "/docs", "/openapi.json", "/CODE/events/more",
    ],
)  # fmt: skip
def test_nothing_of_the_workbench_is_there(standing: tuple[Classroom, Poll], path: str) -> None:
    for method in ("GET", "POST"):
        answer = Phone(standing[1].url).ask(method, path, b"{}" if method == "POST" else None)
        assert answer.status in (404, 405)
        assert QUESTION not in answer.text
        assert "There is no open vote here" in answer.text


def test_there_is_no_websocket(poll: Poll) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    phone = Phone(poll.url)
    for path in ("/_stcore/stream", phone.path):
        assert phone.look(path, **upgrade, **{"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}).status != 101


@pytest.mark.parametrize("counted", [True, False], ids=["with its length", "in chunks"])
def test_fifty_megabytes_are_not_read(poll: Poll, classroom: Classroom, counted: bool) -> None:
    """The sender is cut off, and the others go on."""
    phone = Phone(poll.url)
    phone.look()
    head = f"POST {phone.path} HTTP/1.1\r\nHost: {phone.host}\r\nCookie: {phone.cookie}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n"
    head += f"Content-Length: {50_000_000}\r\n\r\n" if counted else "Transfer-Encoding: chunked\r\n\r\n"
    piece = b"choice=a&" * 8192
    sent = 0
    with socket.create_connection(("127.0.0.1", int(phone.host.split(":")[1])), timeout=20) as connection:
        try:
            connection.sendall(head.encode())
            while sent < 50_000_000:
                connection.sendall(piece if counted else b"%x\r\n%b\r\n" % (len(piece), piece))
                sent += len(piece)
        except OSError:
            pass
    assert sent < 50_000_000
    assert classroom.tally(ME, poll.id).total == 0
    assert phone.vote("a").status == 303


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"A" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_of_ours_harms_nobody(standing: tuple[Classroom, Poll], raw: bytes) -> None:
    _, poll = standing
    said = b""
    with socket.create_connection(("127.0.0.1", int(poll.host.split(":")[1])), timeout=20) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                said += piece
        except OSError:
            pass
    assert said == b"" or said.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert Phone(poll.url).look().status == 200


def test_connections_are_bounded(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says nothing is ended, and beyond a number none is taken: each is a file handle of the workbench."""
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 5)
    monkeypatch.setattr(listener, "SILENCE_S", 0.5)
    poll = classroom.open(ME, paper(), address=LOOPBACK)
    port = int(poll.host.split(":")[1])
    silent = [socket.create_connection((LOOPBACK, port), timeout=20) for _ in range(12)]
    try:
        assert [ended(one) for one in silent] == [True] * 12
    finally:
        for one in silent:
            one.close()
    assert Phone(poll.url).look().status == 200


def test_a_form_that_does_not_come_is_not_waited_for(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.classroom import phone as phones

    monkeypatch.setattr(phones, "BODY_S", 0.2)
    phone = Phone(poll.url)
    phone.look()
    with socket.create_connection((LOOPBACK, int(phone.host.split(":")[1])), timeout=20) as connection:
        kind = FORM["Content-Type"]
        head = f"POST {phone.path} HTTP/1.1\r\nHost: {phone.host}\r\nCookie: {phone.cookie}\r\nContent-Type: {kind}\r\n"
        connection.sendall(f"{head}Content-Length: 100\r\n\r\nchoi".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")


def ended(connection: socket.socket) -> bool:
    """Waits until the other side has closed it."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
