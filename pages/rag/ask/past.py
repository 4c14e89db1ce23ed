"""Earlier conversations with documents, in the sidebar; and the way to a new one."""

from __future__ import annotations

import streamlit as st

from core.store.records import Conversation
from core.workbench import Workbench
from pages.ui import error_box, state
from pages.ui.words import _

SHOWN = 12


def show(workbench: Workbench, me: str, current: Conversation | None) -> None:
    """Draws the list, the newest first; nothing while there is none."""
    found = workbench.document_chat.groundings.conversations(me, limit=SHOWN)
    if not found and current is None:
        return
    with st.sidebar:
        st.button(
            _("New questions"),
            icon=":material/edit_square:",
            width="stretch",
            key="ask-new",
            disabled=current is None,
            on_click=state.open_conversation,
            args=(None,),
        )
        for id, title, _collection in found:
            here = current is not None and current.id == id
            name = error_box.plain(title or _("Untitled"))
            st.button(
                f"**{name}**" if here else name,
                key=f"ask-open-{id}",
                type="tertiary",
                width="stretch",
                on_click=state.open_conversation,
                args=(id,),
            )
