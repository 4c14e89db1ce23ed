"""Which file is looked at: one of ours, one that another program keeps, a typed path, or one from the browser.

The choice is the page's, not a view's: the other views begin with it. It stands in the address as `?file=`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.gguf import reader
from core.gguf.header import GGUF
from core.models.local import elsewhere, files, uploads
from core.workbench import Workbench
from pages.ui import error_box, file_field
from pages.ui.distinct import distinct
from pages.ui.words import _

KEY, NEXT = "gguf-file", "gguf-file-next"
ADDRESS = "file"
LOOK_S = 30.0
"""Other programs' folders are looked through at most so often."""


def choose(path: Path) -> None:
    """The file that the page is about from now on."""
    st.session_state[NEXT] = str(path)


def show(workbench: Workbench) -> GGUF | None:
    """Draws the choice. The checked header; None where there is none, and why is on the page."""
    mine = workbench.settings.owners == "person"
    names = _names(workbench, others=mine)
    begun = _begin(names, typed=mine)
    offered = list(dict.fromkeys([*names, *filter(None, [begun])]))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        picked = st.selectbox(
            _("File"),
            offered,
            index=offered.index(begun) if begun else 0,
            format_func=lambda path: names.get(path, path),
            key=KEY,
            accept_new_options=mine,
            placeholder=_("Choose a GGUF file, or type its path"),
            help=_(
                "Files that come with the workbench, were downloaded or made here, or that LM Studio, Ollama, Jan, "
                "GPT4All, llama.cpp or the Hugging Face cache keep on this machine; or any path, typed. Only the "
                "header of a file is read."
            ),
            width=520,
        )
        if mine:
            _upload(workbench)
    if picked is None:
        st.info(_("There is no GGUF file on this machine yet. Download one, or type a path."), icon=":material/search:")
        return None
    if picked != st.query_params.get(ADDRESS, next(iter(names), None)):
        st.query_params[ADDRESS] = picked
    try:
        return opened(files.located(picked))
    except WorkbenchError as error:
        error_box.show(error)
        return None


def opened(path: Path) -> GGUF:
    """The checked header, read again only when the file changes. Raises as `reader.read`."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return reader.read(path)
    return _header(path, status.st_size, status.st_mtime_ns)


@st.cache_resource(max_entries=8, show_spinner=False)
def _header(path: Path, size: int, changed: int) -> GGUF:
    return reader.read(path)


def _begin(names: Mapping[str, str], *, typed: bool) -> str | None:
    """Puts into the choice what it begins with, unless something is there; what it is now.

    typed: whether any path may be opened, and not only those that are offered: not where strangers come in.
    """
    if NEXT in st.session_state:  # what a button chose after the widget was drawn
        st.session_state[KEY] = st.session_state.pop(NEXT)
    if KEY in st.session_state and (typed or st.session_state[KEY] in names):
        there: str | None = st.session_state[KEY]
        return there
    begun = st.query_params.get(ADDRESS)
    if not begun or not (typed or begun in names):
        begun = next(iter(names), None)
    st.session_state[KEY] = begun
    return begun


def _names(workbench: Workbench, *, others: bool) -> dict[str, str]:
    """What each file is called, by its path; ours first."""
    own = files.embedded()
    names = {str(own): own.name} if own else {}
    names |= {str(path): path.name for path in files.find(workbench.settings) if str(path) not in names}
    if others:
        names |= {path: f"{name} · {program}" for path, name, program in _elsewhere(_visit=None) if path not in names}
    return distinct(names)


@st.cache_data(ttl=LOOK_S, show_spinner=False)
def _elsewhere(_visit: None) -> list[tuple[str, str, str]]:
    return [(str(one.path), one.name, one.program) for one in elsewhere.find()]


def _upload(workbench: Workbench) -> None:
    with st.popover(_("Upload"), icon=":material/upload:"):
        given = file_field.show(
            _("A GGUF file of at most 200 MB"),
            type="gguf",
            key="gguf-upload",
            help=_("It is checked, and kept in the model folder. For a larger one, type its path instead."),
        )
        if given is None or st.session_state.get("gguf-uploaded") == given.file_id:
            return
        try:
            path = uploads.receive(workbench.settings.models, given.name, given)
        except WorkbenchError as error:
            error_box.show(error)
            return
        st.session_state["gguf-uploaded"] = given.file_id
        choose(path)
        st.rerun()
