"""A conversation that was held with documents, opened here: it leads back to them."""

from __future__ import annotations

import streamlit as st

from core.rag.asking import kept_of
from core.store.records import Conversation
from pages.ui import places, press, state
from pages.ui.words import _


def show(conversation: Conversation) -> None:
    """Says so, where it is one; nothing otherwise."""
    if kept_of(conversation) is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            ":material/library_books: "
            + _("This conversation was held with documents. What is asked here is answered without them."),
            width="content",
        )
        if press.button(
            _("Open it with its documents"), key="to-documents", icon=":material/open_in_new:", type="tertiary"
        ):
            st.switch_page(places.rag(), query_params={state.CONVERSATION: conversation.id})
