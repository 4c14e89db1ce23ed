"""The downloads: how far each is, how fast, how long still; paused, gone on with, stopped; used when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.errors import WorkbenchError
from core.hub.downloads import Download
from core.workbench import Workbench
from pages.ui import error_box, model_picker, places, press
from pages.ui.words import _, ngettext, seconds, size

LOOK_S = 1.0
"""Seconds between looks at how far they are."""

FAILED = "hub-download-failed"


def show(workbench: Workbench, me: str) -> None:
    """Draws those there are; while one runs, again every second."""
    running = workbench.downloads.running(me)
    st.fragment(_draw, run_every=LOOK_S if running else None)(workbench, me, running)


def _draw(workbench: Workbench, me: str, ran: frozenset[str]) -> None:
    if ran != workbench.downloads.running(me):
        st.rerun()  # the rest of the page shows what is here
    if (failed := st.session_state.pop(FAILED, None)) is not None:
        error_box.show(failed)
    found = workbench.downloads.list(me)
    if not found:
        return
    with st.container(border=True):
        st.markdown(ngettext("**{count} download**", "**{count} downloads**", len(found)))
        for one in found:
            _one(workbench, me, one)
        if ran:
            st.caption(_("They go on when you leave this page."))


def _one(workbench: Workbench, me: str, one: Download) -> None:
    name = error_box.plain(f"{one.repository} · {one.label}")
    if one.state == "done":
        _done(workbench, me, one, name)
        return
    st.progress(min(one.done / one.size, 1.0), text=_("{name}: {value}", name=name, value=_far(one)))
    if one.error is not None:
        error_box.show(one.error)
    downloads, permit = workbench.downloads, workbench.accounts.permit(me)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if one.state == "running":
            st.button(
                _("Pause"),
                key=f"pause-{one.id}",
                icon=":material/pause:",
                disabled=one.halting,
                help=_("What has come is kept, after a restart too."),
                on_click=partial(_act, lambda: downloads.pause(me, one.id)),
            )
        else:
            st.button(
                _("Go on"),
                key=f"resume-{one.id}",
                icon=":material/play_arrow:",
                on_click=partial(_act, lambda: downloads.resume(me, one.id, permit)),
            )
        st.button(
            _("Stop"),
            key=f"stop-{one.id}",
            icon=":material/stop:",
            help=_("Ends it, and deletes what has come of it."),
            on_click=partial(_act, lambda: downloads.stop(me, one.id)),
        )


def _done(workbench: Workbench, me: str, one: Download, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            ":material/check_circle: "
            + _("{name} is on this machine, whole and checked ({size}).", name=name, size=size(one.size))
        )
        if press.button(_("Use in Chat"), key=f"use-{one.id}", icon=":material/chat:"):
            model_picker.pick_next(str(one.path))
            st.switch_page(places.chat())
        st.button(
            _("Put away"),
            key=f"dismiss-{one.id}",
            type="tertiary",
            help=_("Takes this line away. The model stays."),
            on_click=partial(_act, lambda: workbench.downloads.dismiss(me, one.id)),
        )


def _far(one: Download) -> str:
    far = _("{done} of {total}", done=size(one.done), total=size(one.size))
    if one.state != "running":
        return f"{far} · " + (_("broken off") if one.state == "failed" else _("paused"))
    parts = [far]
    if one.halting:
        parts.append(_("pausing…"))
    elif one.rate:
        parts.append(_("{size} a second", size=size(one.rate)))
        if one.seconds_left is not None:
            parts.append(_("about {duration} left", duration=seconds(one.seconds_left)))
    elif one.note:
        parts.append(_(one.note))
    return " · ".join(parts)


def _act(do: Callable[[], object]) -> None:
    """Does it; what goes wrong is drawn with the next run."""
    try:
        do()
    except WorkbenchError as error:
        st.session_state[FAILED] = error
