"""Figures of both views: drawn in the theme's colours, each savable as a picture and as its data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.words import _, language

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def draw(key: str, title: str, make: Callable[[bool], Figure]) -> None:
    """A figure; `make` is told whether the page is dark."""
    dark = st.context.theme.type == "dark"
    st.plotly_chart(
        make(dark),
        key=f"{key}-{'dark' if dark else 'light'}",
        theme=None,
        alt=title,
        config={
            "displaylogo": False,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"filename": key, "format": "svg"},
        },
    )


def save(key: str, name: str, data: Callable[[], str]) -> None:
    """A button that saves a figure's data."""
    st.download_button(
        _("Save as CSV"),
        lambda: data().encode(),
        file_name=name,
        mime="text/csv",
        key=f"{key}-csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def separators() -> str:
    """The reader's decimal sign, and what stands between thousands."""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return get_decimal_symbol(language()) + get_group_symbol(language())
