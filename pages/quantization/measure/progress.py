"""How far a study is, what it is at and how long it still takes; paused, taken up again, measured anew; what failed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.errors import WorkbenchError
from core.gguf.study import Study
from core.workbench import Workbench
from pages.quantization.measure.start import FAILED
from pages.ui import error_box
from pages.ui.words import _, seconds

LOOK_S = 1.0
"""Seconds between looks at how far it is."""


def show(workbench: Workbench, me: str, study: Study) -> None:
    """Draws it; while the study runs, again every second."""
    if (error := st.session_state.pop(FAILED, None)) is not None:
        error_box.show(error)
    studies = workbench.studies
    running = studies.running(me, study.id)
    drawn = (running, studies.doing(study.id) if running else None)
    st.fragment(_draw, run_every=LOOK_S if running else None)(workbench, me, study.id, drawn)


def _draw(workbench: Workbench, me: str, id: str, drawn: object) -> None:
    studies = workbench.studies
    running = studies.running(me, id)
    if drawn != (running, studies.doing(id) if running else None):
        st.rerun()  # something has ended, and its figures are there
    job = studies.job(me, id)
    if running and job is not None:
        st.progress(job.fraction or 0.0, text=_far(workbench, id, job.seconds_left))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                _("Pause"),
                key="study-pause",
                icon=":material/pause:",
                disabled=job.halting,
                help=_("Ends what is in work. Every chunk that was scored is kept, also over a restart."),
                on_click=partial(_try, partial(studies.pause, me, id)),
            )
            st.caption(_("It goes on when you leave this page."), width="content")
        return
    _at_rest(workbench, me, id)


def _far(workbench: Workbench, id: str, left: float | None) -> str:
    what, name = workbench.studies.doing(id)
    doing = _(what)
    parts = [f"{error_box.plain(name)} {doing}".strip()]
    if left is not None:
        parts.append(_("about {duration} left", duration=seconds(left)))
    return " · ".join(parts)


def _at_rest(workbench: Workbench, me: str, id: str) -> None:
    studies = workbench.studies
    study, job = studies.get(me, id), studies.job(me, id)
    rows = studies.rows(me, id)
    if job is not None and job.error is not None:
        error_box.show(job.error)
    for row in rows:
        if row.error is not None:
            st.markdown(f"**{error_box.plain(row.name)}**")
            error_box.show(row.error)
    with st.container(horizontal=True, vertical_alignment="center"):
        if study.state != "done":
            st.button(
                _("Go on"),
                key="study-resume",
                icon=":material/play_arrow:",
                help=_("With the next chunk: what was measured is not measured again. What failed is tried again."),
                on_click=partial(_try, partial(studies.go_on, me, id)),
            )
            if study.state == "paused":
                st.caption(_("Paused. What was measured is kept."), width="content")
            elif study.state == "running":
                st.caption(_("Another program is measuring, or was ended while it did: go on here."), width="content")
        else:
            st.button(
                _("Measure again"),
                key="study-again",
                icon=":material/refresh:",
                type="tertiary",
                help=_("Forgets the figures and measures all anew; the files that were made are used again."),
                on_click=partial(_try, partial(studies.again, me, id)),
            )


def _try(do: Callable[[], object]) -> None:
    try:
        do()
    except WorkbenchError as error:
        st.session_state[FAILED] = error
