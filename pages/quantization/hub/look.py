"""A look into a file on the Hub that is not downloaded: its header alone is read, over HTTP ranges."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from core.errors import WorkbenchError
from core.gguf.header import GGUF, LongArray
from core.hub.values import Repository, Variant
from core.workbench import Workbench
from pages.ui import error_box
from pages.ui.words import _, count, parameters, percent, size, tokens

ASKED = "hub-look"
LONGEST = 300
"""Characters of a value in the table; the chat template is shown whole below it."""


def ask(name: str) -> None:
    """Opens the look into this file, or closes it."""
    st.session_state[ASKED] = None if asked(name) else name


def asked(name: str) -> bool:
    """Whether this file is looked into."""
    return st.session_state.get(ASKED) == name


def show(workbench: Workbench, me: str, found: Repository, variant: Variant) -> None:
    """Draws what the header says."""
    with st.container(border=True):
        try:
            with st.spinner(_("Reading the header…"), show_time=True):
                header = workbench.hub.whole_header(found, variant, workbench.accounts.permit(me))
        except WorkbenchError as error:
            error_box.show(error)
            return
        _draw(header)


def _draw(header: GGUF) -> None:
    known = [
        (_("Architecture"), error_box.plain(header.architecture or "")),
        (_("Parameters"), parameters(header.parameters)),
        (_("Context it was trained for"), tokens(header.context_length) if header.context_length else ""),
        (_("Layers"), count(header.block_count)),
        (_("Vocabulary"), tokens(header.vocabulary_size) if header.vocabulary_size else ""),
        (_("Header"), size(header.data_offset)),
        (_("Types of its tensors"), _types(header)),
    ]
    st.markdown("\n".join("- " + _("{name}: {value}", name=name, value=value) for name, value in known if value))
    st.dataframe(
        {
            _("Key"): list(header.metadata),
            _("Type"): [header.types[key] for key in header.metadata],
            _("Value"): [_shown(value) for value in header.metadata.values()],
        },
        hide_index=True,
        height=300,
    )
    if header.chat_template:
        st.caption(_("Chat template"))
        st.code(header.chat_template, language="jinja2", wrap_lines=True, height=200)


def _types(header: GGUF) -> str:
    """The share of the bytes that each type has."""
    together: Counter[str] = Counter()
    for tensor in header.all_tensors:
        together[tensor.type.name] += tensor.n_bytes
    total = sum(together.values()) or 1
    return ", ".join(f"{name} {percent(amount / total)}" for name, amount in together.most_common())


def _shown(value: object) -> str:
    if isinstance(value, LongArray):
        return _("{count} values", count=count(value.count))
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
