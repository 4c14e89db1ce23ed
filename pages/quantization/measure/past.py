"""The studies of before, in the sidebar: opened, deleted; and the way to a new one."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import streamlit as st

from core.errors import NotThere
from core.gguf.study import Study
from core.workbench import Workbench
from pages.quantization.measure import opened, start
from pages.ui import error_box, icons
from pages.ui.words import _, date_time

SHOWN = 20


def show(workbench: Workbench, me: str) -> None:
    """Draws the list, newest first."""
    studies = workbench.studies.list(me)
    if not studies:
        return
    with st.sidebar:
        st.button(
            _("New measurement"),
            icon=":material/add:",
            width="stretch",
            key="new-study",
            on_click=opened.open,
            args=(opened.NEW,),
            disabled=opened.id() == opened.NEW,
        )
        for number, study in enumerate(studies[:SHOWN]):
            _row(workbench, me, study, shown=opened.id() == study.id or (opened.id() is None and not number))


def _row(workbench: Workbench, me: str, study: Study, *, shown: bool) -> None:
    title = f"{start.source_name(study.spec)} · {date_time(study.created_at)}"
    name = error_box.plain(title)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        st.button(
            f"**{name}**" if shown else name,
            key=f"open-study-{study.id}",
            type="tertiary",
            width="stretch",
            on_click=opened.open,
            args=(study.id,),
        )
        st.button(
            icons.named(_("Delete: {title}", title=title)),
            icon=":material/delete:",
            key=f"delete-study-{study.id}",
            type="tertiary",
            help=_("Ends this measurement and takes it off the list. The files stay, and so does what was measured."),
            on_click=partial(_delete, workbench, me, study.id),
        )


def _delete(workbench: Workbench, me: str, id: str) -> None:
    with suppress(NotThere):  # another tab was quicker
        workbench.studies.delete(me, id)
    if opened.id() == id:
        opened.open(opened.NEW)
