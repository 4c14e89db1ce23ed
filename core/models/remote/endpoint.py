"""Where a remote model is reached, and with what: an address, a key, headers, time-outs. Checked once, then frozen.

The key and the headers are in no repr; `scrub` takes them out of whatever an endpoint says before it is shown. Whether
the address may be asked at all is its permit's to say, and is asked before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import N_, KeyUnusable
from core.models.remote.address import PATH, Whereabouts, checked_url, origin, whereabouts
from core.models.remote.permit import ANYTHING, Permit

__all__ = ["PATH", "Endpoint", "Timeouts", "Whereabouts", "checked_url", "endpoint", "origin", "whereabouts"]

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
    permit: Permit = field(default=ANYTHING, repr=False, compare=False)

    def allowed(self) -> None:
        """To be called before anything is sent there. Raises `LocalOnly` where its owner does not want it sent."""
        self.permit.reach(self.provider, away=not self.on_this_machine)

    @property
    def on_this_machine(self) -> bool:
        """Whether the address is this machine's own; then no proxy stands between."""
        return whereabouts(self.base_url) == "machine"

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
    permit: Permit = ANYTHING,
) -> Endpoint:
    """An endpoint, checked. `base_url`: what comes before /chat/completions; white space around it and the key is cut.

    Raises `AddressInvalid` or `KeyUnusable`, which never quote what was typed.
    """
    made = dict(headers or {})
    check_headers(made)
    return Endpoint(provider, checked_url(base_url), timeouts, checked_key(key), made, permit)


def checked_key(key: str | None) -> str | None:
    """A key without the white space around it; None for an empty one. Raises `KeyUnusable`."""
    key = (key or "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise KeyUnusable(what=N_("key"))
    return key or None


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises `KeyUnusable` for a name or a value that HTTP cannot carry."""
    for name, value in headers.items():
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
            raise KeyUnusable(what=N_("header"))
