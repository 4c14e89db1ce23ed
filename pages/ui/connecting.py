"""Connecting an endpoint: it is kept when it says which models it has, or when one of them is named.

A key goes from its field to `core.models.remote` and stays on no page.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.errors import WorkbenchError
from core.models.remote.connections import Connection, Connections
from core.models.remote.keys import Place
from pages.ui.words import _


def connect(
    connections: Connections,
    owner: str,
    address: str,
    key: str = "",
    *,
    name: str = "",
    headers: Mapping[str, str] | None = None,
    preset: str | None = None,
    where: Place = "session",
) -> Connection:
    """Connects it, in place of the one at the same address. `name`: of a model, for an endpoint that lists none.

    Raises a `WorkbenchError`, and has then kept nothing that was not there before.
    """
    before = {one.base_url for one in connections.list(owner)}
    names = [name] if name else []
    made = connections.connect(owner, address, key, names=names, headers=headers, preset=preset, where=where)
    if name:
        return made
    try:
        with st.spinner(_("Asking which models there are…")):
            connections.models(owner, made.base_url)
    except WorkbenchError:
        if made.base_url not in before:
            connections.disconnect(owner, made.base_url)
        raise
    return connections.get(owner, made.base_url)
