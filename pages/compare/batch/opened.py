"""Which batch is open: it stands in the page's address, so that a reload or another tab shows the same."""

from __future__ import annotations

import streamlit as st

BATCH = "batch"


def id() -> str | None:
    """The batch in the address; None: a new one is being made."""
    return st.query_params.get(BATCH)


def open(id: str | None) -> None:
    """Puts a batch in the address, or none."""
    if id is None:
        st.query_params.pop(BATCH, None)
    else:
        st.query_params[BATCH] = id
