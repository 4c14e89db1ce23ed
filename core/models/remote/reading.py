"""One request's HTTP stream, read in a thread of its own, so that whoever reads the answer never waits on the network.

An event loop in the thread makes every wait in it (connecting, the first byte, Retry-After) end at once on `close`.
Nothing is asked twice once a response has begun.
"""

from __future__ import annotations

import asyncio
import functools
import queue
import random
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import N_, AddressInvalid
from core.models.remote import chunks, faults, sse
from core.models.remote.address import check_host
from core.models.remote.chunks import Chunk
from core.models.remote.endpoint import PATH, Endpoint
from core.models.remote.faults import Refused

if TYPE_CHECKING:
    import httpx2
    import openai

ERROR_LIMIT = 64_000
"""Bytes of an error's body that are read."""

FIRST_WAIT_S = 0.5
"""Before the second attempt, where the endpoint names no time; doubled before each further one."""

_TRANSPORT_HEADERS = ("host", "connection", "content-length", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk, and the seconds from the request being handed over to its arrival."""

    chunk: Chunk
    at: float


Item = Piece | Exception | None
"""None: the stream has ended."""


class Reading:
    """Starts at once. `items` gets the pieces as they come, then None or the error. `close` drops the connection.

    `whole`: the stream ended with the mark that it is complete.
    `usage_refused`: the endpoint did not take `stream_options`, and was asked again without.
    """

    def __init__(self, endpoint: Endpoint, body: dict[str, Any], *, retries: int) -> None:
        self.items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.whole = False
        self.usage_refused = False
        self._endpoint = endpoint
        self._body = body
        self._retries = retries
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._began = 0.0
        threading.Thread(target=self._run, name=f"reading {endpoint.provider}", daemon=True).start()

    def close(self) -> None:
        """Drops the connection, whatever it is doing. Returns at once."""
        with self._lock:
            self._closed = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                asyncio.run(self._main())
            self.items.put(None)  # whatever ended it, nobody waits for more
        except Exception as error:
            self.items.put(error)

    async def _main(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            await self._read()
        finally:
            with self._lock:
                self._loop = None

    async def _read(self) -> None:
        with faults.mapped(self._endpoint, model=str(self._body["model"])):
            client = open_client(self._endpoint)
            # The clock starts here: reading the packages in, once a process, is none of the endpoint's doing.
            self._began = time.perf_counter()
            async with client:
                response = await self._open(client)
                try:
                    await self._take(response)
                finally:
                    await response.aclose()

    async def _open(self, client: openai.AsyncOpenAI) -> httpx2.Response:
        attempt = 0
        while True:
            try:
                return await _post(client, self._body)
            except Refused as refused:
                if self._drops_usage(refused):
                    continue
                wait_s = _wait_s(refused, attempt)
                if not refused.passing or attempt >= self._retries or wait_s > self._endpoint.timeouts.wait_s:
                    raise
                attempt += 1
                await asyncio.sleep(wait_s)

    def _drops_usage(self, refused: Refused) -> bool:
        if refused.status not in (400, 422) or not refused.says("stream_options", "include_usage"):
            return False
        self.usage_refused = self._body.pop("stream_options", None) is not None
        return self.usage_refused

    async def _take(self, response: httpx2.Response) -> None:
        pieces = response.aiter_bytes()
        first = await anext(pieces, b"")
        if first.lstrip().startswith(b"{"):  # an endpoint that does not stream answers in one piece
            self._put(await _all(first, pieces))
            self.whole = True
        else:
            await self._take_events(response, first, pieces)
        self.items.put(None)

    async def _take_events(self, response: httpx2.Response, first: bytes, pieces: AsyncIterator[bytes]) -> None:
        decoder = sse.Decoder()
        try:
            self._pass_on(decoder.feed(first))
            while not self.whole and (piece := await anext(pieces, None)) is not None:
                self._pass_on(decoder.feed(piece))
            with suppress(msgspec.DecodeError, UnicodeDecodeError):  # half an event is the end of a stream that was cut
                self._pass_on(decoder.end())
        except sse.StreamInvalid:
            if "html" in response.headers.get("content-type", ""):
                raise sse.StreamInvalid(N_("it sent a web page")) from None
            raise

    def _pass_on(self, events: Iterable[bytes]) -> None:
        """Up to the mark of the end, after which nothing is read."""
        for event in events:
            self.whole = self.whole or event.strip() == b"[DONE]"
            if not self.whole:
                self._put(event)

    def _put(self, event: bytes) -> None:
        self.items.put(Piece(chunks.decode(event), time.perf_counter() - self._began))


async def _post(client: openai.AsyncOpenAI, body: dict[str, Any]) -> httpx2.Response:
    """The response, its body unread. Raises `Refused` for a status that is no success, or the client's errors."""
    import httpx2

    return await client.post(PATH, cast_to=httpx2.Response, body=body, stream=bool(body["stream"]))


async def _all(first: bytes, pieces: AsyncIterator[bytes]) -> bytes:
    data = bytearray(first)
    async for piece in pieces:
        data += piece
        if len(data) > sse.LIMIT:
            raise sse.StreamInvalid(N_("one event is larger than 16 MB"))
    return bytes(data)


def _wait_s(refused: Refused, attempt: int) -> float:
    asked = refused.retry_after_s
    return asked if asked is not None else FIRST_WAIT_S * 2**attempt * random.uniform(0.75, 1.25)


def open_client(endpoint: Endpoint) -> openai.AsyncOpenAI:
    """A client for one request. It sends our headers and no others: openai adds some that tell of this machine, and
    from OPENAI_… variables that are meant for another host. It follows no redirection, and does not retry.

    Whatever is sent to an endpoint goes through here. Raises `LocalOnly` where its owner does not want it sent.
    """
    import openai

    endpoint.allowed()

    async def ours_only(request: httpx2.Request) -> None:
        kept = {name: request.headers[name] for name in _TRANSPORT_HEADERS if name in request.headers}
        # A stream that is compressed comes late, and may be much larger than what was received.
        own = {"accept": "text/event-stream, application/json", "accept-encoding": "identity"}
        request.headers = type(request.headers)({**kept, **own, **headers(endpoint)})
        request.extensions = {**request.extensions, "trace": _watch}

    async def refuse(response: httpx2.Response) -> None:
        if not response.is_success:
            raise Refused(response.status_code, response.headers, await _beginning(response, endpoint))

    timeouts = openai.Timeout(endpoint.timeouts.read_s, connect=endpoint.timeouts.connect_s)
    transport = openai.DefaultAsyncHttpxClient(
        verify=certificates(),
        timeout=timeouts,
        trust_env=not endpoint.on_this_machine,
        follow_redirects=False,
        event_hooks={"request": [ours_only], "response": [refuse]},
    )
    return openai.AsyncOpenAI(
        api_key="in the headers", base_url=endpoint.base_url, timeout=timeouts, max_retries=0, http_client=transport
    )


async def _watch(event: str, info: dict[str, Any]) -> None:
    """Looks where a connection has led, before anything is sent over it: a name may lead where no address may."""
    import httpx2

    if event == "connection.connect_tcp.complete":
        stream = info["return_value"]
        try:
            reached = stream.get_extra_info("server_addr")
            if reached is None:  # the other side was quicker to close it than the system to say who it was
                raise httpx2.ConnectError("the connection was lost")
            check_host(reached[0])
        except (AddressInvalid, httpx2.ConnectError):
            await stream.aclose()
            raise


def headers(endpoint: Endpoint) -> dict[str, str]:
    """The headers that are sent, but those of the transport."""
    key = {"authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    own = {"content-type": "application/json", "user-agent": "inference-workbench", **key}
    return own | {name.lower(): value for name, value in endpoint.headers.items()}


async def _beginning(response: httpx2.Response, endpoint: Endpoint) -> bytes:
    """What can be had of an error's body; an endpoint that fails may fail at that too."""
    import httpx2

    data = bytearray()
    with suppress(httpx2.RequestError, TimeoutError):
        async with asyncio.timeout(endpoint.timeouts.read_s):
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > ERROR_LIMIT:
                    break
    return bytes(data[:ERROR_LIMIT])


def prepare() -> None:
    """Reads in what the first request needs, which takes about a second once a process."""
    import openai  # noqa: F401

    certificates()


@functools.cache
def certificates() -> ssl.SSLContext:
    """Reading them takes tens of milliseconds."""
    import httpx2

    return httpx2.create_ssl_context()
