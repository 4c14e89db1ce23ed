"""Words in place of those that Streamlit writes by itself, which are English in every language."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st


def show(words: Mapping[str, str], *, rem: float) -> None:
    """words: what is drawn instead, by the CSS selector of the element that holds Streamlit's own. rem: their size."""
    rules = (
        f"{element} {{ font-size: 0; }} {element}::after {{ content: {_quoted(text)}; font-size: {rem}rem; }}"
        for element, text in words.items()
    )
    st.html(f"<style>{' '.join(rules)}</style>")


def _quoted(text: str) -> str:
    """A string of CSS, which takes other signs than ASCII's as they are."""
    return json.dumps(text, ensure_ascii=False)
