"""The way to an endpoint, one stage at a time and by hand: its name looked up, a connection opened, TLS agreed on.

Nothing is sent beyond that. Where a proxy stands between, it is the proxy's way, and `proxied` says so.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from core.errors import N_, ProviderUnreachable, ProviderUntrusted
from core.models.remote import faults
from core.models.remote.address import check_host
from core.models.remote.endpoint import Endpoint

T = TypeVar("T")
_PORTS = {"http": 80, "https": 443}


class Secured(msgspec.Struct, frozen=True):
    """What TLS agreed on: its version, and the last day of the server's certificate, ISO 8601."""

    version: str
    until: str


class Background:
    """An event loop in a thread, while the block lasts. What still runs at its end is cancelled, and nobody waits."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name="reaching out", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def start(self, task: Coroutine[Any, Any, T]) -> Future[T]:
        """Runs it there."""
        return asyncio.run_coroutine_threadsafe(task, self._loop)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._drop(asyncio.all_tasks(self._loop)))
        finally:
            self._loop.close()

    async def _drop(self, tasks: set[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Connection:
    """A connection to an endpoint, opened in stages. Raises a `ProviderError` at the stage that fails."""

    def __init__(self, endpoint: Endpoint) -> None:
        parts = urlsplit(endpoint.base_url)
        self._endpoint = endpoint
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme.lower()]
        self._writer: asyncio.StreamWriter | None = None

    async def resolve(self) -> list[str]:
        """The addresses of the host's name. Raises `AddressInvalid` where one is no model's."""
        try:
            async with asyncio.timeout(self._endpoint.timeouts.connect_s):
                found = await addresses(self._host)
        except TimeoutError:
            raise self._unreachable(N_("its name was looked up without an answer")) from None
        except socket.gaierror as exc:
            passing = exc.errno == socket.EAI_AGAIN
            why = N_("names cannot be looked up: is there a network?") if passing else N_("its name is not known")
            raise self._unreachable(why) from None
        except (OSError, UnicodeError):
            raise self._unreachable(N_("its name is not known")) from None
        for address in found:
            check_host(address)
        return found

    async def connect(self, found: Sequence[str]) -> str:
        """Opens a connection to the first of the addresses that takes it, and says to which."""
        reason: OSError | None = None
        try:
            async with asyncio.timeout(self._endpoint.timeouts.connect_s):
                for address in found:
                    try:
                        _, self._writer = await asyncio.open_connection(address, self._port)
                        return f"[{address}]:{self._port}" if ":" in address else f"{address}:{self._port}"
                    except OSError as exc:
                        reason = exc
        except TimeoutError:
            raise self._unreachable(N_("nothing there answers")) from None
        raise faults.unconnected(self._endpoint, reason or OSError()) from None

    async def secure(self, context: ssl.SSLContext) -> Secured:
        """Agrees on TLS over the open connection, and checks the certificate."""
        assert self._writer is not None
        try:
            async with asyncio.timeout(self._endpoint.timeouts.connect_s):
                await self._writer.start_tls(context, server_hostname=self._host)
        except ssl.SSLError as exc:
            raise faults.unconnected(self._endpoint, exc) from None
        except OSError:  # a time-out too: whoever waits for HTTP says nothing to a greeting in TLS
            where = {"provider": self._endpoint.provider, "address": self._endpoint.base_url}
            raise ProviderUntrusted(**where, detail=N_("TLS is not spoken there")) from None
        made = self._writer.get_extra_info("ssl_object")
        last = ssl.cert_time_to_seconds(made.getpeercert()["notAfter"])
        return Secured(made.version(), datetime.fromtimestamp(last, UTC).date().isoformat())

    async def close(self) -> None:
        """Drops the connection."""
        if self._writer is not None:
            self._writer.close()

    def _unreachable(self, why: str) -> ProviderUnreachable:
        where = {"provider": self._endpoint.provider, "address": self._endpoint.base_url}
        return ProviderUnreachable(**where, detail=why)


async def apart(work: Callable[[], T]) -> T:
    """What the work gives, done in a thread of its own that a cancelled task leaves behind.

    For what cannot be cancelled: an executor's threads are waited for at the end of a loop.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(say: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if answer.done() else say())

    def run() -> None:
        try:
            result = work()
        except Exception as exc:
            error = exc
            settle(lambda: answer.set_exception(error))
        else:
            settle(lambda: answer.set_result(result))

    threading.Thread(target=run, name="apart", daemon=True).start()
    return await answer


async def addresses(host: str) -> list[str]:
    """The addresses of a host, in the system's order. Raises `OSError` or `UnicodeError`."""
    found = await apart(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def proxied(endpoint: Endpoint) -> bool:
    """Whether a proxy stands between, as the environment or the system has it."""
    if endpoint.on_this_machine:
        return False
    parts = urlsplit(endpoint.base_url)
    proxies = urllib.request.getproxies()
    there = parts.scheme.lower() in proxies or "all" in proxies
    return there and not urllib.request.proxy_bypass(parts.hostname or "")
