"""The batches of before, in the sidebar: opened, deleted; and the way to a new one."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import streamlit as st

from core.arena.batch import Summary
from core.errors import NotThere
from core.workbench import Workbench
from pages.compare.batch import opened
from pages.ui import endpoint_panel, error_box, icons
from pages.ui.words import _, count

SHOWN = 30


def show(workbench: Workbench, me: str) -> None:
    """Draws the list, newest first."""
    with st.sidebar:
        endpoint_panel.show("connect", workbench.connections, me)
        st.button(
            _("New batch"),
            icon=":material/add:",
            width="stretch",
            key="new-batch",
            on_click=opened.open,
            args=(None,),
            disabled=opened.id() is None,
        )
        for summary in workbench.batches.list(me)[:SHOWN]:
            _row(workbench, me, summary)


def _row(workbench: Workbench, me: str, summary: Summary) -> None:
    name = error_box.plain(summary.name)
    far = "" if summary.state == "done" else f" · {count(summary.done + summary.failed)}/{count(summary.total)}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        st.button(
            (f"**{name}**" if summary.id == opened.id() else name) + far,
            key=f"open-batch-{summary.id}",
            type="tertiary",
            width="stretch",
            on_click=opened.open,
            args=(summary.id,),
        )
        delete = _("Delete: {title}", title=summary.name)
        st.button(
            icons.named(delete),
            icon=":material/delete:",
            key=f"delete-batch-{summary.id}",
            type="tertiary",
            help=_("Stop this batch, and delete it with all its answers. Votes stay."),
            on_click=partial(_delete, workbench, me, summary.id),
        )


def _delete(workbench: Workbench, me: str, id: str) -> None:
    with suppress(NotThere):  # another window was quicker
        workbench.batches.delete(me, id)
    if opened.id() == id:
        opened.open(None)
