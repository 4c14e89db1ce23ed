"""How far a batch is and how long it still takes; paused, stopped, taken up again; what failed, asked again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.arena.batch import Batch, Progress
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.ui import error_box, press
from pages.ui.words import _, count, ngettext, seconds

LOOK_S = 1.0
"""Seconds between looks at how far it is."""


def show(workbench: Workbench, me: str, found: Batch) -> None:
    """Draws it; while the batch runs, again every second."""
    running = workbench.batches.running(found.id)
    st.fragment(_draw, run_every=LOOK_S if running else None)(workbench, me, found.id, running)


def _draw(workbench: Workbench, me: str, id: str, ran: bool) -> None:
    batches = workbench.batches
    try:
        told, running = batches.progress(me, id), batches.running(id)
        state = batches.get(me, id).state
    except WorkbenchError as error:
        error_box.show(error)
        return
    if ran != running:
        st.rerun()
    ended = told.done + told.failed
    st.progress(ended / told.total if told.total else 1.0, text=_far(told))
    if (resting_s := batches.resting_s(id)) > 0:
        st.caption(
            ":material/hourglass: "
            + _("An endpoint takes no more for now. It is asked again in {duration}.", duration=seconds(resting_s))
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if running:
            _while_running(workbench, me, id)
        else:
            _while_not(workbench, me, id, told, state)


def _far(told: Progress) -> str:
    parts = [
        _("{done} of {total} answers", done=count(told.done), total=count(told.total)),
        ngettext("{count} failed", "{count} failed", told.failed) if told.failed else "",
        _("{done} of {total} pairs judged", done=count(told.judged), total=count(told.to_judge))
        if told.to_judge
        else "",
        _("about {duration} left", duration=seconds(told.seconds_left)) if told.seconds_left else "",
    ]
    return " · ".join(part for part in parts if part)


def _while_running(workbench: Workbench, me: str, id: str) -> None:
    batches = workbench.batches
    if batches.halting(id):
        st.caption(_("Pausing: the answers that are being written come to their end first."), width="content")
    elif press.button(
        _("Pause"),
        key="batch-pause",
        icon=":material/pause:",
        help=_("Asks nothing more. The answers that are being written come to their end."),
    ):
        _act(lambda: batches.pause(me, id))
    if press.button(
        _("Stop"),
        key="batch-stop",
        icon=":material/stop:",
        help=_("Stops at once. What is not whole is asked again when you go on."),
    ):
        _act(lambda: batches.cancel(me, id))
    st.caption(_("It goes on when you leave this page."), width="content")


def _while_not(workbench: Workbench, me: str, id: str, told: Progress, state: str) -> None:
    batches = workbench.batches
    if told.waiting or told.running:
        if press.button(_("Go on"), key="batch-resume", icon=":material/play_arrow:"):
            _act(lambda: batches.start(me, id))
        if state == "running":
            st.caption(_("Another program is asking, or was ended while it did: go on here."), width="content")
        else:
            st.caption(
                _("Paused: after a restart too, nothing is asked before you say so. What had come is here."),
                width="content",
            )
    if told.failed and press.button(
        ngettext("Ask {count} that failed again", "Ask {count} that failed again", told.failed),
        key="batch-retry",
        icon=":material/refresh:",
    ):
        _act(lambda: batches.retry(me, id))


def _act(do: Callable[[], object]) -> None:
    """Does it and draws the page again; what goes wrong stands here."""
    try:
        do()
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()
