"""The messages of a conversation with documents: what was asked, the answer as it comes, then with its sources."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.chat import Asking
from core.errors import WorkbenchError
from core.rag.grounding import Grounding, How
from core.rag.values import Collection
from core.store.records import Conversation, StoredMessage
from core.workbench import Workbench
from pages.rag.ask import answer_view, inside, sources
from pages.ui import copy_button, error_box, live_answer, message_text
from pages.ui import variants as variant_buttons
from pages.ui.words import _

SHOWN = 12
LOOK_S = 1.0
PERSON = ":material/person:"
MODEL = ":material/library_books:"


def show(
    workbench: Workbench,
    me: str,
    conversation: Conversation,
    asking: Asking,
    collection: Collection | None,
    how: How,
) -> None:
    """Draws the newest messages."""
    messages = workbench.conversations.messages(me, conversation.id, last=SHOWN)
    groundings = workbench.document_chat.groundings.some(me, [message.id for message in messages])
    for message in messages:
        if message.role == "user":
            with st.chat_message("user", avatar=PERSON):
                message_text.question(message)
            continue
        newest = message is messages[-1]
        with st.chat_message("assistant", avatar=MODEL):
            ended = _answer(workbench, me, message, groundings.get(message.id), newest=newest)
            if ended is not None and newest:
                _actions(workbench, me, ended, asking, collection, how)


def _answer(
    workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding | None, *, newest: bool
) -> StoredMessage | None:
    """Draws it; None while it is coming."""
    answer = workbench.chat.running(message)
    if answer is not None and not live_answer.show(
        "rag-live", answer, words={"waiting": _("Searching the documents…")}
    ):
        st.fragment(_coming, run_every=None if grounding is not None else LOOK_S)(workbench, me, message.id)
        return None
    if message.status == "streaming":  # it has ended since it was read
        message = workbench.conversations.message(me, message.id)
    message = message_text.as_ended(message, answer)
    if grounding is None:
        found = workbench.document_chat.groundings.some(me, [message.id])
        grounding = found.get(message.id)
    if grounding is None or grounding.how.mode == "none":
        message_text.answer(message, newest=newest, raw=False, unkept=answer.keeper_error if answer else None)
        return message
    answer_view.show(workbench, me, message, grounding, newest=newest)
    inside.show(workbench, me, message, grounding)
    return message


def _coming(workbench: Workbench, me: str, message_id: str) -> None:
    """The passages of an answer that is still coming, as soon as they are found."""
    grounding = workbench.document_chat.groundings.some(me, [message_id]).get(message_id)
    if grounding is not None and grounding.how.mode != "none":
        sources.show(workbench, me, message_id, grounding, cited=())


def _actions(
    workbench: Workbench,
    me: str,
    message: StoredMessage,
    asking: Asking,
    collection: Collection | None,
    how: How,
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if collection is not None:
            documents = workbench.document_chat
            again = partial(documents.regenerate, me, message.id, asking, collection_id=collection.id, how=how)
            if _was_cut(message):
                go_on = partial(documents.go_on, me, message.id, asking, collection_id=collection.id, how=how)
                st.button(
                    _("Continue"),
                    key=f"rag-continue-{message.id}",
                    icon=":material/play_arrow:",
                    type="tertiary",
                    on_click=partial(_act, go_on),
                )
            st.button(
                _("Try again") if message.error else _("Search and answer again"),
                key=f"rag-again-{message.id}",
                icon=":material/refresh:",
                type="tertiary",
                on_click=partial(_act, again),
            )
        variants = workbench.conversations.variants(me, [message.id]).get(message.id, ())
        other = variant_buttons.show(
            variants, message.id, names=(_("Previous answer"), _("Next answer")), suffix="-rag"
        )
        if other is not None:
            workbench.conversations.select(me, other)
            st.rerun()
        copy_button.show(f"rag-copy-{message.id}", message.content, name=_("Copy as Markdown"), done=_("Copied"))


def _was_cut(message: StoredMessage) -> bool:
    ended = message.finished.reason if message.finished and message.status == "complete" else "cut"
    return bool(message.content) and ended in ("cut", "length")


def _act(do: Callable[[], object]) -> None:
    try:
        do()
    except WorkbenchError as error:
        error_box.show(error)
