"""The endpoints that people connected, each owner's own, and the models behind them.

Endpoints and what they list are kept; keys are found when they are needed (keys.py) and are in nothing that is kept.
A remote model's id is its endpoint's base URL, `#`, and its name there. Every endpoint and every model given here has
its owner's permit with it (permit.py), which says what may be sent and what it may cost. Thread-safe.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from core.errors import N_, AddressInvalid, ModelNotFound, NotThere
from core.models.base import ModelInfo
from core.models.remote import listing, presets, prices, reading
from core.models.remote.client import RemoteModel
from core.models.remote.endpoint import (
    Endpoint,
    Timeouts,
    check_headers,
    checked_key,
    checked_url,
    endpoint,
    origin,
    whereabouts,
)
from core.models.remote.kept import Kept, Provider
from core.models.remote.keys import Keys, Place
from core.models.remote.listing import Listed
from core.models.remote.permit import Accounts, Budget, Spent
from core.models.remote.presets import Preset

LISTING = Timeouts(connect_s=5.0, read_s=10.0)
"""A person waits for the list."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An endpoint that somebody connected, and the models it is known to have. `provider`: its preset's name, else its
    host's. Times are seconds since 1970; `listed_at` is None where it never said what it has."""

    base_url: str
    provider: str
    preset: Preset | None
    listed: tuple[Listed, ...]
    added_at: float
    listed_at: float | None

    @property
    def models(self) -> list[ModelInfo]:
        return [one.info for one in self.listed]


class Connections:
    """Endpoints by owner; nobody sees or uses another's."""

    def __init__(self, store: Kept, keys: Keys, accounts: Accounts) -> None:
        self._store = store
        self._keys = keys
        self._accounts = accounts

    def connect(
        self,
        owner: str,
        base_url: str,
        key: str | None = None,
        *,
        names: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        preset: str | None = None,
        where: Place = "session",
    ) -> Connection:
        """Keeps an endpoint in place of the one at the same address. Asks it nothing: `models` does.

        key, headers: put `where`; without them, those that are there stay. names: models that it has, for an endpoint
        that does not list its own. preset: the id of a server that was recognised on this machine or network.
        Raises `AddressInvalid`, `KeyUnusable`, `KeyringUnavailable` or `ModelNotFound` (a name that can be none).
        """
        url = checked_url(base_url)
        check_headers(headers or {})
        known = _preset(url, preset)
        listed = tuple(_typed(url, known, name) for name in names)
        if checked_key(key) is not None:
            self._keys.put(owner, url, key or "", where)
        if headers:
            self._keys.put_headers(owner, url, headers, where)
        provider = Provider(
            base_url=url,
            name=_name(url, known),
            added_at=time.time(),
            preset=known.id if known else None,
            listed=listed,
        )
        self._store.put(owner, provider)
        return _connection(provider)

    def models(self, owner: str, base_url: str) -> list[ModelInfo]:
        """Asks the endpoint which models it has, and keeps them beside those that were named by hand.

        Raises `NotThere`, `LocalOnly` or a `ProviderError`.
        """
        one = self.get(owner, base_url)
        found = listing.models(self.endpoint(owner, base_url))
        told = tuple(_enriched(one.preset, each) for each in found)
        names = {each.info.id for each in told}
        listed = (*told, *(each for each in one.listed if each.typed and each.info.id not in names))
        self._store.set_listed(owner, one.base_url, listed, time.time())
        return [each.info for each in listed]

    def add_model(self, owner: str, base_url: str, name: str) -> ModelInfo:
        """Keeps a model that a person names, where an endpoint does not. Raises `NotThere` or `ModelNotFound`."""
        one = self.get(owner, base_url)
        added = _typed(one.base_url, one.preset, name)
        listed = [each for each in one.listed if each.info.id != added.info.id]
        self._store.set_listed(owner, one.base_url, [*listed, added], one.listed_at)
        return added.info

    def disconnect(self, owner: str, base_url: str) -> None:
        """Forgets an endpoint, and its key when no other one is at that host; nothing where there is none.

        Raises `KeyringUnavailable` when the key cannot be taken out of the keyring; the endpoint is gone all the same.
        """
        url = checked_url(base_url)
        self._store.remove(owner, url)
        if all(origin(one.base_url) != origin(url) for one in self._store.list(owner)):
            self._keys.forget(owner, url)

    def list(self, owner: str) -> list[Connection]:
        """The owner's endpoints, the first connected first."""
        return [_connection(provider) for provider in self._store.list(owner)]

    def get(self, owner: str, base_url: str) -> Connection:
        """The owner's endpoint at this address. Raises `NotThere` or `AddressInvalid`."""
        provider = self._store.get(owner, checked_url(base_url))
        if provider is None:
            raise NotThere(what=N_("endpoint"))
        return _connection(provider)

    def endpoint(self, owner: str, base_url: str, *, timeouts: Timeouts | None = None) -> Endpoint:
        """What is asked at this address, with the owner's key, headers and permit. Raises as `get`, or `KeyUnusable`
        for a key in a file or a variable that cannot be sent."""
        one = self.get(owner, base_url)
        found = self._keys.find(owner, one.base_url)
        return endpoint(
            one.base_url,
            found.key if found else None,
            provider=one.provider,
            timeouts=timeouts or LISTING,
            headers=self._keys.headers(owner, one.base_url),
            permit=self._accounts.permit(owner),
        )

    def info(self, model_id: str) -> ModelInfo:
        """What the id itself tells of a remote model. Raises `AddressInvalid` or `ModelNotFound`."""
        base_url, mark, name = model_id.strip().partition("#")
        url = checked_url(base_url)
        if not mark:
            raise AddressInvalid(detail=N_("the name of the model is missing: connect the endpoint in the sidebar"))
        return described(url, name)

    def model(self, owner: str, model_id: str) -> RemoteModel:
        """The model, with the owner's key where its endpoint is connected. Where it is not, it is asked without one; an
        endpoint that wants a key then answers `KeyMissing`. Raises as `info`, or `KeyUnusable`."""
        info = self.info(model_id)
        url = info.id.partition("#")[0]
        permit = self._accounts.permit(owner)
        _prepared()
        provider = self._store.get(owner, url)
        if provider is None:
            return RemoteModel(info, url, permit=permit)
        one = _connection(provider)
        known = next((each for each in one.listed if each.info.id == info.id), None)
        known = known or _typed(url, one.preset, info.name)
        found = self._keys.find(owner, url)
        return RemoteModel(
            known.info,
            url,
            found.key if found else None,
            headers=self._keys.headers(owner, url),
            unsupported=_left_out(one.preset, known),
            permit=permit,
        )

    def favourites(self, owner: str) -> frozenset[str]:
        """Ids of the models that the owner marked, of whatever kind."""
        return self._store.favourites(owner)

    def set_favourite(self, owner: str, model_id: str, on: bool) -> None:
        """Marks a model, or takes the mark away."""
        self._store.set_favourite(owner, model_id, on)

    def local_only(self, owner: str) -> bool:
        """Whether nothing may leave this machine."""
        return self._accounts.local_only(owner)

    def set_local_only(self, owner: str, on: bool) -> None:
        """Holds for every request that begins from now on, also of models that were got before."""
        self._accounts.set_local_only(owner, on)

    def budget(self, owner: str, provider: str) -> Budget | None:
        """The most that a provider, by its name, may cost this owner in a calendar month; None: no limit."""
        return self._accounts.budget(owner, provider)

    def set_budget(self, owner: str, provider: str, budget: Budget | None) -> None:
        """None lifts it. Raises `SettingInvalid` for an amount below 0."""
        self._accounts.set_budget(owner, provider, budget)

    def spent(self, owner: str, *, this_month: bool = False) -> dict[tuple[str, str | None], Spent]:
        """By provider and currency; the currency is None for the answers whose price is not known."""
        return self._accounts.spent(owner, this_month=this_month)


def described(base_url: str, name: str) -> ModelInfo:
    """What an address and a name tell of a model. Raises `ModelNotFound` for a name that can be none."""
    return _info(base_url, presets.of(base_url), name)


def provider_of(base_url: str) -> str:
    """What the provider at a checked address is called."""
    return _name(base_url, presets.of(base_url))


def is_remote(model_id: str | None) -> bool:
    """Whether an id names a model behind an address, and not a file."""
    return (model_id or "").lstrip().lower().startswith(("http://", "https://"))


def _connection(provider: Provider) -> Connection:
    return Connection(
        base_url=provider.base_url,
        provider=provider.name,
        preset=presets.get(provider.preset),
        listed=provider.listed,
        added_at=provider.added_at,
        listed_at=provider.listed_at,
    )


def _preset(url: str, id: str | None) -> Preset | None:
    """That of a remote provider is told by its address alone: nobody else can be given its name."""
    told = presets.get(id)
    return told if told is not None and told.kind == "machine" and whereabouts(url) != "away" else presets.of(url)


def _name(url: str, preset: Preset | None) -> str:
    return preset.name if preset else urlsplit(url).hostname or ""


def _info(url: str, preset: Preset | None, name: str) -> ModelInfo:
    if not listing.sound(name):
        raise ModelNotFound(model=f"{url}#…")
    described = listing.described(url, _name(url, preset), name)
    return msgspec.structs.replace(described, country=preset.country if preset else None)


def _typed(url: str, preset: Preset | None, name: str) -> Listed:
    return _enriched(preset, Listed(_info(url, preset, name), typed=True))


def _enriched(preset: Preset | None, listed: Listed) -> Listed:
    """With what the endpoint did not say of itself and is known of its provider."""
    if preset is None:
        return listed
    info = listed.info
    known = msgspec.structs.replace(
        info,
        country=preset.country,
        price=info.price or prices.of(preset, info.name),
        tools=preset.tools if info.tools is None else info.tools,
    )
    return msgspec.structs.replace(listed, info=known)


def _left_out(preset: Preset | None, listed: Listed) -> frozenset[str]:
    """What the model does not take: by what its server says it is, and by its provider's preset."""
    if preset is None:
        return listed.unsupported
    return (listed.unsupported - preset.takes) | preset.left_out(listed.info.name)


@functools.cache
def _prepared() -> None:
    """Reads in what the first request needs while the person is still typing."""
    threading.Thread(target=reading.prepare, name="preparing the client", daemon=True).start()
