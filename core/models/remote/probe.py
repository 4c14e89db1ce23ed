"""Which model servers are running on this machine, found by asking the ports that they are known to use.

Asks 127.0.0.1 and ::1, and host.docker.internal where that name leads to the local network: no other address is ever
guessed. Harmless to whatever else lives at a port: only GET, no key, at most 64 kB read of an answer, no redirection
followed, and everything dropped when the time is up. Who answers is told by core/models/remote/identities.py.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from core.errors import N_, AddressInvalid
from core.models.remote import identities, reaching
from core.models.remote.address import check_host, whereabouts
from core.models.remote.identities import ANY, OURS, RULES, Rule, Said

if TYPE_CHECKING:
    import httpx2

    from core.models.remote.presets import Preset

LIMIT = 64_000
"""Bytes that are read of an answer."""

DOCKER = "host.docker.internal"
"""How a container calls the machine that it runs on."""

FOUNDRY = ("foundry", "service", "status")
"""Foundry Local's port is another one each time, and its own program says which."""

_HEADERS = {"user-agent": OURS, "accept": "application/json, */*", "accept-encoding": "identity"}

FOUNDRY_S = 5.0

UNNAMED = N_("OpenAI-compatible server")


class Detected(msgspec.Struct, frozen=True, kw_only=True):
    """A model server that answers. `name`: its preset's, or `UNNAMED`; `models`: how many it lists, None when unknown.

    `needs_key`: it keeps its list to those who have a key. `seconds`: from the first request to knowing who it is.
    """

    base_url: str
    preset_id: str | None
    name: str
    version: str | None = None
    models: int | None = None
    seconds: float
    needs_key: bool = False


def detect(presets: Iterable[Preset], *, timeout: float = 1.5, local_only: bool = False) -> list[Detected]:
    """The servers of this machine, in the order of the presets and of their ports; waits `timeout` seconds at most.

    A server that another one of the list is too, by another address, is left out; so is this workbench itself.
    `local_only`: nothing but this machine is asked, so not host.docker.internal.
    """
    known = [preset for preset in presets if preset.kind == "machine"]
    search = _Search({preset.id: preset for preset in known}, sorted({port for one in known for port in one.ports}))
    asyncio.run(search.run(timeout, docker=not local_only))
    order = {preset.id: place for place, preset in enumerate(known)}
    found = _distinct([(port, search.found[place, port]) for place, port in sorted(search.found)])
    return sorted(found, key=lambda one: order.get(one.preset_id or "", len(order)))


def _distinct(found: Sequence[tuple[int, Detected]]) -> list[Detected]:
    """Without those that say the same at the same port as one before them: it is one server, at several addresses."""
    seen: dict[tuple[object, ...], Detected] = {}
    for port, one in found:
        seen.setdefault((port, one.preset_id, one.version, one.models, one.needs_key), one)
    return [one for one in seen.values() if one.preset_id != OURS]


@dataclass
class _Search:
    """`found`: by the place of the host and the port."""

    presets: Mapping[str, Preset]
    ports: Sequence[int]
    found: dict[tuple[int, int], Detected] = field(default_factory=dict)

    async def run(self, timeout: float, *, docker: bool) -> None:
        """Asks everything at once, and drops what has not answered in time."""
        import httpx2

        # A transport and no client: a cookie of one server would go to the next. It never speaks TLS, so checks none.
        async with httpx2.AsyncHTTPTransport(verify=False, trust_env=False) as http:
            sources = [self._ports(http, 0, "127.0.0.1"), self._ports(http, 1, "[::1]"), self._foundry(http)]
            if docker:
                sources.append(self._docker(http))
            tasks = [asyncio.create_task(source) for source in sources]
            await asyncio.wait(tasks, timeout=timeout)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ports(self, http: httpx2.AsyncHTTPTransport, place: int, address: str, name: str | None = None) -> None:
        """Of one host: where it is reached, and what it is called."""
        servers = [_Server(http, address, port, name or address) for port in self.ports]
        await asyncio.gather(*(self._port(server, place) for server in servers), return_exceptions=True)

    async def _docker(self, http: httpx2.AsyncHTTPTransport) -> None:
        if (address := await _docker_address()) is not None:
            await self._ports(http, 2, address, DOCKER)

    async def _foundry(self, http: httpx2.AsyncHTTPTransport) -> None:
        port = await _foundry_port() if "foundrylocal" in self.presets else None
        if port is not None and port not in self.ports:
            await self._port(_Server(http, "127.0.0.1", port, "127.0.0.1"), 0)

    async def _port(self, server: _Server, place: int) -> None:
        """Notes who answers as soon as it is known, and how many models it has when that is."""
        import anyio
        import httpx2

        began = time.perf_counter()
        with suppress(httpx2.HTTPError, OSError, anyio.EndOfStream):  # nobody there, or nobody who speaks HTTP
            rule = await server.rule()
            if rule is None or not (rule.preset in self.presets or rule.preset in ("", OURS)):
                return
            preset = self.presets.get(rule.preset)
            path = urlsplit(preset.base_url).path.rstrip("/") if preset else "/v1"
            one = Detected(
                base_url=server.url + path,
                preset_id=rule.preset or None,
                name=preset.name if preset else UNNAMED,
                seconds=time.perf_counter() - began,
            )
            self.found[place, server.port] = one
            one = replace(one, version=await server.version(rule))
            self.found[place, server.port] = one
            said = await server.get(f"{path}/models")
            one = replace(one, models=identities.models(said), needs_key=identities.refuses(said))
            self.found[place, server.port] = one


class _Server:
    """Whoever is at a port. Each path is asked for once."""

    def __init__(self, http: httpx2.AsyncHTTPTransport, address: str, port: int, name: str) -> None:
        self.port = port
        self.url = f"http://{name}:{port}"
        self._transport = http
        self._at = f"http://{address}:{port}"
        self._host = f"{name}:{port}"
        self._said: dict[str, Said] = {}

    async def rule(self) -> Rule | None:
        """The first rule that fits. Raises `httpx2.HTTPError` or `OSError` where nobody speaks HTTP."""
        for rule in RULES:
            if await self._fits(rule):
                return rule
        listed = await self.get(identities.LIST)
        if identities.models(listed) is not None:
            return ANY
        # An API that refuses whatever it is asked is anything.
        wants_key = identities.refuses(listed) and not identities.refuses(await self.get("/"))
        return ANY if wants_key else None

    async def version(self, rule: Rule) -> str | None:
        """What the server says of its version, in at most 40 printable characters."""
        sign = rule.version
        found = sign.found(await self.get(sign.path)) if sign is not None else None
        text = re.sub(r"^llamafile/", "", found or "").strip()
        return text if text.isprintable() and 0 < len(text) <= 40 else None

    async def get(self, path: str) -> Said:
        """What the server says there."""
        if path not in self._said:
            self._said[path] = await self._ask(path)
        return self._said[path]

    async def _fits(self, rule: Rule) -> bool:
        for sign in rule.signs:
            if sign.found(await self.get(sign.path)) is None:
                return False
        return True

    async def _ask(self, path: str) -> Said:
        import httpx2

        request = httpx2.Request("GET", self._at + path, headers={**_HEADERS, "host": self._host})
        response = await self._transport.handle_async_request(request)
        data = bytearray()
        try:
            # Raw, since what is compressed may be far longer than what came.
            async for piece in response.aiter_raw():
                data += piece
                if len(data) > LIMIT:
                    break
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        text = bytes(data[:LIMIT]).decode("utf-8", errors="replace")
        return Said(response.status_code, headers, text, whole=len(data) <= LIMIT)


async def _docker_address() -> str | None:
    """Where host.docker.internal is, if on the local network: a resolver that knows every name is not believed."""
    try:
        found = await reaching.addresses(DOCKER)
    except (OSError, UnicodeError):
        return None
    return next((one for one in found if ":" not in one and _is_near(one)), None)


def _is_near(address: str) -> bool:
    """Whether this is another machine of the local network."""
    with suppress(AddressInvalid):
        check_host(address)
        return whereabouts(f"http://{address}") == "network"
    return False


async def _foundry_port() -> int | None:
    """The port that Foundry Local's program names, where it is installed."""
    program = shutil.which(FOUNDRY[0])
    if program is None:
        return None
    command = [program, *FOUNDRY[1:]]
    try:
        said = await reaching.apart(
            lambda: (
                subprocess.run(
                    command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=FOUNDRY_S
                ).stdout
            )
        )
    except (OSError, subprocess.SubprocessError):
        return None
    named = re.search(rb"https?://(?:localhost|127\.0\.0\.1|\[::1\]):(\d{1,5})\b", said)
    return int(named[1]) if named and 0 < int(named[1]) < 65_536 else None
