"""The frame around every page: navigation, sidebar, language. This is the script that app.py serves."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from pages.ui import error_box, resources, words
from pages.ui.words import _

PAGES = Path(__file__).parents[1]


def show() -> None:
    """Draws the frame, and the page in it."""
    st.set_page_config(page_title=_("Workbench"), page_icon=PAGES / "ui" / "icon.png", layout="centered")
    page = st.navigation(
        [st.Page(PAGES / "chat" / "page.py", title=_("Chat"), icon=":material/chat:", url_path="chat", default=True)],
        position="sidebar",
    )
    try:
        resources.workbench()
    except WorkbenchError as error:
        error_box.show(error)
        st.stop()
    page.run()
    with st.sidebar:
        words.switch()


show()
