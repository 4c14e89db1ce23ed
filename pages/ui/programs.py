"""An exact request as programs that send it again, to be copied: curl, Python, JavaScript. Never with a key."""

from __future__ import annotations

import streamlit as st

from core import snippets
from core.snippets import ExactRequest

HEIGHT = 420
"""Of the text at most, pixels."""

LONG = 20
"""Lines from which on a text has that height."""

HIGHLIGHTED = 20_000
"""Characters up to which a text is coloured: longer ones would hold the browser up."""


def show(request: ExactRequest, *, body: bool = False) -> None:
    """Draws them in tabs. `body`: the JSON that is posted comes first."""
    written = [("JSON", "json", snippets.as_json(request))] if body else []
    written += [
        ("curl", "bash", snippets.as_curl(request)),
        ("Python", "python", snippets.as_python(request)),
        ("JavaScript", "javascript", snippets.as_javascript(request)),
    ]
    tabs = st.tabs([name for name, _language, _text in written])
    for tab, (_name, language, text) in zip(tabs, written, strict=True):
        coloured = language if len(text) <= HIGHLIGHTED else None
        tab.code(text, coloured, height=HEIGHT if text.count("\n") > LONG else "content")
