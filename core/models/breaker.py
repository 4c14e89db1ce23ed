"""A circuit breaker for each endpoint, shared by all routes of a server.

An endpoint that fails several times in a row by its own fault is not asked for a while; then one request tries it, and
meanwhile the others go elsewhere. When that fails too the pause is twice as long, when it succeeds all is forgotten.
What no endpoint is to blame for (a refused key, a spent budget, a reader who goes away) changes nothing. Models on this
machine have no endpoint and are never set aside here. Thread-safe; asks and waits for nothing.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import msgspec

from core.errors import (
    AnswerCut,
    AnswerMalformed,
    ProviderFailed,
    ProviderSetAside,
    ProviderTimedOut,
    ProviderUnreachable,
    ProviderUntrusted,
    RateLimited,
)

FAILURES_ALLOWED = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 600.0

ITS_FAULT = (
    ProviderUnreachable,
    ProviderUntrusted,
    ProviderTimedOut,
    ProviderFailed,
    RateLimited,
    AnswerMalformed,
    AnswerCut,
)
"""Errors that count."""


class State(msgspec.Struct, frozen=True):
    """How an endpoint stands: `closed` it is asked; `open` it is not; `trial` one request is trying it.

    failures: in a row. retry_in_s: seconds until one is allowed to try it; 0 where nothing stands in the way.
    """

    name: Literal["closed", "open", "trial"] = "closed"
    failures: int = 0
    retry_in_s: float = 0.0


@dataclass
class _Circuit:
    failures: int = 0
    pause_s: float = 0.0
    open_until: float = 0.0
    trial: bool = False


class Breaker:
    """The endpoints' circuits. failures: in a row until the first pause. clock: seconds that only grow."""

    def __init__(
        self,
        *,
        failures: int = FAILURES_ALLOWED,
        first_pause_s: float = FIRST_PAUSE_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits: dict[str, _Circuit] = {}

    def state(self, provider: str) -> State:
        """How the endpoint at this base URL stands now."""
        with self._lock:
            circuit = self._circuits.get(provider)
            if circuit is None:
                return State()
            if not circuit.pause_s:
                return State(failures=circuit.failures)
            left = max(circuit.open_until - self._clock(), 0.0)
            return State("trial" if circuit.trial else "open", circuit.failures, left)

    def forget(self, provider: str) -> None:
        """Lets an endpoint that was set aside be asked again at once."""
        with self._lock:
            self._circuits.pop(provider, None)

    @contextmanager
    def watching(self, provider: str | None, *, name: str) -> Iterator[None]:
        """For one request to an endpoint (None: to none, which is never set aside): learns how the block ends.

        name: what error messages call it. Raises `ProviderSetAside` in place of the block where it is not to be asked.
        """
        if provider is None:
            yield
            return
        self._admit(provider, name)
        try:
            yield
        except ITS_FAULT:
            self._failed(provider)
            raise
        except BaseException:
            self._undecided(provider)
            raise
        self.forget(provider)

    def _admit(self, provider: str, name: str) -> None:
        with self._lock:
            circuit = self._circuits.get(provider)
            if circuit is None or not circuit.pause_s:
                return
            left = circuit.open_until - self._clock()
            if circuit.trial or left > 0:
                raise ProviderSetAside(provider=name, seconds=max(math.ceil(left), 1))
            circuit.trial = True

    def _failed(self, provider: str) -> None:
        with self._lock:
            circuit = self._circuits.setdefault(provider, _Circuit())
            circuit.failures += 1
            circuit.trial = False
            now = self._clock()
            # Requests that were on their way together fail together, and lengthen the pause once.
            if circuit.failures >= self._failures and now >= circuit.open_until:
                circuit.pause_s = min(2 * circuit.pause_s or self._first_pause_s, self._longest_pause_s)
                circuit.open_until = now + circuit.pause_s

    def _undecided(self, provider: str) -> None:
        with self._lock:
            if circuit := self._circuits.get(provider):
                circuit.trial = False
