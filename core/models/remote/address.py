"""Addresses of endpoints: which are taken, where they lead, and what a key belongs to. Nothing is looked up.

What a person typed is never quoted in an error: it may hold a password.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from core.errors import N_, AddressInvalid

PATH = "/chat/completions"
"""Follows the base URL."""

Whereabouts = Literal["machine", "network", "away"]
"""Where what is sent goes: it stays on this machine, it stays on the local network, it leaves."""

_LOCAL_NETWORKS = [
    ipaddress.ip_network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
]
"""RFC 1918, 3927, 4193 and 4291. `ipaddress.is_private` has more, some of which leads anywhere (6to4, 2002::/16)."""

_LINK_LOCAL = [
    ipaddress.ip_network(block) for block in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32")
]
_METADATA_NAMES = ("metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal")
"""RFC 3927 and 4291, and where the clouds tell a machine its own secrets: no model is there."""

_LOCAL_NAMES = (".local", ".internal", ".home.arpa")
"""RFC 6762; reserved by ICANN in July 2024; RFC 8375."""


def origin(base_url: str) -> str:
    """Scheme, host and port of an address, always in the same form: what a key belongs to."""
    parts = urlsplit(base_url)
    scheme = parts.scheme.lower()
    port = parts.port or (443 if scheme == "https" else 80)
    return f"{scheme}://{(parts.hostname or '').removesuffix('.')}:{port}"


def whereabouts(address: str) -> Whereabouts:
    """Where the host of an address is, by its name alone: nothing is looked up, and what is in doubt is away."""
    host = (urlsplit(address).hostname or "").removesuffix(".")
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return _by_name(host)
    ip = (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip
    if ip.is_loopback:
        return "machine"
    return "network" if any(ip in block for block in _LOCAL_NETWORKS) else "away"


def _by_name(host: str) -> Whereabouts:
    if host == "localhost" or host.endswith(".localhost"):
        return "machine"
    # A number without dots, such as 134744072, is an address of the wide world in disguise.
    single_label = re.fullmatch(r"[a-z][a-z0-9_-]*", host) is not None
    return "network" if single_label or host.endswith(_LOCAL_NAMES) else "away"


def checked_url(base_url: str) -> str:
    """A base URL as it is used: no white space around it, no /chat/completions and no slash at its end.

    Raises `AddressInvalid`, which does not quote it: it may hold a password.
    """
    text = base_url.strip()
    if re.search(r"[\s\x00-\x20\x7f\\]", text):
        raise AddressInvalid(detail=N_("it has a space or a character in it that no address has"))
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise AddressInvalid(detail=N_("its host or its port is none")) from None
    _check(parts)
    if "?" in text or "#" in text:
        raise AddressInvalid(detail=N_("it has a ? or a # in it"))
    return text.rstrip("/").removesuffix(PATH).rstrip("/")


def _check(parts: SplitResult) -> None:
    if parts.scheme.lower() not in ("http", "https"):
        raise AddressInvalid(detail=N_("it does not begin with http:// or https://"))
    if "@" in parts.netloc:
        raise AddressInvalid(detail=N_("it has a user name or a password in it"))
    if not parts.hostname:
        raise AddressInvalid(detail=N_("it names no host"))
    if "{" in parts.geturl():
        raise AddressInvalid(detail=N_("a part of it is still to be filled in"))
    check_host(parts.hostname.removesuffix("."))


def check_host(host: str) -> None:
    """Raises `AddressInvalid` for a link-local address, or where a cloud tells a machine its own secrets."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    with suppress(ValueError):
        ip = ipaddress.ip_address(host.partition("%")[0])
    if ip is None:
        with suppress(OSError):  # 2852039166 and 0xA9FEA9FE are 169.254.169.254 too
            ip = ipaddress.IPv4Address(socket.inet_aton(host))
    ip = (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip
    if host in _METADATA_NAMES or (ip is not None and any(ip in block for block in _LINK_LOCAL)):
        raise AddressInvalid(detail=N_("it is a machine's address for its own settings, where no model is"))
