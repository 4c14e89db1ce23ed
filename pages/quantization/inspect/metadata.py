"""Metadata in groups, searched; long lists stay folded until one of them is opened."""

from __future__ import annotations

import streamlit as st

from core.gguf import anatomy, reader
from core.gguf.anatomy import Entry
from core.gguf.header import GGUF, LongArray
from core.workbench import Workbench
from pages.ui import error_box
from pages.ui.words import N_, _, ngettext

GROUPS = {"general": N_("About the model"), "tokenizer": N_("Tokenizer")}
SHOWN = 200
"""Characters of a value in the table."""

MOST_ITEMS = 500
"""Items of a long list that are shown."""


def show(workbench: Workbench, gguf: GGUF) -> None:
    """Draws the search and the groups."""
    sought = st.text_input(
        _("Search"), key="inspect-key", placeholder=_("in keys and values"), width=260, label_visibility="collapsed"
    )
    groups = anatomy.metadata(gguf, containing=sought or "")
    if not groups:
        st.caption(_("Nothing in the metadata has this in it."))
    for name, entries in groups.items():
        st.subheader(_heading(gguf, name), anchor=False)
        _table(name, entries)
    _list(gguf, [entry for entries in groups.values() for entry in entries if entry.count is not None])


def _heading(gguf: GGUF, name: str) -> str:
    if name in GROUPS:
        return _(GROUPS[name])
    if name == gguf.architecture:
        return _("Architecture: {name}", name=error_box.plain(name))
    return error_box.plain(name)


def _table(name: str, entries: list[Entry]) -> None:
    config = st.column_config
    st.dataframe(
        {
            "key": [entry.key for entry in entries],
            "type": [entry.type for entry in entries],
            "value": [_value(entry) for entry in entries],
        },
        hide_index=True,
        key=f"inspect-metadata-{name}",
        column_config={
            "key": config.TextColumn(_("Key"), width="medium"),
            "type": config.TextColumn(_("Type"), width="small"),
            "value": config.TextColumn(_("Value"), width="large"),
        },
    )


def _value(entry: Entry) -> str:
    if isinstance(entry.value, LongArray):
        return ngettext("{count} value", "{count} values", entry.value.count)
    text = ", ".join(map(str, entry.value)) if isinstance(entry.value, tuple) else str(entry.value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _list(gguf: GGUF, entries: list[Entry]) -> None:
    if not entries:
        return
    fold = st.expander(_("Read a list"), icon=":material/list:", key="inspect-lists", on_change="rerun")
    if not fold.open:
        return
    with fold:
        key = st.selectbox(_("List"), [entry.key for entry in entries], key="inspect-list", width=420)
        values = reader.array(gguf, key)
        begin = st.number_input(
            _("From number"), 0, max(len(values) - 1, 0), 0, key=f"inspect-list-from-{key}", width=160
        )
        part = values[int(begin) : int(begin) + MOST_ITEMS]
        st.dataframe(
            {_("Number"): list(range(int(begin), int(begin) + len(part))), _("Value"): [str(one) for one in part]},
            hide_index=True,
            key="inspect-list-values",
        )
        st.caption(ngettext("{count} value", "{count} values", len(values)))
