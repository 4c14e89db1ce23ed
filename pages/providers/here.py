"""What runs on this machine: the workbench's own models, and every server that answers on a port it is known by.

It is looked for while the page is being drawn, so that nobody waits for it; what is found is remembered for a while.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st

from core.errors import WorkbenchError
from core.models.remote import presets, probe
from core.models.remote.endpoint import whereabouts
from core.models.remote.probe import Detected
from core.workbench import Workbench
from pages.ui import connecting, error_box, press, privacy
from pages.ui.words import _, ngettext

FOUND = "here-found"
"""In the session: when it was looked, seconds since 1970, and what was found."""

FRESH_S = 60.0


@st.fragment(parallel=True)
def show(workbench: Workbench, owner: str) -> None:
    """Draws the list, each server with a button that connects it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(_("On this machine"), anchor=False)
        again = press.button(_("Look again"), icon=":material/radar:", type="tertiary", key="here-again")
    try:
        _own(workbench)
        _list(workbench, owner, _looked(again, workbench.connections.local_only(owner)))
    except WorkbenchError as error:
        error_box.show(error)


def _own(workbench: Workbench) -> None:
    """The models that need no server."""
    models = workbench.catalog.models()
    if models:
        said = ngettext("{count} model, ready in Chat.", "{count} models, ready in Chat.", len(models))
        st.markdown(":material/deployed_code: **" + _("This workbench itself") + f"** · {said}")


def _looked(again: bool, local_only: bool) -> Sequence[Detected]:
    at, found = st.session_state.get(FOUND, (0.0, ()))
    if again or time.time() - at > FRESH_S:
        with st.spinner(_("Looking for servers on this machine…")):
            found = probe.detect(presets.all(), local_only=local_only)
        st.session_state[FOUND] = (time.time(), found)
    return found


def _list(workbench: Workbench, owner: str, found: Sequence[Detected]) -> None:
    connected = {_server_at(one.base_url) for one in workbench.connections.list(owner)}
    for number, server in enumerate(found):
        _server(workbench, owner, number, server, _server_at(server.base_url) in connected)
    if not found:
        st.caption(
            _(
                "No other model server answers here. Start Ollama, LM Studio, llama-server, vLLM or another one, and "
                "look again."
            )
        )


def _server_at(address: str) -> tuple[str | None, int | None, str]:
    """An address by which all names of this machine are one."""
    parts = urlsplit(address)
    host = "localhost" if whereabouts(address) == "machine" else parts.hostname
    return host, parts.port, parts.path


def _server(workbench: Workbench, owner: str, number: int, server: Detected, connected: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"here-{number}"):
        with st.container(gap=None):
            st.markdown(":material/dns: " + " · ".join(_facts(server)))
            st.caption(privacy.short(server.base_url))
        if connected:
            st.caption(":material/check: " + _("connected"), width="content")
        elif press.button(_("Connect"), key=f"here-connect-{number}", icon=":material/link:"):
            _connect(workbench, owner, server)


def _facts(server: Detected) -> list[str]:
    name = _(server.name)
    facts = [f"**{error_box.plain(name)}**"]
    if server.version:
        facts.append(error_box.plain(server.version))
    if server.models is not None:
        facts.append(ngettext("{count} model", "{count} models", server.models))
    if server.needs_key:
        facts.append(_("wants a key"))
    return facts


def _connect(workbench: Workbench, owner: str, server: Detected) -> None:
    try:
        connecting.connect(workbench.connections, owner, server.base_url, preset=server.preset_id)
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()
