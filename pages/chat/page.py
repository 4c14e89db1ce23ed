"""The Chat page: a question, its answer as it comes, and what it took."""

from __future__ import annotations

import streamlit as st

from core.errors import NotThere, WorkbenchError
from pages.chat import asking_panel, composer, library, of_documents, transcript, welcome
from pages.ui import error_box, owner, resources, state

workbench = resources.workbench()
me = owner.current()

try:
    opened = state.conversation_id()
    conversation = workbench.conversations.get(me, opened) if opened else None
except NotThere as error:
    error_box.show(error)
    state.open_conversation(None)
    conversation = None

library.show(workbench, me, conversation)

page = st.container()
with st.bottom:
    entry = st.container(gap="small")
    asking = asking_panel.show(workbench, me, conversation)


def ask(question: composer.Submitted) -> None:
    """Asks below what this window shows; an answer that is still coming is stopped for it."""
    try:
        asking_panel.check(workbench, me, conversation, asking)  # a question that cannot be asked stops nothing
        if conversation:
            workbench.chat.stop(me, conversation.id)
        answer = workbench.chat.ask(
            me,
            conversation.id if conversation else None,
            question.text,
            asking,
            attachments=question.attachments,
            begin_with=question.begin_with,
            parent_id=transcript.seen(conversation) if conversation else None,
        )
    except WorkbenchError as error:
        transcript.keep_unsent(conversation, question.text, error)
        composer.give_back(composer.Submitted("", question.attachments, question.begin_with))
    else:
        composer.clear()
        transcript.forget_unsent(conversation)
        state.open_conversation(answer.conversation_id)


def ask_at_once() -> None:
    """Asks what was sent before the page is drawn anew, which takes longer than asking. Where a setting has changed in
    the same moment, the page has to read it first."""
    if not asking_panel.changed(conversation) and (question := composer.take()):
        ask(question)


with entry:
    question = composer.show(workbench, me, conversation, asking, on_sent=ask_at_once)
if question:
    ask(question)
    st.rerun()

with page:
    picked = None
    if conversation:
        of_documents.show(conversation)
        transcript.show(workbench, me, conversation, asking)
    elif not transcript.has_unsent(None):
        picked = welcome.show()
    question = composer.with_waiting(picked or transcript.unsent(conversation))
if question:
    ask(question)
    st.rerun()
asking_panel.remember(conversation)
