"""The passages that an answer was given, as buttons; a click opens the source with the passage highlighted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.errors import WorkbenchError
from core.rag.grounding import Grounding, Passage
from core.rag.values import Chunk, Stage
from core.rag_plots import STAGES
from core.workbench import Workbench
from pages.rag.ask import searching
from pages.ui import error_box, marked_text, page_picture
from pages.ui.words import _, count, ngettext, number

OPENED = "ask-source"
_BOX = "opened-source"
AROUND = 6000
"""Characters of a text that are shown on each side of a passage."""

FIRST = 8
"""Sources that are shown at once; whole documents have many."""


def show(workbench: Workbench, me: str, message_id: str, grounding: Grounding, *, cited: Sequence[int]) -> None:
    """Draws a button for each passage, those that are cited first; and the one that was clicked, opened."""
    ordered = sorted(grounding.passages, key=lambda one: (one.number not in cited, one.number))
    shown = ordered[: max(FIRST, len(cited))]
    if shown:
        with st.container(horizontal=True, gap="xsmall"):
            for one in shown:
                st.button(
                    f"[{one.number}] {error_box.plain(where(one.chunk))}",
                    key=f"source-{message_id}-{one.number}",
                    icon=":material/format_quote:" if one.number in cited else ":material/article:",
                    type="secondary" if one.number in cited else "tertiary",
                    help=_("Opens the source, with the passage highlighted"),
                    on_click=partial(open_source, message_id, one.number),
                )
    else:
        st.caption(_("No passage was found for this question."))
    if len(ordered) > len(shown):
        rest = len(ordered) - len(shown)
        st.caption(ngettext("and {count} passage more", "and {count} passages more", rest))
    opened: tuple[str, int] | None = st.session_state.get(OPENED)
    if opened is not None and opened[0] == message_id:
        passage = grounding.passage(opened[1])
        if passage is not None:
            _source(workbench, me, grounding, passage)


def where(chunk: Chunk) -> str:
    """The document, and the page."""
    page = ", " + _("p. {page}", page=count(chunk.page)) if chunk.page is not None else ""
    return f"{chunk.document}{page}"


def open_source(message_id: str, number_: int) -> None:
    """Opens a passage of an answer."""
    st.session_state[OPENED] = (message_id, number_)


def _close() -> None:
    st.session_state.pop(OPENED, None)


def _source(workbench: Workbench, me: str, grounding: Grounding, passage: Passage) -> None:
    chunk = passage.chunk
    with st.container(border=True, key=_BOX):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**[{passage.number}] {error_box.plain(where(chunk))}**", width="stretch")
            st.button(_("Close"), icon=":material/close:", type="tertiary", key="close-source", on_click=_close)
        if chunk.headings:
            st.caption(error_box.plain(" › ".join(chunk.headings)))
        st.caption(_scores(passage))
        _document(workbench, me, grounding.collection_id, chunk)


def _document(workbench: Workbench, me: str, collection_id: str, chunk: Chunk) -> None:
    """The page of a PDF with the passage highlighted, and the text around it; the passage alone where it is gone."""
    collections = workbench.collections
    try:
        document = collections.document(me, collection_id, chunk.document_id)
        text = collections.extracted(me, collection_id, chunk.document_id).text
    except WorkbenchError:
        st.caption(_("The document is no longer in the collection. This is the passage as the model was given it."))
        marked_text.show(f"source-{chunk.id}", "", chunk.text, "", name=chunk.document, within=_BOX)
        return
    if document.media_type == "application/pdf" and chunk.page is not None:
        page_picture.show(f"page-{chunk.id}", lambda: collections.original(me, collection_id, document.id), chunk)
    start, end = chunk.start, chunk.end
    if text[start:end] != chunk.text:  # another version of the document
        start = text.find(chunk.text)
        end = start + len(chunk.text)
    if start < 0:
        st.caption(_("The document has changed since. This is the passage as the model was given it."))
        marked_text.show(f"source-{chunk.id}", "", chunk.text, "", name=document.name, within=_BOX)
        return
    before, after = text[max(start - AROUND, 0) : start], text[end : end + AROUND]
    marked_text.show(
        f"source-{chunk.id}",
        ("… " if start > AROUND else "") + before,
        text[start:end],
        after + (" …" if end + AROUND < len(text) else ""),
        name=document.name,
        within=_BOX,
    )


def _scores(passage: Passage) -> str:
    """By stage: where it stood, and its score."""
    names = searching.stage_names()
    stages: list[Stage] = [stage for stage in STAGES if stage in passage.ranks]
    parts = [
        _(
            "{stage}: rank {rank} (score {score})",
            stage=names[stage],
            rank=count(passage.ranks[stage]),
            score=number(round(passage.scores.get(stage, 0.0), 3)),
        )
        for stage in stages
    ]
    return " · ".join(parts) or _("Given without a search.")
