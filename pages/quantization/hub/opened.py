"""Which repository is open: kept in the address, so that a reload or a link shows the same."""

from __future__ import annotations

import streamlit as st

ADDRESS = "repo"


def id() -> str | None:
    """The repository in the address; None while one is looked for."""
    return st.query_params.get(ADDRESS) or None


def open(id: str | None) -> None:
    """Puts a repository in the address, or takes it out."""
    if id is None:
        st.query_params.pop(ADDRESS, None)
    else:
        st.query_params[ADDRESS] = id
