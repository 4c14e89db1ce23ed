"""The view from top to bottom: the questions, how well each retriever finds them, where it fails, ways compared."""

from __future__ import annotations

import streamlit as st

from core.workbench import Workbench


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    st.header("x")
