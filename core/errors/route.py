"""Errors of routes: models of a kind of their own that choose another to answer."""

from __future__ import annotations

from core.errors.base import N_
from core.errors.provider import ProviderError
from core.errors.request import RequestError

__all__ = [
    "ProviderSetAside",
    "RouteInvalid",
]


class RouteInvalid(RequestError):
    """A route that cannot be kept, or whose models cannot be asked. Values: detail."""

    message = N_("This route cannot be used: {detail}.")
    hint = N_("Change the route on the Providers page, or pick a model itself.")


class ProviderSetAside(ProviderError):
    """A route asks this provider no more for now: it has failed several times in a row. Values: provider, seconds."""

    message = N_("{provider} has failed several times in a row and is not asked by routes for another {seconds} s.")
    hint = N_("Ask again then, or pick the model itself in place of the route.")
