"""An error where the person looked last: the cure first, then what happened and why. Never a traceback."""

from __future__ import annotations

import re

import streamlit as st

from core.errors import WorkbenchError
from pages.ui import press
from pages.ui.words import _, explain

_GAPS = re.compile(r"[^\S\u00a0\u202f]+")
"""White space but that which holds a figure and its unit, or a French colon, together."""


def show(error: WorkbenchError, *, key: str = "error", retry: bool = False) -> bool:
    """A red box in the reader's language; with `retry` a button below it. True when the button was pressed."""
    message, hint = (plain(text) for text in explain(error))
    st.error(f"**{hint}**\n\n{message}" if hint else message, icon=":material/error:")
    return retry and press.button(_("Try again"), key=f"{key}-retry", icon=":material/refresh:")


def plain(text: str) -> str:
    """The text with every mark of Markdown disarmed: messages quote file names and what a model or a parser said."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", _GAPS.sub(" ", text).strip())
