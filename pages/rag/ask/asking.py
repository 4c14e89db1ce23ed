"""The next question: which model, how it answers, and where the question is written."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import streamlit as st

from core.chat import Asking, asking_of
from core.errors import WorkbenchError
from core.messages import Sampling
from core.models.base import ChatModel
from core.rag.grounding import How
from core.rag.values import Collection
from core.store.records import Conversation
from core.workbench import Workbench
from pages.ui import error_box, model_picker, state
from pages.ui.asking import settings
from pages.ui.words import _

INPUT, GIVEN_BACK = "ask-question", "ask-given-back"
WIDTH = 440

LENGTH = 600
"""Tokens of an answer, to begin with: what passages say is said in few words."""

STEADY = Sampling(temperature=0.2)
"""To begin with: an answer from documents is not to be inventive."""


@dataclass(frozen=True)
class Asked:
    """How the next question is asked, and the question, when one was sent."""

    asking: Asking
    question: str | None


def show(workbench: Workbench, me: str, conversation: Conversation | None, *, able: bool) -> Asked:
    """Draws it. able: whether there is something to ask."""
    begun = asking_of(conversation) if conversation else Asking(sampling=STEADY, max_tokens=LENGTH)
    key = f"rag-{conversation.id if conversation else 'new'}"
    back: tuple[str, WorkbenchError] | None = st.session_state.pop(GIVEN_BACK, None)
    if back is not None:
        st.session_state[INPUT] = back[0]
        error_box.show(back[1])
    sent = st.chat_input(_("Ask your documents"), key=INPUT, disabled=not able)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        model_id = model_picker.show(f"model-{key}", workbench, me, begun.model_id)
        button = st.popover(_("Settings"), icon=":material/tune:", help=_("What decides the next answer"))
    with button, st.container(width=WIDTH):
        asking = settings.show(key, workbench, _model(workbench, me, model_id), begun)
    return Asked(msgspec.structs.replace(asking, model_id=model_id), str(sent) if sent else None)


def ask(
    workbench: Workbench,
    me: str,
    conversation: Conversation | None,
    collection: Collection,
    question: str,
    asking: Asking,
    how: How,
) -> None:
    """Asks below what is shown, and draws the page again; an answer that is still coming is stopped for it."""
    try:
        if conversation is not None:
            workbench.chat.stop(me, conversation.id)
        answer = workbench.document_chat.ask(
            me,
            conversation.id if conversation else None,
            question,
            asking,
            collection_id=collection.id,
            how=how,
        )
    except WorkbenchError as error:
        st.session_state[GIVEN_BACK] = (question, error)
    else:
        state.open_conversation(answer.conversation_id)
    st.rerun()


def _model(workbench: Workbench, me: str, model_id: str | None) -> ChatModel | None:
    try:
        return workbench.chat_model(me, model_id)
    except WorkbenchError:
        return None
