"""A dialog that stays open when something else draws the page again, as the end of an answer does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

_OPEN = "open-dialog"


def open(key: str) -> None:
    """Has the dialog of this key drawn from now on, in place of another: there is one at a time."""
    st.session_state[_OPEN] = key


def close() -> None:
    """Has none drawn."""
    st.session_state.pop(_OPEN, None)


def show(key: str, title: str, draw: Callable[[], None], *, width: Literal["small", "large"] = "small") -> None:
    """Draws it if it is open. `draw` closes it by `close` before it runs the page again."""
    if st.session_state.get(_OPEN) == key:
        st.dialog(title, width=width, on_dismiss=close)(draw)()
