"""The view from top to bottom: one button; then how far it is, what it says, its table and plots, and what goes deeper.

The newest study is shown until another one is opened or a new one is begun.
"""

from __future__ import annotations

import streamlit as st

from core.errors import NotThere
from core.gguf.study import Study
from core.workbench import Workbench
from pages.quantization.measure import (
    beside,
    charts,
    opened,
    past,
    progress,
    reading,
    start,
    sweep,
    table,
    verdicts,
)
from pages.ui import error_box
from pages.ui.words import _


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    past.show(workbench, me)
    study = _opened(workbench, me)
    if study is None:
        start.show(workbench, me)
    else:
        _study(workbench, me, study)
    beside.show(workbench, me, study)
    sweep.show(workbench, me)


def _study(workbench: Workbench, me: str, study: Study) -> None:
    st.header(_("What quantizing {model} costs", model=error_box.plain(start.source_name(study.spec))), anchor=False)
    progress.show(workbench, me, study)
    rows = workbench.studies.rows(me, study.id)
    if all(row.quality is None for row in rows):
        st.caption(
            _("The first figures are here as soon as the reference and one variant have read the text.")
            if workbench.studies.running(me, study.id)
            else _("There are no figures: the files have been changed or deleted since, or nothing was measured yet.")
        )
        return
    verdicts.show(workbench, study, rows)
    table.show(rows)
    charts.show(workbench, study, rows)
    reading.show(rows)


def _opened(workbench: Workbench, me: str) -> Study | None:
    id = opened.id()
    if id == opened.NEW:
        return None
    if id is None:
        return next(iter(workbench.studies.list(me)), None)
    try:
        return workbench.studies.get(me, id)
    except NotThere as error:
        error_box.show(error)
        opened.open(opened.NEW)
        return None
