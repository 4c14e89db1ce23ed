"""What else may live at a port: databases, things that say nothing, and things that never stop."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


def hold(connection: socket.socket) -> None:
    """Says nothing until the other side has gone."""
    with suppress(OSError):
        while connection.recv(4096):
            pass


def flood(connection: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(b"\x00\xff" * 8192)


def long_page(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10000000\r\n\r\n")
        connection.sendall(b"<p>still here</p>" * 600_000)


def endless_headers(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: and more\r\n" * 1000)


def endless_chunks(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"4000\r\n" + b" " * 0x4000 + b"\r\n")


def bomb(connection: socket.socket) -> None:
    """Says that what it sends is compressed."""
    with suppress(OSError):
        connection.recv(4096)
        data = gzip.compress(b'{"data": []}' + b" " * 5_000_000)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says(data: bytes) -> Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.recv(4096)
            connection.sendall(data)

    return say


POSTGRES = b"E\x00\x00\x00\x8dSFATAL\x00VFATAL\x00C0A000\x00Munsupported frontend protocol 21536.8257\x00\x00"
REDIS = b"-ERR wrong number of arguments for 'get' command\r\n"
MYSQL = b"\x4a\x00\x00\x00\x0a8.4.0\x00\x08\x00\x00\x00"
NOT_HTTP = {
    "postgres": says(POSTGRES),
    "redis": says(REDIS),
    "mysql": says(MYSQL),
    "ssh": says(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "closes": lambda connection: None,
    "resets": reset,
    "floods": flood,
    "nested": says(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60_000),
    "no-utf8": says(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"data": "\xff\xfe"}'),
    "bad-length": says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"),
    "half": says(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
    "long-page": long_page,
    "endless-headers": endless_headers,
    "endless-chunks": endless_chunks,
    "bomb": bomb,
}


@contextmanager
def living(way: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that is no model server, at a port; each connection is dealt with in a thread, then closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=deal, args=listener.accept()[:1], daemon=True).start()

    def deal(connection: socket.socket) -> None:
        with connection:
            way(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for a connection
        listener.close()
