"""What a server says of its own speed, beside what is measured here: under its own names, and labelled as its own.

llama.cpp's `timings` (tools/server/README.md): `…_n` are tokens, `…_ms` milliseconds, `…_per_second` tokens a second.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.ui import figure_list
from pages.ui.figure_list import Figure
from pages.ui.words import _, number, rate, seconds


def show(key: str, server: Mapping[str, float]) -> None:
    """A small table; nothing where the server said nothing."""
    if not server:
        return
    st.caption(_("Reported by the server"))
    figure_list.show(key, figures(server), layout="table")


def figures(server: Mapping[str, float]) -> list[Figure]:
    """One figure for each value, with the unit that its name says."""
    explained = _("Reported by the server itself; it was not measured here.")
    return [Figure(label=name, value=_value(name, value), help=explained) for name, value in server.items()]


def _value(name: str, value: float) -> str:
    if name.endswith("_per_second"):
        return rate(value)
    if name.endswith("_ms"):
        return seconds(value / 1000)
    return number(value)
