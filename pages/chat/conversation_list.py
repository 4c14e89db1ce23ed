"""The conversations in the sidebar, newest first."""

from __future__ import annotations

import streamlit as st

from core.store.conversations import Conversations
from core.store.records import Conversation
from pages.ui import state
from pages.ui.words import _

SHOWN = 30
TITLE_LENGTH = 30
"""Characters of a title that fit one line of the sidebar."""


def show(conversations: Conversations, owner: str, opened: Conversation | None) -> None:
    """Draws the list; a click opens a conversation."""
    with st.sidebar:
        st.button(
            _("New conversation"),
            icon=":material/add:",
            width="stretch",
            on_click=state.open_conversation,
            args=(None,),
            disabled=opened is None,
        )
        with st.container(gap=None):
            for kept in conversations.list(owner, limit=SHOWN):
                current = opened is not None and kept.id == opened.id
                st.button(
                    _short(kept.title) or _("New conversation"),
                    help=kept.title if len(kept.title) > TITLE_LENGTH else None,
                    key=f"open-{kept.id}",
                    icon=":material/chevron_right:" if current else ":material/chat_bubble:",
                    type="tertiary",
                    on_click=state.open_conversation,
                    args=(kept.id,),
                )


def _short(title: str) -> str:
    return title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1].rstrip() + "…"
