"""What was deleted last, with the way back. It stands until the conversation goes on, or the page is left."""

from __future__ import annotations

import streamlit as st

from core.store.records import Branch, StoredMessage
from pages.chat.talk import Talk
from pages.ui import press
from pages.ui.words import _, ngettext


def delete(talk: Talk, message: StoredMessage) -> None:
    """Deletes a message and all below it, and keeps the way back."""
    branch = talk.workbench.conversations.delete_branch(talk.owner, message.id)
    left = talk.workbench.conversations.get(talk.owner, message.conversation_id).leaf_id
    st.session_state[_key(message.conversation_id)] = (branch, left)


def show(talk: Talk) -> None:
    """Says what was deleted, and puts it back with a click."""
    deleted: tuple[Branch, str | None] | None = st.session_state.get(_key(talk.conversation.id))
    if deleted is None or deleted[1] != talk.conversation.leaf_id:
        return
    branch = deleted[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        count = len(branch.rows)
        st.caption(ngettext("{count} message deleted.", "{count} messages deleted.", count), width="content")
        if press.button(_("Undo"), key="undo-delete", icon=":material/undo:", type="tertiary"):
            talk.act(lambda: _restore(talk, branch))


def _restore(talk: Talk, branch: Branch) -> None:
    talk.workbench.conversations.restore_branch(talk.owner, branch)
    del st.session_state[_key(branch.conversation_id)]


def _key(conversation_id: str) -> str:
    return f"deleted-{conversation_id}"
