"""Who may use the API.

A server that only this machine can reach is open to its programs, and to no web page: neither to one of another origin,
nor to one whose name was made to lead here (DNS rebinding). With a key, whoever sends it may ask, and such pages still
may not. A server that other machines can reach has no API without a key. No CORS headers are ever sent.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from core.errors import ApiClosed, ApiKeyWrong, HostForeign, OriginForeign


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server listens (None: at every address), and the key it asks for (None: no key is set)."""

    address: str | None
    key: str | None = field(default=None, repr=False)

    @property
    def closed(self) -> bool:
        """Whether nobody may ask: other machines can, and there is no key."""
        return self.key is None and not is_loopback(self.address or "")


def check(access: Access, headers: Headers, *, keyless: bool = False) -> None:
    """Raises the `ApiError` that says why this request may not be made; `keyless`: it needs no key."""
    if access.closed:
        raise ApiClosed()
    host, origin = headers.get("host", ""), headers.get("origin")
    if origin is not None and _netloc(origin) != host.lower():
        raise OriginForeign(origin=origin)
    if access.key is None:
        if not is_loopback(_hostname(host)):
            raise HostForeign(host=host)
    elif not (keyless or _same(access.key, headers.get("authorization", ""))):
        raise ApiKeyWrong()


def is_loopback(name: str) -> bool:
    """Whether a name or an address without a port is this machine's own."""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same(key: str, authorization: str) -> bool:
    scheme, _, sent = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode("latin-1"), key.encode())
