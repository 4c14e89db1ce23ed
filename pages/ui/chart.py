"""A plotly chart on a page: in the reader's light or dark, with its title in words, and saved as PNG, SVG or CSV.

The camera over a chart saves it as a picture, in the format that was last chosen under any chart of the page.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import streamlit as st

from pages.ui.words import _, language

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Format = Literal["png", "svg"]
FORMATS: tuple[Format, ...] = ("png", "svg")
_FORMAT = "picture-format"
_SHARPER = 2
"""Pixels of a PNG for one of the screen, so that it can be printed."""
_LOOKED_FOR = ("numpy", "pandas", "PIL.Image")
"""Modules that plotly asks about values where they are imported: it takes one that is only being imported, too."""


def show(
    key: str, make: Callable[[bool], Figure], *, title: str, name: str, csv: Callable[[], str | bytes] | None = None
) -> None:
    """Draws what `make` makes of "is it dark?". Imports plotly: call it where it is seen.

    title: what the chart says, for those who do not see it. name: of the files it is saved as. csv: its numbers, made
    when they are asked for; with them comes the choice of the picture's format.
    """
    try:
        _draw(key, make, title, name)
    except AttributeError:
        # What another run has begun to import (with its first table) is waited for: it was there by half.
        for module in _LOOKED_FOR:
            if module in sys.modules:
                importlib.import_module(module)
        _draw(key, make, title, name)
    if csv is None:
        return
    with st.popover(_("Save"), icon=":material/download:", type="tertiary"):
        st.download_button(
            _("Numbers as CSV"),
            csv,
            file_name=f"{name}.csv",
            mime="text/csv",
            key=f"{key}-csv",
            on_click="ignore",
            icon=":material/table:",
        )
        picked = st.segmented_control(
            _("Picture, by the camera over the chart, as"),
            FORMATS,
            default=_format(),
            required=True,
            format_func=str.upper,
            key=f"{key}-format",
            on_change=_choose,
            args=(f"{key}-format",),
        )
        if picked == "svg":
            st.caption(_("SVG stays sharp at any size, and can be edited."))


def _draw(key: str, make: Callable[[bool], Figure], title: str, name: str) -> None:
    dark = st.context.theme.type == "dark"
    st.plotly_chart(
        make(dark), key=f"{key}-{'dark' if dark else 'light'}", theme=None, alt=title, config=_config(name, _format())
    )


def separators() -> str:
    """The decimal sign and the sign between thousands of the reader's language, as plotly's `layout.separators`."""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return get_decimal_symbol(language()) + get_group_symbol(language())


def _config(name: str, format: Format) -> dict[str, object]:
    scale = _SHARPER if format == "png" else 1
    picture = {"format": format, "filename": name, "scale": scale}
    return {"displaylogo": False, "modeBarButtons": [["toImage"]], "toImageButtonOptions": picture}


def _format() -> Format:
    chosen: Format = st.session_state.get(_FORMAT, FORMATS[0])
    return chosen


def _choose(key: str) -> None:
    st.session_state[_FORMAT] = st.session_state[key]
