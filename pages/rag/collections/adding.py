"""The way in: files dropped here, a folder, a page of the web where it was asked for. The first makes a collection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import streamlit as st

from core.errors import WorkbenchError
from core.rag.files import Incoming
from core.rag.values import Collection
from core.workbench import Workbench
from pages.rag.collections import opened
from pages.ui import error_box, file_field
from pages.ui.words import _

LIMIT_MB = 200
_ERROR = "documents-error"
_TURN = "documents-turn"

Source = Literal["files", "folder", "web"]
SOURCES: tuple[Source, ...] = ("files", "folder", "web")


def show(workbench: Workbench, me: str, found: Collection | None) -> None:
    """Draws it: files first, the rest one click away."""
    if found is None:
        st.write(_("Drop your first document: it is read, cut into passages and indexed, all on this machine."))
        st.text_input(
            _("Name of the collection"),
            key="collection-name",
            placeholder=_("My documents"),
            max_chars=100,
        )
    source: Source | None = st.segmented_control(
        _("Add"),
        SOURCES,
        default="files",
        required=True,
        format_func={"files": _("Files"), "folder": _("A folder"), "web": _("A web page")}.__getitem__,
        key="documents-source",
        label_visibility="collapsed",
    )
    if source == "web":
        _web(workbench, me, found)
    else:
        _uploader(workbench, me, found, source or "files")


def show_error() -> None:
    """What went wrong at the last attempt, once."""
    error = st.session_state.pop(_ERROR, None)
    if isinstance(error, WorkbenchError):
        error_box.show(error)


def _uploader(workbench: Workbench, me: str, found: Collection | None, source: Source) -> None:
    key = f"documents-{source}-{st.session_state.get(_TURN, 0)}"
    file_field.show(
        _("Drop documents here"),
        accept_multiple_files="directory" if source == "folder" else True,
        key=key,
        most_mb=LIMIT_MB,
        on_change=partial(_take, workbench, me, found.id if found else None, key),
        help=_(
            "PDF, Word, PowerPoint, Excel, CSV, OpenDocument, EPUB, HTML, Markdown, text and source code. They stay on "
            "this machine. A file that is here already is not taken twice; one with the same name takes its place."
        ),
    )


def _web(workbench: Workbench, me: str, found: Collection | None) -> None:
    on = workbench.collections.web(me)
    st.toggle(
        _("Let this workbench read pages of the public web"),
        value=on,
        key="documents-web",
        on_change=lambda: workbench.collections.set_web(me, bool(st.session_state["documents-web"])),
        help=_("The address is asked once, from this machine. Nothing but the request leaves it."),
    )
    if on:
        st.text_input(
            _("Address"),
            key="documents-url",
            placeholder="https://",
            on_change=partial(_fetch, workbench, me, found.id if found else None),
        )


def _take(workbench: Workbench, me: str, id: str | None, key: str) -> None:
    files = st.session_state.get(key) or []
    incoming = [Incoming(one.name, data=one.getvalue()) for one in files]
    if incoming:
        _try(workbench, me, id, lambda id: workbench.collections.add(me, id, incoming))
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1  # an empty field for the next ones


def _fetch(workbench: Workbench, me: str, id: str | None) -> None:
    url = str(st.session_state.get("documents-url") or "").strip()
    local_only = workbench.connections.local_only(me)
    if url:
        _try(workbench, me, id, lambda id: workbench.collections.add_page(me, id, url, local_only=local_only))
        st.session_state["documents-url"] = ""


def _try(workbench: Workbench, me: str, id: str | None, add: Callable[[str], object]) -> None:
    try:
        if id is None:
            name = str(st.session_state.get("collection-name") or "").strip()
            id = workbench.collections.create(me, name or _("My documents")).id
            opened.open(id)
        add(id)
    except WorkbenchError as error:
        st.session_state[_ERROR] = error
