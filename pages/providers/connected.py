"""The providers that are connected: where what is asked of each goes, its models, its key's place, what it cost."""

from __future__ import annotations

import streamlit as st

from core.errors import WorkbenchError
from core.models.remote.connections import Connection
from core.workbench import Workbench
from pages.providers import key_field, model_list, spending, testing
from pages.ui import error_box, icons, press, privacy
from pages.ui.words import _, ngettext


def show(workbench: Workbench, owner: str) -> None:
    """Draws one box a provider, the first connected first; nothing where there is none."""
    connections = workbench.connections.list(owner)
    if not connections:
        return
    st.subheader(_("Connected providers"), anchor=False)
    for connection in connections:
        with st.container(border=True, key=f"connected-{connection.base_url}", gap="small"):
            _provider(workbench, owner, connection)


def _provider(workbench: Workbench, owner: str, connection: Connection) -> None:
    key = connection.base_url
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None):
            st.markdown(f"**{error_box.plain(connection.provider)}** · {privacy.of_connection(connection)}")
            st.caption(" · ".join(_facts(workbench, owner, connection)))
        test = press.button(_("Test"), key=f"test-{key}", icon=":material/network_check:", type="tertiary")
        more = st.popover(
            icons.named(_("More for {name}", name=connection.provider)),
            icon=":material/more_horiz:",
            type="tertiary",
            key=f"more-{key}",
            on_change="rerun",
        )
    if more.open:
        with more:
            _more(workbench, owner, connection)
    testing.show(workbench, owner, connection, asked=test)
    number = len(connection.models)
    listed = st.expander(ngettext("{count} model", "{count} models", number), key=f"models-{key}", on_change="rerun")
    if listed.open:
        with listed:
            model_list.show(workbench, owner, key)


def _facts(workbench: Workbench, owner: str, connection: Connection) -> list[str]:
    facts = [] if connection.preset else [privacy.short(connection.base_url)]
    facts.append(key_field.where_it_is(workbench.keys, owner, connection.base_url))
    if paid := spending.this_month(workbench, owner, connection.provider):
        facts.append(paid)
    return facts


def _more(workbench: Workbench, owner: str, connection: Connection) -> None:
    connections, key = workbench.connections, connection.base_url
    key_field.change(workbench.keys, owner, key)
    again = press.button(_("List the models again"), key=f"list-{key}", icon=":material/refresh:", type="tertiary")
    away = press.button(
        _("Disconnect"),
        key=f"disconnect-{key}",
        icon=":material/link_off:",
        type="tertiary",
        help=_("Forgets this address and its key."),
    )
    try:
        if again:
            with st.spinner(_("Asking which models there are…")):
                connections.models(owner, key)
        elif away:
            connections.disconnect(owner, key)
        else:
            return
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()
