"""A job of this view: begun with a button, followed with its progress and a stop, its result when it has one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.errors import WorkbenchError
from core.jobs import Job
from core.workbench import Workbench
from pages.ui import error_box
from pages.ui.words import _, explain, seconds

LOOK_S = 1.0


def show(
    workbench: Workbench,
    me: str,
    kind: str,
    subject: str,
    start: Callable[[Job], Any],
    *,
    label: str,
    help: str,
    draw: Callable[[Any], None],
    disabled: bool = False,
) -> None:
    """Draws the button, what runs, and with `draw` what came of it, also while it is still coming.

    start: the work of the job. subject: what it is about, so that another one's result is not shown for it.
    """
    job = latest(workbench, me, kind, subject)
    running = job is not None and job.state == "running"
    st.button(
        label,
        key=f"start-{kind}",
        icon=":material/play_arrow:",
        help=help,
        disabled=disabled or running,
        on_click=partial(_start, workbench, me, kind, subject, start),
    )
    st.fragment(_follow, run_every=LOOK_S if running else None)(workbench, me, kind, subject, running, draw)


def latest(workbench: Workbench, me: str, kind: str, subject: str) -> Job | None:
    """The newest one."""
    return next((job for job in workbench.jobs.list(me, kind) if job.subject == subject), None)


def _start(workbench: Workbench, me: str, kind: str, subject: str, work: Callable[[Job], Any]) -> None:
    try:
        workbench.jobs.start(me, kind, subject, work)
    except WorkbenchError as error:
        st.toast(explain(error)[0], icon=":material/error:")


def _follow(workbench: Workbench, me: str, kind: str, subject: str, ran: bool, draw: Callable[[Any], None]) -> None:
    job = latest(workbench, me, kind, subject)
    if job is None:
        return
    if ran != (job.state == "running"):
        st.rerun()
    if job.state == "running":
        left = _("about {duration} left", duration=seconds(job.seconds_left)) if job.seconds_left else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.fraction or 0.0, text=left or _("Beginning"))
            st.button(_("Stop"), key=f"stop-{kind}", icon=":material/stop:", on_click=job.cancel)
    if job.error is not None:
        error_box.show(job.error)
    if job.result:
        draw(job.result)
