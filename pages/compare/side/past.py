"""The comparisons of before, in the sidebar: opened, deleted; and the way to a new one."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import streamlit as st

from core.arena.comparing import Summary
from core.errors import NotThere
from core.workbench import Workbench
from pages.compare.side import opened
from pages.ui import endpoint_panel, error_box, icons, press
from pages.ui.words import _

SHOWN = 20
STEP = 20
KEY = "comparisons-shown"


def show(workbench: Workbench, owner: str) -> None:
    """Draws the list, newest first."""
    with st.sidebar:
        endpoint_panel.show("connect", workbench.connections, owner)
        st.button(
            _("New comparison"),
            icon=":material/add:",
            width="stretch",
            key="new-comparison",
            on_click=opened.open,
            args=(None,),
            disabled=opened.id() is None,
        )
        shown = st.session_state.setdefault(KEY, SHOWN)
        summaries = workbench.comparing.list(owner, limit=shown + 1)
        for summary in summaries[:shown]:
            _row(workbench, owner, summary)
        if len(summaries) > shown and press.button(_("Show more"), key="more-comparisons", type="tertiary"):
            st.session_state[KEY] = shown + STEP
            st.rerun()


def _row(workbench: Workbench, owner: str, summary: Summary) -> None:
    title = error_box.plain(summary.title or _("Untitled"))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        st.button(
            f"**{title}**" if summary.id == opened.id() else title,
            key=f"open-{summary.id}",
            type="tertiary",
            width="stretch",
            on_click=opened.open,
            args=(summary.id,),
        )
        name = _("Delete: {title}", title=summary.title or _("Untitled"))
        st.button(
            icons.named(name),
            icon=":material/delete:",
            key=f"delete-{summary.id}",
            type="tertiary",
            help=_("Delete this comparison with all its answers. Votes stay."),
            on_click=partial(_delete, workbench, owner, summary.id),
        )


def _delete(workbench: Workbench, owner: str, id: str) -> None:
    with suppress(NotThere):  # another window was quicker
        workbench.comparing.delete(owner, id)
    if opened.id() == id:
        opened.open(None)
