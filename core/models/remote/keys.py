"""Keys of endpoints: where each is found, and that it goes to no other host. In no store, log, repr or export.

A key belongs to an owner and to an origin (scheme, host and port), and is looked for in this order:

session      given while this server runs; in this object's memory, gone when it stops
keyring      the system's keyring, under the service `inference-workbench`; asked only for what was put there from here,
             so that nobody is made to unlock it for nothing
secrets      a `[providers]` table in `.streamlit/secrets.toml`: `mistral = "…"` by the id of a preset, or by host,
             `"llm.example.org" = "…"`, `"localhost:8000" = "…"`, `"https://llm.example.org:8443" = "…"`
environment  the variable of the preset whose host it is, such as MISTRAL_API_KEY

Headers beside the key are as secret, and kept in the first two only. Thread-safe.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from core.errors import N_, KeyringUnavailable, KeyUnusable
from core.models.remote import presets
from core.models.remote.address import checked_url, origin, whereabouts
from core.models.remote.endpoint import check_headers, checked_key
from core.models.remote.permit import Preferences
from core.models.remote.system_keyring import SystemKeyring

Place = Literal["session", "keyring"]
"""Where a key can be put."""

Source = Literal["session", "keyring", "secrets", "environment"]
"""Where a key can come from."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A key. `where`: the keyring's name, the file, the variable; empty for the session."""

    key: str = field(repr=False)
    source: Source
    where: str = ""


class _Slot(NamedTuple):
    """One secret's place."""

    owner: str
    origin: str
    what: Literal["key", "headers"]

    @property
    def user(self) -> str:
        """What it is filed under in the keyring."""
        return f"{self.owner} {self.origin}" + ("" if self.what == "key" else f" {self.what}")

    @property
    def mark(self) -> str:
        """The preference that says that it is in the keyring."""
        return f"{self.what} in the keyring: {self.origin}"


class Keys:
    """The keys of all owners. `keyring` None, no `secrets` files, an empty `environ`: not looked for there.

    What is in files and variables is this machine's, so whoever opens the server to others leaves them out.
    preferences: keeps which of them are in the keyring, and no key.
    """

    def __init__(
        self,
        preferences: Preferences,
        *,
        keyring: SystemKeyring | None = None,
        secrets: Sequence[Path] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._preferences = preferences
        self._keyring = keyring
        self._secrets = tuple(secrets)
        self._environ = os.environ if environ is None else environ
        self._lock = threading.Lock()
        self._session: dict[_Slot, str] = {}

    def __repr__(self) -> str:
        return "Keys()"

    def find(self, owner: str, base_url: str) -> Found | None:
        """The key that would be sent to this address; None where none is known. It may be one that cannot be sent."""
        url = checked_url(base_url)
        return next(self._found(_Slot(owner, origin(url), "key"), url), None)

    def put(self, owner: str, base_url: str, key: str, where: Place = "session") -> None:
        """Keeps a key, in place of the one that was given before. Raises `KeyUnusable` or `KeyringUnavailable`."""
        checked = checked_key(key)
        if checked is None:
            raise KeyUnusable(what=N_("key"))
        self._keep(_Slot(owner, origin(checked_url(base_url)), "key"), checked, where)

    def headers(self, owner: str, base_url: str) -> dict[str, str]:
        """What is sent to this address beside the key."""
        slot = _Slot(owner, origin(checked_url(base_url)), "headers")
        text = self._of_session(slot) or self._of_keyring(slot)
        return {str(name): str(value) for name, value in json.loads(text).items()} if text else {}

    def put_headers(self, owner: str, base_url: str, headers: Mapping[str, str], where: Place = "session") -> None:
        """In place of those before. Raises `KeyUnusable` or `KeyringUnavailable`."""
        check_headers(headers)
        self._keep(_Slot(owner, origin(checked_url(base_url)), "headers"), json.dumps(dict(headers)), where)

    def forget(self, owner: str, base_url: str) -> None:
        """The key and the headers that were given; what is in a file or a variable stays there.

        Raises `KeyringUnavailable` when one is in the keyring and cannot be taken out.
        """
        for what in ("key", "headers"):
            slot = _Slot(owner, origin(checked_url(base_url)), what)
            with self._lock:
                self._session.pop(slot, None)
            self._out_of_keyring(slot)

    def places(self) -> tuple[Place, ...]:
        """Where a key can be put on this machine."""
        return ("session", "keyring") if self.keyring_name() else ("session",)

    def keyring_name(self) -> str | None:
        """What this computer's keyring calls itself; None where there is none to be used."""
        return self._keyring.name() if self._keyring else None

    def _keep(self, slot: _Slot, secret: str, where: Place) -> None:
        if where == "keyring":
            if self._keyring is None:
                raise KeyringUnavailable(detail=N_("there is none"))
            self._keyring.set(slot.user, secret)
            self._preferences.set_preference(slot.owner, slot.mark, True)
        else:
            self._out_of_keyring(slot)
        with self._lock:
            self._session.pop(slot, None)
            if where == "session":
                self._session[slot] = secret

    def _found(self, slot: _Slot, url: str) -> Iterator[Found]:
        if given := self._of_session(slot):
            yield Found(given, "session")
        if kept := self._of_keyring(slot):
            yield Found(kept, "keyring", self.keyring_name() or "")
        for path in self._secrets:
            if key := _in_file(path, url):
                yield Found(key, "secrets", str(path))
        preset = presets.of(url)
        variable = preset.key_variable if preset is not None and preset.own_host else None
        if variable and (key := self._environ.get(variable, "").strip()):
            yield Found(key, "environment", variable)

    def _of_session(self, slot: _Slot) -> str | None:
        with self._lock:
            return self._session.get(slot)

    def _of_keyring(self, slot: _Slot) -> str | None:
        return self._keyring.get(slot.user) if self._keyring is not None and self._is_marked(slot) else None

    def _out_of_keyring(self, slot: _Slot) -> None:
        if self._keyring is not None and self._is_marked(slot):
            self._keyring.delete(slot.user)
            self._preferences.set_preference(slot.owner, slot.mark, None)

    def _is_marked(self, slot: _Slot) -> bool:
        return self._preferences.preference(slot.owner, slot.mark) is True


def _in_file(path: Path, url: str) -> str | None:
    for name, key in _table(path).items():
        if isinstance(key, str) and key.strip() and _is_of(name, url):
            return key.strip()
    return None


def _table(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("providers")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        # The kind alone: what cannot be read may hold keys.
        _log.warning("%s cannot be read: %s", path, type(error).__name__)
        return {}
    return table if isinstance(table, dict) else {}


def _is_of(name: str, url: str) -> bool:
    """Whether an entry, by preset or by host, is for this address. Over plain HTTP only where it does not leave."""
    if preset := presets.get(name):
        return preset.own_host and presets.of(url) == preset
    if "://" in name:
        return origin(name) == origin(url)
    scheme = url.partition("://")[0].lower()
    return (scheme == "https" or whereabouts(url) != "away") and origin(f"{scheme}://{name}") == origin(url)
