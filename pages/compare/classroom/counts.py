"""How a class has voted, as four labelled bars."""

from __future__ import annotations

import streamlit as st

from core.classroom.ballots import CHOICES, Tally
from pages.ui.words import _, ngettext, percent


def bars(tally: Tally) -> None:
    """Draws a bar for each choice, with its votes and its share."""
    for choice, name in CHOICES.items():
        votes = tally.of(choice)
        share = votes / tally.total if tally.total else 0.0
        counted = ngettext("{count} vote", "{count} votes", votes)
        label = _(name)
        st.progress(share, text=f"**{label}** · {counted} · {percent(share)}")
