"""The view from top to bottom: what is being downloaded, then the search, or the repository that is open."""

from __future__ import annotations

import streamlit as st

from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.quantization.hub import opened, repository, running, searching
from pages.ui import error_box, privacy
from pages.ui.words import _


def show(workbench: Workbench, me: str) -> None:
    """Draws it. Where the Hub may not be asked it says so at once, and why; what was downloaded stays in reach."""
    st.header(_("Find a model, and what it takes here"), anchor=False)
    running.show(workbench, me)
    try:
        workbench.hub.allowed(workbench.accounts.permit(me))
    except WorkbenchError as error:
        error_box.show(error, key="hub-allowed", retry=True)
        return
    st.caption(
        privacy.of_address(workbench.hub.endpoint, "Hugging Face")
        + " · "
        + _("what you search for, the name of what you open, and nothing else"),
        help=_(
            "The search goes to {address}. Nothing is asked before you press Search. No conversation, document or file "
            "is sent. With “Local only” on the Providers page nothing is asked at all.",
            address=privacy.short(workbench.hub.endpoint),
        ),
    )
    if opened.id() is None:
        searching.show(workbench, me)
    else:
        repository.show(workbench, me, opened.id() or "")
