"""The system's keyring (macOS Keychain, Windows Credential Manager, Secret Service, KWallet), through `keyring`.

A keyring may be locked, and then waits for somebody to unlock it: every call has a time limit, and what was found is
remembered for a minute, so that nothing waits twice. A keyring that keeps its secrets in a plain file is not used.
Thread-safe.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from core.errors import N_, KeyringUnavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "inference-workbench"
"""What the entries are filed under."""

READ_S, WRITE_S = 3.0, 30.0
"""Time limits; a person who saves a key may have to type a password first."""

REMEMBERED_S = 60.0
RECOMMENDED = 1
"""The priority from which on `keyring` calls a backend recommended; those in plain files are below."""

T = TypeVar("T")


class SystemKeyring:
    """Secrets by user name, all under one service."""

    def __init__(self, *, read_s: float = READ_S, write_s: float = WRITE_S) -> None:
        self._read_s = read_s
        self._write_s = write_s
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, str | None]] = {}

    def name(self) -> str | None:
        """What the keyring here calls itself; None where there is none that can be used."""
        try:
            return _timed(lambda: str(_backend().name), self._read_s)
        except KeyringUnavailable:
            return None

    def get(self, user: str) -> str | None:
        """The secret; None where there is none, and where the keyring does not answer."""
        with self._lock:
            at, secret = self._seen.get(user, (0.0, None))
            if at and time.monotonic() - at < REMEMBERED_S:
                return secret
            try:
                secret = _timed(lambda: _backend().get_password(SERVICE, user), self._read_s)
            except KeyringUnavailable:
                secret = None
            self._seen[user] = (time.monotonic(), secret)
            return secret

    def set(self, user: str, secret: str) -> None:
        """Raises `KeyringUnavailable`."""
        _timed(lambda: _backend().set_password(SERVICE, user, secret), self._write_s)
        with self._lock:
            self._seen[user] = (time.monotonic(), secret)

    def delete(self, user: str) -> None:
        """Nothing where there is none. Raises `KeyringUnavailable`."""

        def delete() -> None:
            if _backend().get_password(SERVICE, user) is not None:
                _backend().delete_password(SERVICE, user)

        _timed(delete, self._write_s)
        with self._lock:
            self._seen[user] = (time.monotonic(), None)


def _backend() -> KeyringBackend:
    """The keyring of this computer. Raises `KeyringUnavailable` where it has none, or none that is safe."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    found = keyring.get_keyring()
    if isinstance(found, ChainerBackend):
        found = next(iter(found.backends), found)
    if found.priority < RECOMMENDED:
        raise KeyringUnavailable(detail=N_("there is none"))
    return found


def _timed(work: Callable[[], T], seconds: float) -> T:
    """What the work gives; a thread that does not come back is left behind. Raises `KeyringUnavailable`."""
    done: queue.SimpleQueue[tuple[T] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((work(),))
        except Exception as error:
            done.put(error)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        outcome = done.get(timeout=seconds)
    except queue.Empty:
        raise KeyringUnavailable(detail=N_("it does not answer; it may be waiting to be unlocked")) from None
    if isinstance(outcome, KeyringUnavailable):
        raise outcome
    if isinstance(outcome, Exception):
        # Not chained: what a backend raises may quote what it was given.
        raise KeyringUnavailable(detail=N_("it refused")) from None
    return outcome[0]
