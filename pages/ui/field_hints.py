"""What Streamlit writes beside a field that is being typed in, which it says in English only, in the reader's language."""

from __future__ import annotations

import json

import streamlit as st

from pages.ui.words import _

_STYLE = """<style>
:is([data-testid="stTextInput"], [data-testid="stNumberInput"], [data-testid="stTextArea"])
  [data-testid="InputInstructions"] span:first-child {{ font-size: 0; }}
:is([data-testid="stTextInput"], [data-testid="stNumberInput"])
  [data-testid="InputInstructions"] span:first-child::after {{ content: {line}; font-size: 0.75rem; }}
[data-testid="stTextArea"]
  [data-testid="InputInstructions"] span:first-child::after {{ content: {lines}; font-size: 0.75rem; }}
</style>"""


def show() -> None:
    """Puts them into the page. Once a run, in the frame."""
    words = {"line": _("Enter to apply"), "lines": _("Ctrl or ⌘ + Enter to apply")}
    st.html(_STYLE.format(**{name: json.dumps(text, ensure_ascii=False) for name, text in words.items()}))
