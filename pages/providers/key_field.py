"""A key: where it is, and a field that takes a new one. A key that was typed is never shown again."""

from __future__ import annotations

import streamlit as st

from core.errors import WorkbenchError
from core.models.remote.keys import Keys, Place
from pages.ui import error_box, press
from pages.ui.words import _


def where_it_is(keys: Keys, owner: str, base_url: str) -> str:
    """Where the key of an endpoint comes from, in words."""
    found = keys.find(owner, base_url)
    if found is None:
        return _("no key")
    return {
        "session": _("key: until this server stops"),
        "keyring": _("key: this computer’s keyring"),
        "secrets": _("key: secrets.toml"),
        "environment": _("key: variable {name}", name=error_box.plain(found.where)),
    }[found.source]


def typed(keys: Keys, key: str, *, optional: bool = False) -> tuple[str, Place]:
    """A field, and where what is typed is to be kept."""
    secret = st.text_input(
        _("Key (optional)") if optional else _("Key"),
        type="password",
        key=f"{key}-key",
        help=_("It is never shown again, and never written to the database, a log or an export."),
        autocomplete="off",
    )
    return secret.strip(), _place(keys, key)


def _place(keys: Keys, key: str) -> Place:
    places = keys.places()
    if "keyring" not in places:
        st.caption(_("It is kept until this server stops: this computer has no keyring that can be used."))
        return "session"
    names: dict[Place, str] = {
        "session": _("until this server stops"),
        "keyring": _("in this computer’s keyring"),
    }
    return st.radio(
        _("Keep it"), list(names), format_func=lambda place: names[place], key=f"{key}-where", horizontal=True
    )


def change(keys: Keys, owner: str, base_url: str) -> None:
    """Draws a form that changes the key of a provider, or forgets it."""
    turn = st.session_state.setdefault("key-turn", 0)
    with st.form(f"key-{base_url}-{turn}", border=False):
        secret, where = typed(keys, f"change-{base_url}-{turn}")
        with st.container(horizontal=True):
            keep = press.submit(_("Keep this key"), icon=":material/key:", key=f"key-keep-{base_url}")
            forget = press.submit(_("Forget the key"), icon=":material/key_off:", key=f"key-forget-{base_url}")
    try:
        if keep:
            keys.put(owner, base_url, secret, where)
        elif forget:
            keys.forget(owner, base_url)
        else:
            return
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.session_state["key-turn"] = turn + 1
        st.rerun()
