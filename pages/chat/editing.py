"""A message's text as it is changed, in its place: a question is asked anew beside the old one, an answer is kept."""

from __future__ import annotations

import streamlit as st

from core.store.records import StoredMessage
from pages.chat.talk import Talk
from pages.ui import press
from pages.ui.words import _

EDITED = "editing"
"""The one message that is being changed, by its id, in the session."""


def begin(message: StoredMessage) -> None:
    """Opens the message for being changed."""
    st.session_state[EDITED] = message.id


def is_open(message: StoredMessage) -> bool:
    return bool(st.session_state.get(EDITED) == message.id)


def show(talk: Talk, message: StoredMessage) -> None:
    """The text in a field, a button that keeps it, a button that leaves it."""
    question = message.role == "user"
    text = st.text_area(
        _("Question") if question else _("Answer"),
        message.content,
        key=f"edit-{message.id}",
        height="content",
        label_visibility="collapsed",
    )
    if question:
        st.caption(_("The question before it, and its answers, are kept: ‹ › leads back to them."))
    with st.container(horizontal=True):
        keep = press.button(
            _("Save and ask") if question else _("Save"),
            key=f"save-{message.id}",
            icon=":material/check:",
            disabled=not text.strip() and not message.attachments,
        )
        st.button(_("Cancel"), key=f"cancel-{message.id}", type="tertiary", on_click=_leave)
    if keep and question:
        talk.answer(lambda: _ask(talk, message, text))
    elif keep:
        talk.act(lambda: _keep(talk, message, text))


def _ask(talk: Talk, question: StoredMessage, text: str) -> None:
    talk.workbench.chat.ask(
        talk.owner,
        question.conversation_id,
        text,
        talk.asking,
        attachments=question.attachments,
        parent_id=question.parent_id,
    )
    _leave()


def _keep(talk: Talk, answer: StoredMessage, text: str) -> None:
    talk.workbench.conversations.edit_answer(talk.owner, answer.id, text)
    _leave()


def _leave() -> None:
    st.session_state.pop(EDITED, None)
