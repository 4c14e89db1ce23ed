"""The view from top to bottom: which collection, add to it, what is in it, its chunks, its settings."""

from __future__ import annotations

import streamlit as st

from core.workbench import Workbench
from pages.rag.collections import adding, cutting, listed, opened, rows, settings
from pages.ui import error_box


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    collections = workbench.collections.list(me)
    found = opened.of(collections)
    listed.show(workbench, me, collections, found)
    adding.show(workbench, me, found)
    adding.show_error()
    if found is None:
        return
    st.subheader(error_box.plain(found.name), anchor=False)
    rows.show(workbench, me, found)
    if found.documents:
        cutting.show(workbench, me, found)
    settings.show(workbench, me, found)
