"""The view from top to bottom: a new batch, or the one that is open: how far it is, its table, its judge, its files."""

from __future__ import annotations

import streamlit as st

from core.arena.batch import Batch
from core.errors import NotThere
from core.workbench import Workbench
from pages.compare.batch import comparing, exporting, judging, opened, past, progress, setup, table
from pages.ui import error_box


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    past.show(workbench, me)
    found = _opened(workbench, me)
    if found is None:
        setup.show(workbench, me)
        return
    st.header(error_box.plain(found.name), anchor=False)
    progress.show(workbench, me, found)
    table.show(workbench, me, found)
    comparing.show(workbench, me, found)
    judging.show(workbench, me, found)
    exporting.show(workbench, me, found)


def _opened(workbench: Workbench, me: str) -> Batch | None:
    id = opened.id()
    if id is None:
        return None
    try:
        return workbench.batches.get(me, id)
    except NotThere as error:
        error_box.show(error)
        opened.open(None)
        return None
