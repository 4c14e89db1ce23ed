"""The messages of a conversation: what was said, the answer that is coming, and what can be done with each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.chat import Asking
from core.errors import WorkbenchError
from core.store.records import Conversation, StoredMessage
from core.workbench import Workbench
from pages.chat import editing, message_actions, undo
from pages.chat.talk import Talk
from pages.ui import error_box, live_answer, message_text, press
from pages.ui.words import _

SHOWN = 20
UNSENT = "unsent"
PERSON = ":material/person:"
MODEL = ":material/neurology:"


def show(workbench: Workbench, owner: str, conversation: Conversation, asking: Asking) -> None:
    """Draws the newest messages, the earlier ones on demand."""
    talk = Talk(workbench, owner, conversation, asking)
    messages = _shown(talk)
    variants = workbench.conversations.variants(owner, [message.id for message in messages])
    for message in messages:
        newest = message is messages[-1]
        draw = _question if message.role == "user" else _answer
        draw(talk, message, variants.get(message.id, ()), newest=newest)
    st.session_state[_seen_key(conversation)] = messages[-1].id if messages else None
    undo.show(talk)


def seen(conversation: Conversation) -> str | None:
    """The last message that this window showed: what a question typed in it follows."""
    shown: str | None = st.session_state.get(_seen_key(conversation), conversation.leaf_id)
    return shown


def unsent(conversation: Conversation | None) -> str | None:
    """A question that could not be asked here, with the reason; returned again when the person tries again."""
    failed: tuple[str, WorkbenchError] | None = st.session_state.get(_unsent_key(conversation))
    if failed is None:
        return None
    question, error = failed
    st.chat_message("user", avatar=PERSON).text(question)
    return question if error_box.show(error, key=UNSENT, retry=True) else None


def has_unsent(conversation: Conversation | None) -> bool:
    """Whether a question waits here for being asked."""
    return _unsent_key(conversation) in st.session_state


def keep_unsent(conversation: Conversation | None, question: str, error: WorkbenchError) -> None:
    """Keeps a question that could not be asked, so that nothing typed is lost."""
    st.session_state[_unsent_key(conversation)] = (question, error)


def forget_unsent(conversation: Conversation | None) -> None:
    """Lets it go: a question has been asked."""
    st.session_state.pop(_unsent_key(conversation), None)


def _unsent_key(conversation: Conversation | None) -> str:
    return f"{UNSENT}-{conversation.id if conversation else 'new'}"


def _seen_key(conversation: Conversation) -> str:
    return f"seen-{conversation.id}"


def _shown(talk: Talk) -> Sequence[StoredMessage]:
    key = f"shown-{talk.conversation.id}"
    shown = st.session_state.setdefault(key, SHOWN)
    messages = talk.workbench.conversations.messages(talk.owner, talk.conversation.id, last=shown + 1)
    more = len(messages) > shown
    if more and press.button(_("Show earlier messages"), key=f"earlier-{key}", icon=":material/expand_less:"):
        st.session_state[key] = shown + SHOWN
        st.rerun()
    return messages[-shown:]


def _question(talk: Talk, message: StoredMessage, variants: Sequence[str], *, newest: bool) -> None:
    with st.chat_message("user", avatar=PERSON):
        if editing.is_open(message):
            editing.show(talk, message)
        else:
            message_text.question(message)
            message_actions.show(talk, message, variants, newest=newest)


def _answer(talk: Talk, message: StoredMessage, variants: Sequence[str], *, newest: bool) -> None:
    with st.chat_message("assistant", avatar=MODEL):
        answer = talk.workbench.chat.running(message)
        if answer is not None and not live_answer.show("live", answer):
            return
        if message.status == "streaming":  # it has ended since it was read
            message = talk.workbench.conversations.message(talk.owner, message.id)
        message = message_text.as_ended(message, answer)
        if editing.is_open(message):
            editing.show(talk, message)
            return
        unkept = answer.keeper_error if answer is not None else None
        message_text.answer(message, newest=newest, raw=message_actions.is_raw(message), unkept=unkept)
        message_actions.show(talk, message, variants, newest=newest)
