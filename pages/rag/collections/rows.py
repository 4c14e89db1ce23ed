"""What is in a collection: a row a document, how far it is, why it failed; what runs, how long still, and its stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.errors import DocumentEncrypted, DocumentScanned, DocumentTooSlow, DocumentUnreadable, WorkbenchError
from core.jobs import Job
from core.rag.values import Collection, Document
from core.workbench import Workbench
from pages.ui import error_box, icons
from pages.ui.words import N_, _, explain, ngettext, percent, seconds, size

LOOK_S = 1.0
"""Seconds between looks at how far it is."""

SHOWN = 100
"""Rows that are drawn at once."""

_PASSING = (DocumentEncrypted, DocumentScanned, DocumentTooSlow)
"""Of what cannot be read, what another attempt may read: with a password, with Tesseract, on a calmer machine."""

_STATES = {
    "waiting": (":material/hourglass_empty:", N_("waiting")),
    "reading": (":material/menu_book:", N_("being read")),
    "embedding": (":material/scatter_plot:", N_("being indexed")),
    "ready": (":material/check_circle:", N_("ready")),
    "failed": (":material/error:", N_("failed")),
}


def show(workbench: Workbench, me: str, found: Collection) -> None:
    """Draws it; while something runs, again every second."""
    running = bool(workbench.collections.jobs(me, found.id))
    st.fragment(_draw, run_every=LOOK_S if running else None)(workbench, me, found.id, running)


def _draw(workbench: Workbench, me: str, id: str, ran: bool) -> None:
    collections = workbench.collections
    try:
        jobs, documents = collections.jobs(me, id), collections.documents(me, id)
    except WorkbenchError as error:
        error_box.show(error)
        return
    if ran != bool(jobs):
        st.rerun()
    for job in jobs:
        _progress(job)
    if not jobs and (failed := collections.failure(me, id)) is not None:
        error_box.show(failed)
    if not documents:
        st.info(_("Nothing is in here yet. Drop a document above: it is read, cut into passages and indexed."))
        return
    waiting = [one for one in documents if one.status == "waiting"]
    if waiting and not jobs:
        st.button(
            ngettext("Go on with {count} document", "Go on with {count} documents", len(waiting)),
            key="documents-resume",
            icon=":material/play_arrow:",
            help=_("They were being taken in when it was stopped, or when the workbench was ended."),
            on_click=partial(_act, lambda: collections.resume(me, id)),
        )
    for document in documents[-SHOWN:][::-1]:
        _row(workbench, me, document)
    if len(documents) > SHOWN:
        rest = len(documents) - SHOWN
        st.caption(ngettext("and {count} more, added before", "and {count} more, added before", rest))


def _progress(job: Job) -> None:
    left = _("about {duration} left", duration=seconds(job.seconds_left)) if job.seconds_left else ""
    parts = [error_box.plain(_(job.note) if job.note else ""), left]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(job.fraction or 0.0, text=" · ".join(part for part in parts if part) or _("Beginning"))
        st.button(
            _("Stop"),
            key=f"stop-{job.id}",
            icon=":material/stop:",
            help=_("What is ready stays. What is not waits, and can be gone on with."),
            on_click=job.cancel,
        )


def _row(workbench: Workbench, me: str, document: Document) -> None:
    icon, _word = _STATES[document.status]
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            st.markdown(f"{icon} {error_box.plain(document.name)}", width="stretch")
            st.caption(_facts(workbench, document), width="content")
            st.button(
                icons.named(_("Take out: {title}", title=document.name)),
                icon=":material/delete:",
                type="tertiary",
                key=f"remove-{document.id}",
                on_click=partial(_act, lambda: workbench.collections.remove(me, document.collection_id, [document.id])),
            )
        if document.status == "failed":
            _failure(workbench, me, document)
        if document.note:
            st.caption(":material/info: " + _(document.note))


def _facts(workbench: Workbench, document: Document) -> str:
    far = workbench.collections.progress(document.id)
    parts = [
        _(_STATES[document.status][1]) + (f" {percent(far)}" if far is not None else ""),
        ngettext("{count} page", "{count} pages", document.pages) if document.pages else "",
        ngettext("{count} passage", "{count} passages", document.chunks) if document.chunks else "",
        size(document.size),
    ]
    return " · ".join(part for part in parts if part)


def _failure(workbench: Workbench, me: str, document: Document) -> None:
    error = WorkbenchError.from_dict(document.error or {})
    message, hint = explain(error)
    st.caption(error_box.plain(f"{message} {hint}".strip()))
    key = f"password-{document.id}"
    encrypted = isinstance(error, DocumentEncrypted)
    if isinstance(error, DocumentUnreadable) and not isinstance(error, _PASSING):
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if encrypted:
            st.text_input(_("Password"), type="password", key=key)
        st.button(
            _("Try again"),
            key=f"retry-{document.id}",
            icon=":material/refresh:",
            on_click=partial(_retry, workbench, me, document, key),
        )


def _retry(workbench: Workbench, me: str, document: Document, key: str) -> None:
    password = str(st.session_state.get(key) or "")
    _act(lambda: workbench.collections.retry(me, document.collection_id, document.id, password=password))


def _act(do: Callable[[], object]) -> None:
    """Does it; another window may have been quicker, which the next drawing shows."""
    try:
        do()
    except WorkbenchError as error:
        st.toast(explain(error)[0], icon=":material/error:")
