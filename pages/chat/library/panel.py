"""The list of conversations in the sidebar: search, tags, the rows, and what is done with them.

It runs alone: what changes only the list does not draw the page again; what opens a conversation does. Never more is
read than is shown. A title made by the model (core/titles.py) is seen with the next thing a person does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.errors import WorkbenchError
from core.store.library import Library, LibraryEntry
from core.store.records import Conversation
from core.workbench import Workbench
from pages.chat.library import dialogs, rows
from pages.chat.library.groups import Group, grouped, zone
from pages.chat.library.rows import Act, Row, Section, Tool
from pages.ui import error_box, state
from pages.ui.words import _

STEP = 30
"""Conversations shown at first, and more with each "Show more"."""

FOUND = 30

SEARCH, TAG, ROWS = "library-search", "library-tag", "library-rows"
SHOWN, DELETED, TITLES = "library-shown", "library-deleted", "library-titles"


def show(workbench: Workbench, owner: str, opened: Conversation | None) -> None:
    """Draws the list; a click opens a conversation."""
    if opened is not None and st.session_state.setdefault(TITLES, True):
        workbench.titles.wish(owner, opened.id)
    with st.sidebar:
        _panel(workbench, owner, opened.id if opened else None)


@st.fragment(key="library")
def _panel(workbench: Workbench, owner: str, opened: str | None) -> None:
    library = workbench.library
    st.button(
        _("New conversation"),
        icon=":material/add:",
        width="stretch",
        key="new-conversation",
        on_click=_open,
        args=(None,),
        disabled=opened is None,
    )
    try:
        query = _search(library, owner, opened)
        entries = [] if query else _entries(library, owner)
        if query:
            _found(library, owner, query, opened)
        else:
            _all(library, owner, entries, opened)
    except WorkbenchError as error:
        error_box.show(error)
        return
    if failed := st.session_state.pop(dialogs.ERROR, None):
        error_box.show(failed)
    dialogs.show(workbench, owner, entries)


def _search(library: Library, owner: str, opened: str | None) -> str:
    """What is looked for; empty where nothing is, and where there is nothing yet to look for."""
    if opened is None and not library.list(owner, limit=1):
        return ""
    typed = st.text_input(
        _("Search conversations"),
        key=SEARCH,
        type="search",
        live=True,
        placeholder=_("Search conversations"),
        label_visibility="collapsed",
    )
    return (typed or "").strip()


def _entries(library: Library, owner: str) -> Sequence[LibraryEntry]:
    """The conversations to show, and one more where there are more."""
    tag = _tag(library, owner)
    return library.list(owner, limit=st.session_state.setdefault(SHOWN, STEP) + 1, tag=tag)


def _all(library: Library, owner: str, entries: Sequence[LibraryEntry], opened: str | None) -> None:
    shown = st.session_state[SHOWN]
    now = datetime.now(zone(st.context.timezone))
    sections = [Section(_name(group), _rows(under)) for group, under in grouped(entries[:shown], now)]
    _draw(library, owner, opened, sections, more=len(entries) > shown, empty=_("No conversation yet."))


def _found(library: Library, owner: str, query: str, opened: str | None) -> None:
    found = library.search(owner, query, limit=FOUND)
    hits = [Row(id=hit.conversation_id, title=_title(hit.title), parts=hit.parts) for hit in found]
    sections = [Section(_("Found"), hits)] if hits else []
    _draw(library, owner, opened, sections, more=False, empty=_("Nothing found for “{query}”.", query=query))


def _draw(
    library: Library, owner: str, opened: str | None, sections: Sequence[Section], *, more: bool, empty: str
) -> None:
    rows.show(
        ROWS,
        sections,
        opened=opened,
        more=more,
        empty=empty,
        deleted=st.session_state.get(DELETED),
        tools=[
            Tool(do="import", name=_("Import…")),
            Tool(do="export-all", name=_("Export all…")),
            Tool(do="titles", name=_("Titles by the model"), checked=st.session_state.get(TITLES, True)),
        ],
        on_act=lambda act: do(library, owner, act, opened),
    )


def _tag(library: Library, owner: str) -> str | None:
    """The tag whose conversations are shown; a row of tags to choose from where there are any."""
    tags = library.tags(owner)
    if not tags:
        return None
    if st.session_state.get(TAG) not in tags:
        st.session_state.pop(TAG, None)
    return st.pills(_("Tags"), list(tags), key=TAG, format_func=error_box.plain, label_visibility="collapsed")


def _rows(entries: Sequence[LibraryEntry]) -> list[Row]:
    return [
        Row(id=entry.id, title=_title(entry.title), pinned=entry.pinned, note=" · ".join(entry.tags))
        for entry in entries
    ]


def _title(title: str) -> str:
    return title or _("New conversation")


def _name(group: Group) -> str:
    return {
        "pinned": _("Pinned"),
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "week": _("Earlier this week"),
        "earlier": _("Earlier"),
    }[group]


def do(library: Library, owner: str, act: Act, opened: str | None) -> None:
    """Does what was done in the list, before it is drawn again. An error is kept, and shown under the list."""
    try:
        _doing(library, owner, act, opened)
    except WorkbenchError as error:
        st.session_state[dialogs.ERROR] = error


def _doing(library: Library, owner: str, act: Act, opened: str | None) -> None:
    match act.do:
        case "open":
            _open(act.id)
        case "rename":
            library.rename(owner, act.id, act.text)
        case "pin" | "unpin":
            library.pin(owner, act.id, act.do == "pin")
        case "delete":
            library.delete(owner, act.id)
            st.session_state[DELETED] = (act.id, act.text)
            if act.id == opened:
                _open(None)
        case "undo":
            library.restore(owner, act.id)
            st.session_state.pop(DELETED, None)
        case "more":
            st.session_state[SHOWN] = st.session_state.get(SHOWN, STEP) + STEP
        case "tags" | "export" | "export-all" | "import":
            dialogs.open_for(act)
        case "titles":
            st.session_state[TITLES] = not st.session_state.get(TITLES, True)


def _open(id: str | None) -> None:
    """Opens a conversation, or a new one; the whole page is drawn for it."""
    state.open_conversation(id)
    st.rerun()
