"""Adding a provider: a kind, a name, a key. Any other address is added with its own headers, and models by name."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.errors import KeyUnusable, WorkbenchError
from core.models.remote import presets
from core.models.remote.keys import Place
from core.models.remote.presets import Preset
from core.workbench import Workbench
from pages.providers import key_field
from pages.ui import connecting, error_box, press, privacy
from pages.ui.words import N_, _

KINDS = {
    "producer": N_("Makers"),
    "host": N_("Hosts"),
    "machine": N_("This machine"),
    "other": N_("Other"),
}


def show(workbench: Workbench, owner: str) -> None:
    """Draws the choice, and the form of what was chosen."""
    st.subheader(_("Add a provider"), anchor=False)
    turn = st.session_state.setdefault("add-turn", 0)
    kind = st.segmented_control(
        _("Makers of models, hosts of open models, servers on this machine, or any other address"),
        list(KINDS),
        format_func=lambda name: _(KINDS[name]),
        key=f"add-kind-{turn}",
    )
    if kind == "other":
        _form(workbench, owner, None)
    elif kind and (preset := _picked(kind, turn)):
        _about(preset)
        _form(workbench, owner, preset)


def _picked(kind: str, turn: int) -> Preset | None:
    offered = {preset.id: preset for preset in presets.all() if preset.kind == kind}
    id = st.pills(
        _("Provider"),
        list(offered),
        format_func=lambda id: error_box.plain(_(offered[id].name)),
        key=f"add-preset-{kind}-{turn}",
        label_visibility="collapsed",
    )
    return offered[id] if id else None


def _about(preset: Preset) -> None:
    """Where it is, what is free, and where to get a key."""
    lines = [privacy.of_address(preset.base_url, preset.name, preset.country)]
    links = [(_("get a key"), preset.key_page), (_("documentation"), preset.docs)]
    lines += [f"[{name}]({address})" for name, address in links if address]
    st.markdown(" · ".join(lines))
    if preset.free_tier:
        st.caption(":material/redeem: " + error_box.plain(_(preset.free_tier)))
    if preset.caution:
        st.caption(":material/info: " + error_box.plain(_(preset.caution)))


def _form(workbench: Workbench, owner: str, preset: Preset | None) -> None:
    # A provider that is connected empties the fields; what was typed for one that is not stays.
    key = f"add-{preset.id if preset else 'other'}-{st.session_state['add-turn']}"
    with st.form(f"{key}-form", border=False):
        address = _address(preset, key)
        secret, where = _key(workbench, owner, preset, key)
        headers = _headers(key) if preset is None else ""
        name = _model(preset, key)
        asked = press.submit(_("Connect"), icon=":material/link:", key=f"{key}-connect")
    if not asked:
        return
    try:
        connecting.connect(
            workbench.connections,
            owner,
            address,
            secret,
            name=name,
            headers=_read(headers),
            preset=preset.id if preset else None,
            where=where,
        )
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.session_state["add-turn"] += 1
        st.rerun()


def _address(preset: Preset | None, key: str) -> str:
    """The base URL: the preset's, with what only the person can know filled in; else typed."""
    if preset is not None and preset.placeholders:
        asked = {name: st.text_input(name.capitalize(), key=f"{key}-{name}").strip() for name in preset.placeholders}
        return preset.url(**asked) if all(asked.values()) else ""
    if preset is not None and preset.kind != "machine":
        return preset.base_url
    return st.text_input(
        _("Base URL"),
        preset.base_url if preset else "",
        key=f"{key}-url",
        placeholder="http://localhost:8080/v1",
        help=_("The address of an OpenAI-compatible API; it often ends in /v1."),
        autocomplete="url",
    )


def _key(workbench: Workbench, owner: str, preset: Preset | None, key: str) -> tuple[str, Place]:
    """No field where a key is there already; it is said where."""
    if preset is not None and not preset.placeholders:
        found = workbench.keys.find(owner, preset.base_url)
        if found is not None:
            st.caption(":material/key: " + key_field.where_it_is(workbench.keys, owner, preset.base_url))
            return "", "session"
    return key_field.typed(workbench.keys, key, optional=preset is None or preset.kind == "machine")


def _headers(key: str) -> str:
    with st.expander(_("Extra headers"), key=f"{key}-more"):
        return st.text_area(
            _("Extra headers"),
            key=f"{key}-headers",
            placeholder="X-Organisation: Lycée",
            help=_("One a line, its name and a colon before its value. They are kept as a key is."),
            label_visibility="collapsed",
        )


def _read(typed: str) -> Mapping[str, str]:
    """Headers as they are written in a request. Raises `KeyUnusable` for a line that is none."""
    headers = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        name, colon, value = line.partition(":")
        if not colon:
            raise KeyUnusable(what=N_("header"))
        headers[name.strip()] = value.strip()
    return headers


def _model(preset: Preset | None, key: str) -> str:
    if preset is not None and preset.lists_models:
        return ""
    return st.text_input(
        _("Model (optional)") if preset is None else _("Model"),
        key=f"{key}-model",
        placeholder=_("all that it lists") if preset is None else "",
        help=_("For an endpoint that does not list its models: the name of the one to use."),
    ).strip()
