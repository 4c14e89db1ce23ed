"""An empty chat: four things to try, in the reader's language."""

from __future__ import annotations

import streamlit as st

from pages.ui import press
from pages.ui.words import _


def show() -> str | None:
    """The question that was picked; None when none was."""
    st.header(_("Ask a model on this machine"))
    st.markdown(
        _(
            "A small language model is here already: what you ask it does not leave this computer. "
            "Under each answer you see what it took."
        )
    )
    ideas = {
        ":material/lightbulb:": _("Explain to a child what a token is."),
        ":material/edit_note:": _("Write a short poem about the sea."),
        ":material/code:": _("Write a Python function that reverses a string."),
        ":material/translate:": _("Translate into French: The weather is nice today."),
    }
    picked = None
    for row in (list(ideas.items())[:2], list(ideas.items())[2:]):
        for column, (icon, idea) in zip(st.columns(2), row, strict=True):
            with column:
                if press.button(idea, icon=icon, width="stretch", wrap=True, key=f"idea-{icon}"):
                    picked = idea
    return picked
