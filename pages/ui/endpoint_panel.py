"""Connecting an OpenAI-compatible endpoint, and letting it go again. Its models are then in the model picker.

A key goes from its field to `core.models.remote.connections` and is kept nowhere else.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from core.errors import WorkbenchError
from core.models.remote.connections import Connection, Connections
from core.models.remote.endpoint import whereabouts
from pages.ui import connecting, error_box, places, press
from pages.ui.privacy import ICONS
from pages.ui.words import _, ngettext


def show(key: str, connections: Connections, owner: str) -> None:
    """Draws the panel, folded. Draw it before the model picker, which offers what is connected here."""
    with st.expander(_("Connect a model"), icon=":material/add_link:", key=key):
        _form(key, connections, owner)
        for connection in connections.list(owner):
            _connected(key, connections, owner, connection)
        st.page_link(places.providers(), label=_("All providers, prices and tests"), icon=":material/hub:")


def _form(key: str, connections: Connections, owner: str) -> None:
    # An endpoint that is connected empties the fields; what was typed for one that is not stays.
    turn = st.session_state.setdefault(f"{key}-turn", 0)
    with st.form(f"{key}-form", border=False):
        address = st.text_input(
            _("Base URL"),
            key=f"{key}-url-{turn}",
            placeholder="http://localhost:8080/v1",
            help=_("The address of an OpenAI-compatible API: llama-server, Ollama, LM Studio, vLLM, or a provider."),
            autocomplete="url",
        )
        secret = st.text_input(
            _("Key (optional)"),
            key=f"{key}-key-{turn}",
            type="password",
            help=_("Stays in this server's memory until it stops. It is never written down, shown or exported."),
            autocomplete="off",
        )
        name = st.text_input(
            _("Model (optional)"),
            key=f"{key}-model-{turn}",
            placeholder=_("all that it lists"),
            help=_("For an endpoint that does not list its models: the name of the one to use."),
        )
        asked = press.submit(_("Connect"), icon=":material/link:", key=f"{key}-connect")
    if asked and _connect(connections, owner, address, secret, name.strip()):
        st.session_state[f"{key}-turn"] = turn + 1
        st.rerun()


def _connect(connections: Connections, owner: str, address: str, secret: str, name: str) -> bool:
    """Whether it could be connected."""
    try:
        connecting.connect(connections, owner, address, secret, name=name)
    except WorkbenchError as error:
        error_box.show(error)
        return False
    return True


def _connected(key: str, connections: Connections, owner: str, connection: Connection) -> None:
    count = ngettext("{count} model", "{count} models", len(connection.models))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon = ICONS[whereabouts(connection.base_url)]
        host = error_box.plain(urlsplit(connection.base_url).netloc)
        st.caption(f"{icon} **{host}** · {count}", help=error_box.plain(connection.base_url))
        away = press.button(
            _("Disconnect"),
            key=f"{key}-disconnect-{connection.base_url}",
            icon=":material/link_off:",
            help=_("Forgets this address and its key."),
            type="tertiary",
        )
    if away:
        try:
            connections.disconnect(owner, connection.base_url)
        except WorkbenchError as error:
            error_box.show(error)
        else:
            st.rerun()
