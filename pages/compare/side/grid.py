"""Places side by side for two to six panes: one row of two or three, or two rows. In a narrow window they stack."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def grid(panes: int) -> list[DeltaGenerator]:
    """A place for each pane."""
    wide = 2 if panes in (2, 4) else 3
    rows = [st.columns(wide) for _ in range(0, panes, wide)]
    return [place for row in rows for place in row][:panes]
