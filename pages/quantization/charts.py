"""A plotly figure on the page, with its title in words, saved as a picture or as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

from core.gguf_plots import Words
from pages.ui.words import _, language

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def words(title: str, *, x: str = "", y: str = "", parts: Mapping[str, str] | None = None) -> Words:
    """What a figure says, with numbers as the reader writes them."""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    separators = get_decimal_symbol(language()) + get_group_symbol(language())
    return Words(title=title, x=x, y=y, separators=separators, parts=parts or {})


def draw(key: str, title: str, make: Callable[[bool], Figure]) -> None:
    """Draws it; `make` is given whether the theme is dark."""
    dark = st.context.theme.type == "dark"
    st.plotly_chart(
        make(dark),
        key=f"{key}-{'dark' if dark else 'light'}",
        theme=None,
        alt=title,
        config={
            "displaylogo": False,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"filename": key, "scale": 2, "format": _picture()},
        },
    )


def save(key: str, name: str, data: Callable[[], bytes]) -> None:
    """The numbers behind a figure, and as what its camera saves it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            _("Save as CSV"),
            data,
            file_name=name,
            mime="text/csv",
            key=f"{key}-csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
        st.segmented_control(
            _("Picture"),
            ("png", "svg"),
            default=_picture(),
            required=True,
            format_func=str.upper,
            key=f"{key}-picture",
            on_change=_remember,
            args=(f"{key}-picture",),
            label_visibility="collapsed",
            help=_("As what the camera in the figure's corner saves it."),
        )


def _picture() -> str:
    return st.session_state.get("picture-format", "png")


def _remember(key: str) -> None:
    st.session_state["picture-format"] = st.session_state[key]
