"""The frame around every page: navigation, sidebar, language. This is the script that app.py serves."""

from __future__ import annotations

import streamlit as st

from core.errors import WorkbenchError
from pages.ui import error_box, field_hints, interpreter, places, press, resources, words
from pages.ui.words import _

WIDE = ("compare", "quantization", "rag")
"""Pages that have something to put side by side, by their addresses."""


def show() -> None:
    """Draws the frame, and the page in it."""
    interpreter.spare_modules()
    st.set_page_config(page_title=_("Workbench"), page_icon=places.PAGES / "ui" / "icon.png")
    pages = [places.chat(), places.compare(), places.quantization(), places.rag(), places.providers()]
    page = st.navigation(pages, position="sidebar")
    # Said once a run: of two layouts, the first one stood now and then.
    st.set_page_config(layout="wide" if page.url_path in WIDE else "centered")
    try:
        resources.workbench()
    except WorkbenchError as error:
        error_box.show(error)
        st.stop()
    field_hints.show()
    page.run()
    press.forget()
    with st.sidebar:
        words.switch()


show()
