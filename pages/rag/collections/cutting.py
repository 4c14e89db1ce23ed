"""The passages of a document, as they are or would be with other settings: tried on one, then used for all."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial
from itertools import islice

import msgspec
import streamlit as st

from core.errors import WorkbenchError
from core.rag.chunk import CHUNKERS, SMALLEST
from core.rag.values import Build, Collection, Span
from core.workbench import Workbench
from pages.ui import error_box
from pages.ui.words import _, count, ngettext

SHOWN = 12
CHARACTERS = 20_000
"""Of a document, that are cut for the preview: enough to see, and soon embedded where that is needed."""

MOST = 300
"""Passages that are cut for the preview."""


def show(workbench: Workbench, me: str, found: Collection) -> None:
    """Draws it, folded."""
    with st.expander(_("How documents are cut into passages"), icon=":material/content_cut:"):
        ready = {one.id: one.name for one in workbench.collections.documents(me, found.id) if one.status == "ready"}
        chosen = st.selectbox(
            _("Tried on"), list(ready), format_func=lambda id: ready.get(id, ""), key=f"preview-{found.id}"
        )
        build = _settings(workbench, me, found)
        if build != found.build:
            st.button(
                _("Cut the whole collection so"),
                key="cut-anew",
                icon=":material/content_cut:",
                help=_("All documents are cut anew. Until that is done, answers come from the passages as they were."),
                on_click=partial(apply, workbench, me, found, build),
            )
        try:
            spans = _cut(workbench, me, found, chosen, build) if chosen else []
        except WorkbenchError as error:
            error_box.show(error)
            return
        _draw(spans)


def apply(workbench: Workbench, me: str, found: Collection, build: Build) -> None:
    """Cuts and embeds the collection anew, in the background."""
    try:
        workbench.collections.change(
            me,
            found.id,
            embedding=build.embedding,
            chunker=build.chunker,
            size=build.size,
            overlap=build.overlap,
        )
    except WorkbenchError as error:
        st.session_state["documents-error"] = error


def _settings(workbench: Workbench, me: str, found: Collection) -> Build:
    labels = {one.name: _(one.label) for one in CHUNKERS}
    build = found.build
    try:
        most = workbench.collections.embeddings.get(me, build.embedding).max_tokens
    except WorkbenchError as error:
        error_box.show(error)
        return build
    chunker = st.segmented_control(
        _("Cut at"),
        list(labels),
        default=build.chunker,
        required=True,
        format_func=labels.__getitem__,
        key=f"chunker-{found.id}",
        help="\n".join("- **" + _(one.label) + "**: " + _(one.help) for one in CHUNKERS),
    )
    left, right = st.columns(2)
    size = left.slider(
        _("Tokens of a passage, at most"),
        SMALLEST,
        most,
        min(build.size, most),
        key=f"size-{found.id}",
        help=_(
            "Small passages are found more exactly, large ones say more when they are read. Counted as the "
            "embedding model does, which reads no more than this at once."
        ),
    )
    overlap = right.slider(
        _("Tokens in common with the passage before"),
        0,
        size // 2,
        min(build.overlap, size // 2),
        key=f"overlap-{found.id}",
        help=_("So that what stands at a border can be understood from one of the two."),
    )
    return msgspec.structs.replace(build, chunker=chunker or build.chunker, size=size, overlap=overlap)


def _cut(workbench: Workbench, me: str, found: Collection, document_id: str, build: Build) -> list[Span]:
    beginning = workbench.collections.preview(me, found.id, document_id, build, characters=CHARACTERS)
    return list(islice(beginning, MOST))


def _draw(spans: Sequence[Span]) -> None:
    if not spans:
        return
    middle = round(statistics.median(one.tokens for one in spans))
    number = ngettext("{count} passage", "{count} passages", len(spans))
    if len(spans) == MOST:
        number = _("more than {number} passages", number=count(MOST))
    st.caption(_("{number}, half of them with {tokens} tokens or more", number=number, tokens=count(middle)))
    for place, span in enumerate(spans[:SHOWN], 1):
        facts = [
            count(place),
            _("page {number}", number=count(span.page)) if span.page else "",
            ngettext("{count} token", "{count} tokens", span.tokens),
            " › ".join(span.headings),
        ]
        with st.container(border=True, gap="xsmall"):
            st.caption(error_box.plain(" · ".join(fact for fact in facts if fact)))
            st.text(span.text)
