"""The view from top to bottom: the questions, how well each retriever finds them, where it fails, ways compared."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.rag.values import Collection
from core.workbench import Workbench
from pages.rag.measure import drafts, grid, judged, measured, questions
from pages.ui.words import _


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    collections = [one for one in workbench.collections.list(me) if one.chunks]
    st.header(_("How well are passages found?"), anchor=False)
    if not collections:
        _nothing_yet()
        return
    collection = _picked(collections)
    st.markdown(
        _(
            "Give questions, and where their answers stand. Every way of searching is then measured on them, without "
            "any model: how often the right passage is among the first, and how far up."
        )
    )
    asked = questions.show(workbench, me, collection)
    drafts.show(workbench, me, collection)
    if not asked:
        return
    measured.show(workbench, me, collection, asked)
    grid.show(workbench, me, collection, asked)
    judged.show(workbench, me, collection, asked)


def _nothing_yet() -> None:
    st.markdown(_("There is nothing to measure yet: add documents first."))
    st.button(
        _("Add documents"),
        icon=":material/note_add:",
        key="measure-add-documents",
        on_click=partial(_look_at, "collections"),
    )


def _look_at(view: str) -> None:
    st.session_state["rag-view"] = view


def _picked(collections: list[Collection]) -> Collection:
    names = {one.id: one.name for one in collections}
    begun = st.query_params.get("collection")
    ids = list(names)
    picked = st.selectbox(
        _("Documents"),
        ids,
        index=ids.index(begun) if begun in ids else 0,
        format_func=lambda id: names.get(id, id),
        key="measure-collection",
        label_visibility="collapsed",
        width=320,
    )
    return next(one for one in collections if one.id == picked)
