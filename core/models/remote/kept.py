"""What is kept of an endpoint, and who keeps it. No key and no header is in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.models.remote.listing import Listed
from core.models.remote.permit import Preferences


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that somebody connected. `preset`: a preset's id. Times are seconds since 1970, UTC.

    `listed`: the models that it is known to have; `listed_at`: when it said so, None where a person named them.
    """

    base_url: str
    name: str
    added_at: float
    preset: str | None = None
    listed: tuple[Listed, ...] = ()
    listed_at: float | None = None


class Kept(Preferences, Protocol):
    """Endpoints, favourites and decisions, each by owner. core/store/providers.py is one."""

    def put(self, owner: str, provider: Provider) -> None: ...

    def get(self, owner: str, base_url: str) -> Provider | None: ...

    def list(self, owner: str) -> Sequence[Provider]: ...

    def set_listed(self, owner: str, base_url: str, listed: Sequence[Listed], at: float | None) -> bool: ...

    def remove(self, owner: str, base_url: str) -> None: ...

    def favourites(self, owner: str) -> frozenset[str]: ...

    def set_favourite(self, owner: str, model_id: str, on: bool) -> None: ...
