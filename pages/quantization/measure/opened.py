"""Which study is open: it stands in the page's address, so that a reload or another tab shows the same."""

from __future__ import annotations

import streamlit as st

STUDY = "study"
NEW = "new"


def id() -> str | None:
    """The study in the address; None: it names none, and the newest is shown."""
    return st.query_params.get(STUDY)


def open(id: str) -> None:
    """Puts a study in the address, or `NEW`."""
    st.query_params[STUDY] = id
