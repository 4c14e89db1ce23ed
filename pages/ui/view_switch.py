"""Which of a page's views is shown: kept in the address as `?view=`, so that a reload or a link shows the same."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.ui.words import _

ADDRESS = "view"


def show(key: str, names: Mapping[str, str]) -> str:
    """Draws the switch and returns the view. names: what each view is called, by its id; the first is the default."""
    views, kept = tuple(names), f"{key}-kept"
    if st.session_state.get(key) not in views:  # a link of the page may have put another one there
        # Streamlit may let go of a widget in mid-session, and then send an address without what stood in it; and a
        # browser that missed the run in which the view was told sends that none is chosen.
        before = st.session_state.get(kept) if not st.query_params else None
        begun = st.query_params.get(ADDRESS, before)
        st.session_state[key] = begun if begun in views else views[0]
    view: str = st.segmented_control(
        _("View"),
        views,
        default=st.session_state[key],
        required=True,
        format_func=names.__getitem__,
        key=key,
        label_visibility="collapsed",
    )
    st.session_state[kept] = view
    if view != st.query_params.get(ADDRESS, views[0]):
        st.query_params[ADDRESS] = view
    return view
