"""A page of a PDF with a passage highlighted, as a picture: nothing of the document runs in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.rag.extracting.wire import Drawn
from core.rag.page_image import page_image
from core.rag.values import Chunk
from pages.ui.words import _, count


def show(key: str, path: Callable[[], Path], chunk: Chunk) -> None:
    """Draws it; says so where it cannot be drawn."""
    assert chunk.page is not None
    try:
        drawn = _drawn(str(path()), chunk.page, chunk.text)
    except WorkbenchError:
        st.caption(_("The page cannot be drawn. Its text is below."))
        return
    page = count(chunk.page)
    with st.container(key=key):
        st.image(drawn.png, caption=_("Page {page} of {document}", page=page, document=chunk.document), width="stretch")
    if not drawn.lines:
        st.caption(_("The passage was not found on the drawn page. Its text is below."))


@st.cache_data(max_entries=32, show_spinner=False)
def _drawn(path: str, page: int, text: str) -> Drawn:
    return page_image(Path(path), page, text)
