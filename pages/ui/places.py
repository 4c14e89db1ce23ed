"""The pages by name, for the navigation and for links from one page to another: pages import no other page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.words import _

PAGES = Path(__file__).parents[1]

COMPARISON = "comparison"
"""In the Compare page's address: the comparison that is open there."""


def chat() -> st.Page:
    """The Chat page."""
    path = PAGES / "chat" / "page.py"
    return st.Page(path, title=_("Chat"), icon=":material/chat:", url_path="chat", default=True)


def compare() -> st.Page:
    """The Compare page."""
    path = PAGES / "compare" / "page.py"
    return st.Page(path, title=_("Compare"), icon=":material/compare:", url_path="compare")


def quantization() -> st.Page:
    """The Quantization Explorer."""
    path = PAGES / "quantization" / "page.py"
    return st.Page(path, title=_("Quantization"), icon=":material/compress:", url_path="quantization")


def rag() -> st.Page:
    """The page of one's own documents."""
    path = PAGES / "rag" / "page.py"
    return st.Page(path, title=_("Documents (RAG)"), icon=":material/library_books:", url_path="rag")


def providers() -> st.Page:
    """The Providers page."""
    path = PAGES / "providers" / "page.py"
    return st.Page(path, title=_("Providers"), icon=":material/hub:", url_path="providers")
