"""Keyrings as a computer may have them: a working one, one that is locked, one that refuses, one in a plain file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError


class Working(KeyringBackend):
    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.reads = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.reads += 1
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class Locked(Working):
    """Waits for somebody to unlock it, who does not come."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.reads += 1
        self.given_up.wait(60)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.given_up.wait(60)


class Refusing(Working):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringError(f"cannot keep {password}")


class Plain(Working):
    priority = 0.5  # type: ignore[assignment]


@contextmanager
def installed(backend: KeyringBackend) -> Iterator[None]:
    """This computer's keyring while the block lasts."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)
