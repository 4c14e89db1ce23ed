"""Which of the page's views is shown: kept in the address as `?view=`, so that a reload or a link shows the same."""

from __future__ import annotations

from typing import Literal, get_args

import streamlit as st

from pages.ui.words import _

View = Literal["side", "duel", "batch", "ranking"]
"""Each is a package beside this file, with `show(workbench, me)`."""

VIEWS: tuple[View, ...] = get_args(View)
ADDRESS = "view"
KEY, KEPT = "compare-view", "compare-view-kept"


def switch() -> View:
    """Draws the switch and returns the view."""
    if KEY not in st.session_state:  # a link of the page may have put another one there
        # Streamlit may let go of a widget in mid-session, and then send an address without what stood in it.
        kept = st.session_state.get(KEPT) if not st.query_params else None
        begun = st.query_params.get(ADDRESS, kept)
        st.session_state[KEY] = begun if begun in VIEWS else VIEWS[0]
    chosen: View | None = st.segmented_control(
        _("View"),
        VIEWS,
        required=True,
        format_func=lambda view: _names()[view],
        key=KEY,
        label_visibility="collapsed",
    )
    view = st.session_state[KEPT] = chosen or VIEWS[0]
    if view != st.query_params.get(ADDRESS, VIEWS[0]):
        st.query_params[ADDRESS] = view
    return view


def _names() -> dict[View, str]:
    return {
        "side": ":material/view_column: " + _("Side by side"),
        "duel": ":material/visibility_off: " + _("Blind duel"),
        "batch": ":material/table_view: " + _("Batch"),
        "ranking": ":material/leaderboard: " + _("Ranking"),
    }
