"""A server of its own for one poll: listens from `Listener(…)` to `close`, with the routes it is given and no others.

Runs in a thread beside the workbench's server and shares nothing with it but the process. What could take the process
down with it is bounded: connections, and how long one may say nothing.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.errors import AddressTaken

PORTS = range(8510, 8530)
"""Tried first, so that a firewall can let them in and an address is short to type; then any that is free."""

MOST_CONNECTIONS = 400
"""A phone holds one for the end of the poll and a few while it loads. Each takes a file handle of the process."""

SILENCE_S = 15.0
"""How long a new connection may take to say what it wants."""

GOODBYE_S = 3
"""How long phones have to hear of the end."""

THREAD = "classroom-listener"

_LONGEST_HEAD = 16 * 1024


class Listener:
    """Serves from a socket of `bound`, until it is closed."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=_Bounded,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GOODBYE_S,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
        )
        self._server = uvicorn.Server(config)
        self._listening = listening
        logging.getLogger("uvicorn.error").addFilter(_quiet)
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it; nothing listens there when this returns."""
        self._server.should_exit = True
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listening])
        finally:
            self._listening.close()


def bound(address: str) -> socket.socket:
    """A socket that listens on this address, on one of PORTS where one is free. Raises `AddressTaken`."""
    for port in (*PORTS, 0):
        try:
            return socket.create_server((address, port), backlog=256)
        except (OSError, UnicodeError) as error:
            failed = error
    raise AddressTaken(address=address, detail=getattr(failed, "strerror", None) or str(failed)) from failed


def _quiet(record: logging.LogRecord) -> bool:
    """Not what uvicorn says of starting and ending: in the log of the workbench it would seem to be the workbench's."""
    return record.threadName != THREAD or record.levelno >= logging.ERROR


class _Bounded(H11Protocol):
    """uvicorn's connection, refused beyond a number, and ended when it asks nothing."""

    @property
    def asked(self) -> bool:
        """Whether a whole head has come."""
        return bool(self.scope)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self.loop.call_later(SILENCE_S, self._end_if_silent)

    def _end_if_silent(self) -> None:
        if not self.asked:
            self.transport.abort()
