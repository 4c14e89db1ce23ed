"""The connection test: step by step as it goes, each with its time, the failing one with what to do; then the exact
request that was sent, to be copied."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from core import snippets
from core.errors import WorkbenchError
from core.models.remote import checking
from core.models.remote.checking import Step
from core.models.remote.connections import Connection
from core.models.remote.endpoint import Endpoint
from core.workbench import Workbench
from pages.ui import error_box, icons, own_address, press, programs
from pages.ui.words import _, count, seconds

ICONS = {
    "running": ":material/pending:",
    "done": ":material/check_circle:",
    "failed": ":material/cancel:",
    "skipped": ":material/remove:",
}


def show(workbench: Workbench, owner: str, connection: Connection, *, asked: bool) -> None:
    """Runs the test when it is asked for, and draws it until it is put away."""
    key = f"tested-{connection.base_url}"
    if not asked and key not in st.session_state:
        return
    with st.container(gap="small", key=f"test-of-{connection.base_url}"):
        name, again, away = _controls(connection)
        if away:
            st.session_state.pop(key, None)
            st.rerun()
        try:
            endpoint = workbench.connections.endpoint(owner, connection.base_url)
            if asked or again:
                st.session_state[key] = _run(endpoint, connection, name)
            else:
                for step in st.session_state[key]:
                    _step(step)
            _request(endpoint, connection, name or _asked(st.session_state[key]))
        except WorkbenchError as error:
            error_box.show(error)


def _controls(connection: Connection) -> tuple[str | None, bool, bool]:
    """Which model is asked, and whether the test is to be run again, or put away."""
    key = connection.base_url
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = _model(connection)
        again = press.button(_("Test again"), key=f"test-again-{key}", icon=":material/network_check:")
        away = press.button(
            icons.named(_("Close the test")), key=f"test-close-{key}", icon=":material/close:", type="tertiary"
        )
    return name, again, away


def _model(connection: Connection) -> str | None:
    """Who is asked for a few words; None leaves it to the test, which takes the cheapest."""
    return st.selectbox(
        _("Model that is asked for a few words"),
        [model.name for model in connection.models],
        index=None,
        placeholder=_("the cheapest of its models"),
        key=f"test-model-{connection.base_url}",
        accept_new_options=True,
    )


def _run(endpoint: Endpoint, connection: Connection, name: str | None) -> list[Step]:
    """Draws each step as it comes. Returns the steps as they ended."""
    ended: dict[str, Step] = {}
    rows = {name: st.empty() for name in checking.NAMES}
    for step in checking.steps(endpoint, name, unsupported=_left_out(connection, name)):
        before = ended.get(step.name)
        ended[step.name] = step
        if before is None or before.state != step.state:
            with rows[step.name].container():
                _step(step)
    return [ended[name] for name in checking.NAMES if name in ended]


def _left_out(connection: Connection, name: str | None) -> frozenset[str]:
    return connection.preset.left_out(name or "") if connection.preset else frozenset()


def _asked(steps: Iterable[Step]) -> str | None:
    """Whom the test asked."""
    return next((step.values["model"] for step in steps if step.name == "first_token" and "model" in step.values), None)


def _step(step: Step) -> None:
    took = "" if step.seconds is None or step.state == "running" else f" · {seconds(step.seconds)}"
    name = _(checking.NAMES[step.name])
    with st.container(gap=None):
        st.markdown(f"{ICONS[step.state]} **{name}**{took}")
        if step.detail:
            said = {name: count(value) if isinstance(value, int) else value for name, value in step.values.items()}
            st.caption(error_box.plain(_(step.detail, **said)))
        if step.error is not None:
            error_box.show(step.error)


def _request(endpoint: Endpoint, connection: Connection, name: str | None) -> None:
    if name is None:
        return
    with st.expander(_("The exact request"), icon=":material/code:"):
        model = checking.request_model(endpoint, name, unsupported=_left_out(connection, name))
        st.caption(_("The key is not in it: the programs take it from the environment variable OPENAI_API_KEY."))
        programs.show(snippets.exact(model, checking.request(), own_api=own_address.base_url()))
