"""Where a remote model is reached, and with what: an address, a key, headers, time-outs. Checked once, then frozen.

The key and the headers are in no repr; `scrub` takes them out of whatever an endpoint says before it is shown.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from core.errors import N_, AddressInvalid, KeyUnusable

PATH = "/chat/completions"
"""Follows the base URL."""

SHORTEST_SECRET = 4
"""A header shorter than this is no secret, and taking it out would tear words apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. `read_s`: the longest silence while an answer is awaited or comes (a server may be loading the model).

    `wait_s`: the longest Retry-After that is waited for; with a longer one the error is shown at once.
    `linger_s`: how long the counts are awaited after the answer has ended.
    """

    connect_s: float = 10.0
    read_s: float = 300.0
    wait_s: float = 30.0
    linger_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked endpoint; made by `endpoint`. `provider` is what error messages call it."""

    provider: str
    base_url: str
    timeouts: Timeouts
    key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def on_this_machine(self) -> bool:
        """Whether the address is this machine's own; then no proxy stands between."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def scrub(self, text: str) -> str:
        """The text with the key and the headers' values taken out."""
        for secret in sorted({self.key or "", *self.headers.values()}, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, "…")
        return text


def endpoint(
    base_url: str,
    key: str | None = None,
    *,
    provider: str,
    timeouts: Timeouts,
    headers: Mapping[str, str] | None = None,
) -> Endpoint:
    """An endpoint, checked. `base_url`: what comes before /chat/completions; white space around it and the key is cut.

    Raises `AddressInvalid` or `KeyUnusable`, which never quote what was typed.
    """
    for name, value in (headers or {}).items():
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
            raise KeyUnusable(what=N_("header"))
    key = (key or "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise KeyUnusable(what=N_("key"))
    return Endpoint(provider, checked_url(base_url), timeouts, key or None, dict(headers or {}))


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
