"""The Chat page: a question, its answer as it comes, and what it took."""

from __future__ import annotations

import streamlit as st

from core.errors import EmptyPrompt, NotThere, WorkbenchError
from pages.chat import asking_panel, conversation_list, transcript, welcome
from pages.ui import error_box, owner, resources, state
from pages.ui.words import _

workbench = resources.workbench()
me = owner.current()

try:
    opened = state.conversation_id()
    conversation = workbench.conversations.get(me, opened) if opened else None
except NotThere as error:
    error_box.show(error)
    state.open_conversation(None)
    conversation = None

conversation_list.show(workbench.conversations, me, conversation)

page = st.container()
with st.bottom:
    typed = st.chat_input(_("Ask the model something"), key="question")
    asking = asking_panel.show(workbench.catalog, conversation)

with page:
    running, picked = None, None
    if conversation:
        running = transcript.show(workbench.chat, workbench.conversations, me, conversation, asking)
    elif not transcript.has_unsent(None):
        picked = welcome.show()
    again = transcript.unsent(conversation)
    if typed and not typed.strip():
        error_box.show(EmptyPrompt())
        typed = None
    question = typed or picked or again

if question:
    try:
        workbench.model(asking.model_id)  # a question that cannot be asked stops nothing
        if running is not None:
            running.stop()
            running.wait(timeout=2.0)
        answer = workbench.chat.ask(me, conversation.id if conversation else None, question, asking)
    except WorkbenchError as error:
        transcript.keep_unsent(conversation, question, error)
    else:
        transcript.forget_unsent(conversation)
        state.open_conversation(answer.conversation_id)
    st.rerun()
