"""What a page remembers in its address, so that a reload or another tab shows the same."""

from __future__ import annotations

import streamlit as st

CONVERSATION = "c"


def conversation_id() -> str | None:
    """The conversation in the address; None is a new one."""
    return st.query_params.get(CONVERSATION)


def open_conversation(id: str | None) -> None:
    """Puts a conversation in the address, or a new one."""
    if id is None:
        st.query_params.pop(CONVERSATION, None)
    else:
        st.query_params[CONVERSATION] = id
