"""Where a connection leads is looked at before anything is sent over it."""

from __future__ import annotations

import asyncio
import socket
import struct

import httpx2
import pytest
from anyio._backends._asyncio import SocketStream, StreamProtocol
from httpcore2._backends.anyio import AnyIOStream

from core.models.remote import reading


def test_a_connection_that_is_gone_before_it_can_be_asked_where_it_led() -> None:
    async def closed() -> AnyIOStream:
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = socket.create_connection(server.getsockname())
            theirs, _ = server.accept()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.close()
        with pytest.raises(ConnectionResetError):
            ours.recv(1)
        ours.setblocking(False)
        return AnyIOStream(SocketStream(*await asyncio.get_running_loop().create_connection(StreamProtocol, sock=ours)))

    async def watched() -> None:
        await reading._watch("connection.connect_tcp.complete", {"return_value": await closed()})

    with pytest.raises(httpx2.ConnectError, match="connection was lost"):
        asyncio.run(watched())
