"""What the deeper looks share: a job that is begun, followed once a second, stopped, and its result when it is done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.jobs import Job
from core.workbench import Workbench
from pages.ui import error_box
from pages.ui.words import _, seconds

LOOK_S = 1.0


def newest(workbench: Workbench, me: str, kind: str) -> Job | None:
    """The owner's last job of this kind; None after a restart."""
    return next(iter(workbench.jobs.list(me, kind)), None)


def start(workbench: Workbench, me: str, kind: str, subject: str, work: Callable[[Job], Any]) -> None:
    """For a button's `on_click`."""
    workbench.jobs.start(me, kind, subject, work)


def show(workbench: Workbench, me: str, kind: str) -> Any:
    """The job's progress, or its error; its result where it has one."""
    job = newest(workbench, me, kind)
    if job is None:
        return None
    if job.state == "running":
        st.fragment(_draw, run_every=LOOK_S)(job, kind)
        return None
    if job.error is not None:
        error_box.show(job.error)
    return job.result


def _draw(job: Job, kind: str) -> None:
    if job.state != "running":
        st.rerun()
    parts = [_(job.note) if job.note else _("waits for its turn")]
    if job.seconds_left is not None:
        parts.append(_("about {duration} left", duration=seconds(job.seconds_left)))
    st.progress(job.fraction or 0.0, text=" · ".join(parts))
    st.button(_("Stop"), key=f"stop-{kind}", icon=":material/stop:", on_click=partial(job.cancel))
