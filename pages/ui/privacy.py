"""Where what is asked goes, always in the same words and at the same place: an icon and a word, as Markdown.

*on this machine*, *on your network*, *leaves for NAME, COUNTRY*. By the address alone: nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.models.base import ModelInfo
from core.models.remote.connections import Connection, is_remote
from core.models.remote.endpoint import Whereabouts, whereabouts
from pages.ui import error_box
from pages.ui.words import _, country

ICONS = {"machine": ":material/computer:", "network": ":material/lan:", "away": ":material/public:"}


def badge(model: ModelInfo) -> str:
    """Of a model."""
    if model.local:
        return ICONS["machine"] + " " + _("on this machine")
    return of_address(model.id, model.provider, model.country)


def of_address(address: str, name: str, code: str | None = None) -> str:
    """Of an endpoint. `name`: whose it is; `code`: the country of whoever runs it, ISO 3166-1, None where unknown."""
    where = whereabouts(address)
    if where == "machine":
        said = _("on this machine")
    elif where == "network":
        said = _("on your network")
    else:
        said = _("leaves for {host}", host=error_box.plain(", ".join([name, *([country(code)] if code else [])])))
    return f"{ICONS[where]} {said}"


def of_connection(connection: Connection) -> str:
    """Of an endpoint that is connected."""
    preset = connection.preset
    return of_address(connection.base_url, connection.provider, preset.country if preset else None)


def of_route(models: Sequence[ModelInfo]) -> str:
    """Of a route, which asks one of these: the farthest that it may go."""
    away = [one for one in models if place(one) == "away"]
    if away:
        hosts = error_box.plain(", ".join(dict.fromkeys(one.provider for one in away)))
        return ICONS["away"] + " " + _("may leave for {host}", host=hosts)
    nearest = next((one for one in models if place(one) == "network"), None)
    return badge(nearest or models[0]) if models else ""


def short(address: str) -> str:
    """An address without its scheme, as Markdown: with it, it would become a link."""
    return error_box.plain(address.partition("://")[2])


def stays(model: ModelInfo) -> bool:
    """Whether what is asked of it stays on this machine."""
    return place(model) == "machine"


def leaves(model_id: str | None) -> bool:
    """Whether what was asked of the model of this id went to somebody else's machine."""
    return is_remote(model_id) and whereabouts(model_id or "") == "away"


def place(model: ModelInfo) -> Whereabouts:
    """Where what is asked of it goes."""
    return "machine" if model.local else whereabouts(model.id)
