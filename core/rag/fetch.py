"""A page of the web as a file to add: fetched once, with limits, from nowhere but the public web.

Off until a person asks for it (`Collections.set_web`). Every address that a name leads to is looked at, and the
connection goes to one that was: a name that leads elsewhere a moment later leads nowhere. Redirections are followed one
by one, each looked at likewise. Nothing is sent but the request; no proxy is used, which would look names up itself.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from core.errors import N_, AddressInvalid, LocalOnly, PageRefused
from core.models.remote.address import check_host
from core.models.remote.reading import certificates
from core.rag.files import Incoming

LIMIT = 50_000_000
"""Bytes of a page."""

LIMIT_S = 60.0
CONNECT_S = 10.0
HOPS = 5
PIECE = 65_536
_HEADERS = {"Accept": "text/html,application/pdf,text/*", "Accept-Encoding": "identity", "User-Agent": "workbench"}

_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""RFC 6052 and 8215: a network may lead these to any address of the fourth version."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Whether it is of the wide world: not this machine's, not this network's, none that is for something else."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        if any(address in block for block in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


def page(url: str, *, local_only: bool, allowed: Callable[[Address], bool] = is_public) -> Incoming:
    """What is at the address. Raises `PageRefused`, `AddressInvalid`, or `LocalOnly` where nothing may leave."""
    ends = time.monotonic() + LIMIT_S
    for _ in range(HOPS):
        parts = _checked(url)
        if local_only:
            raise LocalOnly(provider=parts.hostname or "")
        try:
            moved, incoming = _once(parts, allowed, ends)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            if isinstance(exc, TimeoutError):
                raise PageRefused(detail=N_("it does not answer in time")) from None
            raise PageRefused(detail=N_("it cannot be reached")) from None
        if incoming is not None:
            return incoming
        url = urljoin(url, moved)
    raise PageRefused(detail=N_("it leads from one address to the next without end"))


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise AddressInvalid(detail=N_("its host or its port is none")) from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise AddressInvalid(detail=N_("it does not begin with http:// or https://"))
    if "@" in parts.netloc:
        raise AddressInvalid(detail=N_("it has a user name or a password in it"))
    if any(ord(one) <= 32 or one in "\\\x7f" for one in parts.geturl()):
        raise AddressInvalid(detail=N_("it has a space or a character in it that no address has"))
    check_host(parts.hostname.removesuffix("."))
    return parts


def _once(parts: SplitResult, allowed: Callable[[Address], bool], ends: float) -> tuple[str, Incoming | None]:
    """Where the page has moved to, or what it is."""
    host, secure = parts.hostname or "", parts.scheme.lower() == "https"
    port = parts.port or (443 if secure else 80)
    connection = _Pinned(host, port, _looked_up(host, port, allowed), certificates() if secure else None)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Accept": "text/html,application/pdf,text/*",
            "Accept-Encoding": "identity",
            "User-Agent": "workbench",
        }
        connection.request("GET", _ascii(target), headers=headers)
        response = connection.getresponse()
        if response.status in (301, 302, 303, 307, 308):
            return response.getheader("Location") or "", None
        if response.status != 200:
            raise PageRefused(detail=f"HTTP {response.status}")
        return "", Incoming(_name(parts, response.getheader("Content-Type") or ""), data=_body(response, ends))
    finally:
        connection.close()


def _body(response: http.client.HTTPResponse, ends: float) -> bytes:
    data = bytearray()
    while piece := response.read1(PIECE):
        data += piece
        if len(data) > LIMIT:
            raise PageRefused(detail=N_("it has more than 50 MB"))
        if time.monotonic() > ends:
            raise TimeoutError
    return bytes(data)


def _looked_up(host: str, port: int, allowed: Callable[[Address], bool]) -> str:
    """An address of the host. All that it has must be allowed: which one is taken is nobody's to choose."""
    found = {str(one[4][0]).partition("%")[0] for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    for address in found:
        check_host(address)
        if not allowed(ipaddress.ip_address(address)):
            raise PageRefused(detail=N_("it is not on the public web"))
    return min(found, key=lambda address: ":" in address)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever the host's name leads to now."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=CONNECT_S)
        self._address = address
        self._context = context

    def connect(self) -> None:
        """Opens it."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


def _ascii(target: str) -> str:
    from urllib.parse import quote

    return quote(target, safe="/%?=&;:@+$,!*'()~#-._")


def _name(parts: SplitResult, media_type: str) -> str:
    """What the document is called: its address, with an end by which it is known what it is."""
    ends = {"text/html": ".html", "application/xhtml+xml": ".html", "text/markdown": ".md", "text/csv": ".csv"}
    path = unquote(parts.path).strip("/").replace("/", " › ")
    name = f"{parts.hostname} › {path}" if path else parts.hostname or ""
    end = ends.get(media_type.partition(";")[0].strip().lower(), "")
    return name if name.lower().endswith(end) else name + end
