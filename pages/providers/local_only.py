"""The switch *local only*: with it on, no page, route or program of this workbench sends anything away."""

from __future__ import annotations

import streamlit as st

from core.models.remote.connections import Connections
from pages.ui.words import _


def show(connections: Connections, owner: str) -> None:
    """Draws the switch and what it means."""
    kept = connections.local_only(owner)
    wanted = st.toggle(
        _("Local only: nothing leaves this machine"),
        kept,
        # Another window may have turned it meanwhile: this one's switch is then another one, and says how it stands.
        key=f"local-only-{kept}",
        help=_(
            "Models elsewhere can then be neither asked nor listed, from any page, by any route, until you turn it off."
        ),
    )
    if wanted != kept:
        connections.set_local_only(owner, wanted)
        st.rerun()
