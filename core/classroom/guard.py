"""Who may ask the listener, how often, and the names that devices have. Knows no poll and no page."""

from __future__ import annotations

import hmac
import secrets
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

_ID_BYTES = 6


class Devices:
    """Names of devices. A token is a name and its signature: only what this process gave is taken, and it says nothing
    of the person. A device keeps its name from poll to poll for as long as this process lives."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def new(self) -> str:
        """A token for a device that has none."""
        name = secrets.token_hex(_ID_BYTES)
        return f"{name}.{self._signature(name)}"

    def name(self, token: str) -> str | None:
        """The name in a token; None where it was not given here."""
        name, _, signature = token.partition(".")
        known = hmac.compare_digest(signature.encode(), self._signature(name).encode())
        return name if known else None

    def _signature(self, name: str) -> str:
        return hmac.digest(self._secret, name.encode(), "sha256").hex()


class Limit:
    """For each address `burst` at once, and `rate` a second after that: a token bucket. Of many addresses, the one that
    asked longest ago is forgotten first. For one thread."""

    def __init__(
        self, burst: float, rate: float, *, addresses: int = 4096, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._addresses, self._clock = burst, rate, addresses, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, address: str) -> bool:
        """Whether this address may once more."""
        return self._tokens(address) >= 1

    def spend(self, address: str) -> bool:
        """Takes one; False where none was left."""
        tokens = self._tokens(address)
        self._left[address] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, self._clock())
        self._left.move_to_end(address)
        if len(self._left) > self._addresses:
            self._left.popitem(last=False)
        return tokens >= 1

    def _tokens(self, address: str) -> float:
        tokens, at = self._left.get(address, (self._burst, self._clock()))
        return min(self._burst, tokens + (self._clock() - at) * self._rate)


def host_known(host: str) -> bool:
    """Whether a request's Host is an address, or a name of this machine. A page of another site that has renamed itself
    to this address (DNS rebinding) still sends its own name."""
    name = _hostname(host).lower().rstrip(".")
    try:
        ip_address(name)
    except ValueError:
        own = socket.gethostname().lower()
        return name in {"localhost", own, f"{own.split('.')[0]}.local"}
    return True


def origin_foreign(origin: str | None, host: str) -> bool:
    """Whether a form was sent from a page of another server. Our own page, which sends no referrer, says "null"."""
    if origin is None or origin == "null":
        return False
    try:
        return urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:
        return True


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
