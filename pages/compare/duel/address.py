"""Which duel is open, in the page's address: a reload, or another tab, shows the same. Its id says nothing of it."""

from __future__ import annotations

import streamlit as st

DUEL = "duel"


def opened() -> str | None:
    """The id in the address; None where there is none."""
    return st.query_params.get(DUEL)


def open_duel(id: str | None) -> None:
    """Puts a duel in the address, or none."""
    if id is None:
        st.query_params.pop(DUEL, None)
    else:
        st.query_params[DUEL] = id
