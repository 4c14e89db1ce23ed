"""The view from top to bottom: which collection, how it is searched, what was asked and answered, the next question."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import NotThere
from core.rag.asking import kept_of
from core.rag.values import Collection
from core.store.records import Conversation
from core.workbench import Workbench
from pages.rag.ask import ablation, asking, past, searching, transcript
from pages.ui import error_box, press, state
from pages.ui.words import _


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    collections = [one for one in workbench.collections.list(me) if one.chunks]
    conversation = _opened(workbench, me)
    past.show(workbench, me, conversation)
    if not collections and conversation is None:
        _nothing_yet()
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        collection = _picked(collections, conversation)
        how = searching.show(workbench, me, collection, conversation)
    if collection is not None:
        workbench.finding.prepare(me, collection.id)
        workbench.finding.calibrate_if_changed(me, collection.id)
    page = st.container()
    with st.bottom:
        asked = asking.show(workbench, me, conversation, able=collection is not None)
    with page:
        if conversation is None:
            picked = _welcome(collection)
            if collection is not None:
                st.caption(searching.advice(workbench, me, collection, asked.asking))
        else:
            picked = None
            transcript.show(workbench, me, conversation, asked.asking, collection, how)
        ablation.show(workbench, me, collection, conversation, asked.asking, how)
    question = asked.question or picked
    if question and collection is not None:
        asking.ask(workbench, me, conversation, collection, question, asked.asking, how)


def _opened(workbench: Workbench, me: str) -> Conversation | None:
    id = state.conversation_id()
    if id is None:
        return None
    try:
        return workbench.conversations.get(me, id)
    except NotThere as error:
        error_box.show(error)
        state.open_conversation(None)
        return None


def _nothing_yet() -> None:
    st.header(_("Talk to your own documents"))
    st.markdown(
        _(
            "Add PDFs, texts or slides, ask a question, and check every sentence of the answer against the page that "
            "it comes from. Nothing leaves this machine unless you choose a model that is elsewhere."
        )
    )
    st.button(
        _("Add documents"),
        icon=":material/note_add:",
        key="ask-add-documents",
        on_click=partial(_look_at, "collections"),
    )


def _look_at(view: str) -> None:
    st.session_state["rag-view"] = view


def _picked(collections: list[Collection], conversation: Conversation | None) -> Collection | None:
    """The collection that is asked: the conversation's, to begin with."""
    kept = kept_of(conversation) if conversation is not None else None
    ids = [one.id for one in collections]
    names = {one.id: one.name for one in collections}
    if not ids:
        st.caption(_("The documents that were asked here are gone."))
        return None
    key = f"ask-collection-{conversation.id if conversation else 'new'}"
    begun = st.query_params.get("collection") if kept is None else kept.collection_id
    picked = st.selectbox(
        _("Documents"),
        ids,
        index=ids.index(begun) if begun in ids else 0,
        format_func=lambda id: names.get(id, id),
        key=key,
        label_visibility="collapsed",
        width=280,
    )
    return next((one for one in collections if one.id == picked), None)


def _welcome(collection: Collection | None) -> str | None:
    st.header(_("Ask your documents"))
    st.markdown(
        _(
            "The passages that fit the question are found first, and the model answers from them alone. Numbers in "
            "brackets lead to the passage. That something is not in the documents is an answer too."
        )
    )
    if collection is None:
        return None
    ideas = (
        _("What are these documents about?"),
        _("What are the most important figures, and where do they stand?"),
    )
    for column, idea in zip(st.columns(2), ideas, strict=True):
        with column:
            if press.button(idea, icon=":material/lightbulb:", width="stretch", wrap=True, key=f"ask-idea-{idea}"):
                return idea
    return None
