"""The messages of a conversation: what was said, the answer that is coming, and what can be done with the last one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.answers import Answer
from core.chat import Asking, Chat
from core.errors import WorkbenchError
from core.store.conversations import Conversations
from core.store.records import Conversation, StoredMessage
from pages.ui import error_box, live_answer, markdown, metrics_strip
from pages.ui.words import _, ngettext

SHOWN = 20
UNSENT = "unsent"
PERSON = ":material/person:"
MODEL = ":material/neurology:"


def show(
    chat: Chat, conversations: Conversations, owner: str, conversation: Conversation, asking: Asking
) -> Answer | None:
    """Draws the newest messages, the earlier ones on demand. Returns the answer that is still coming."""
    shown_key = f"shown-{conversation.id}"
    shown = st.session_state.setdefault(shown_key, SHOWN)
    messages = conversations.messages(owner, conversation.id, last=shown + 1)
    if len(messages) > shown and st.button(_("Show earlier messages"), icon=":material/expand_less:"):
        st.session_state[shown_key] = shown + SHOWN
        st.rerun()
    running = None
    for message in messages[-shown:]:
        newest = message is messages[-1]
        if message.role == "user":
            st.chat_message("user", avatar=PERSON).text(message.content)
            continue
        with st.chat_message("assistant", avatar=MODEL):
            answer = chat.running(message)
            if answer is not None and not live_answer.show("live", answer):
                running = answer
                continue
            if message.status == "streaming":  # it has ended since it was read
                message = conversations.message(owner, message.id)
            _answer(message, answer, newest=newest)
            if newest:
                _actions(chat, conversations, owner, message, asking)
    return running


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


def _answer(message: StoredMessage, answer: Answer | None, *, newest: bool) -> None:
    """Draws an answer that has ended. `answer`: its run, while that is remembered."""
    if message.reasoning:
        with st.expander(_("Thinking"), icon=":material/psychology:"):
            markdown.show(message.reasoning)
    # An answer that could not be written to the disk is whole in memory.
    markdown.show(answer.text if answer is not None and answer.keeper_error else message.content)
    if answer is not None and answer.keeper_error:
        error_box.show(answer.keeper_error)
    if message.trimmed is not None:
        st.caption(_trimmed(message))
    if message.error is not None:
        error_box.show(WorkbenchError.from_dict(message.error))
    elif message.finished is not None:
        metrics_strip.show(
            f"strip-{message.id}",
            message.finished,
            model_name=message.model_name or "",
            when=message.created_at,
            newest=newest,
        )


def _actions(chat: Chat, conversations: Conversations, owner: str, message: StoredMessage, asking: Asking) -> None:
    variants = conversations.siblings(owner, message.id)
    if message.status != "complete" and message.error is None:
        st.caption(_("This answer was cut."))
    with st.container(horizontal=True, vertical_alignment="center"):
        if message.status != "complete" and message.content:
            _button(_("Continue"), ":material/play_arrow:", "continue", lambda: chat.go_on(owner, message.id, asking))
        _button(_("Regenerate"), ":material/refresh:", "regenerate", lambda: chat.regenerate(owner, message.id, asking))
        if len(variants) > 1:
            at = variants.index(message.id)
            for step, icon in ((-1, ":material/chevron_left:"), (1, ":material/chevron_right:")):
                if step == 1:
                    st.caption(f"{at + 1}/{len(variants)}", width="content")
                st.button(
                    _("Previous answer") if step < 0 else _("Next answer"),
                    icon=icon,
                    key=f"variant{step}",
                    type="tertiary",
                    disabled=not 0 <= at + step < len(variants),
                    on_click=conversations.select,
                    args=(owner, variants[min(max(at + step, 0), len(variants) - 1)]),
                )


def _button(label: str, icon: str, key: str, act: Callable[[], object]) -> None:
    if st.button(label, icon=icon, key=key, type="tertiary"):
        try:
            act()
        except WorkbenchError as error:
            error_box.show(error)
        else:
            st.rerun()


def _trimmed(message: StoredMessage) -> str:
    assert message.trimmed is not None
    return ngettext(
        "The conversation did not fit: the model did not see {count} token of it.",
        "The conversation did not fit: the model did not see {count} tokens of it.",
        message.trimmed.dropped_tokens,
    )
