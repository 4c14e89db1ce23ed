"""Which collection is open: it stands in the page's address, so that a reload or another tab shows the same."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.rag.values import Collection

ADDRESS = "collection"
_NEW = "new"


def of(collections: Sequence[Collection]) -> Collection | None:
    """The collection in the address, else the newest; None: there is none, or a new one is being made."""
    id = st.query_params.get(ADDRESS)
    if id == _NEW:
        return None
    return next((one for one in collections if one.id == id), collections[0] if collections else None)


def open(id: str | None) -> None:
    """Puts a collection in the address; None: a new one."""
    st.query_params[ADDRESS] = id or _NEW


def forget() -> None:
    """Puts none in the address: the newest is open."""
    st.query_params.pop(ADDRESS, None)
