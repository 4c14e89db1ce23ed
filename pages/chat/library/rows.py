"""The list itself, drawn by one component whatever its length: headings, titles to open, and a menu to each.

A row is one tab stop, arrow keys lead from row to row, F2 renames and Delete deletes. What a person does comes back as
an `Act`. Knows no store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.words import _

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One conversation. `note` is said with the whole title on hover.

    parts: where it was found by its words, a piece of its text as (text, matched); such a row has no menu.
    """

    id: str
    title: str
    pinned: bool = False
    note: str = ""
    parts: Sequence[tuple[str, bool]] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading."""

    name: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """An entry in the menu of the whole list. `checked`: on or off, for one that is a switch."""

    do: str
    name: str
    checked: bool | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did: `open`, `rename`, `pin`, `unpin`, `tags`, `export`, `delete` or `undo` to a conversation,
    `more`, or a tool's `do`. `text`: the title, of `rename` the new one."""

    do: str
    id: str = ""
    text: str = ""


def show(
    key: str,
    sections: Sequence[Section],
    *,
    opened: str | None,
    more: bool,
    empty: str,
    deleted: tuple[str, str] | None,
    tools: Sequence[Tool],
    on_act: Callable[[Act], None],
) -> None:
    """Draws the list. `on_act` is called with what was done, before the script runs for it.

    opened: the id of the row that is marked. more: there are more rows, which `more` asks for. empty: said where there
    is no row. deleted: id and title of what was deleted last, to be undone.
    """
    data = {
        "sections": [asdict(section) for section in sections],
        "opened": opened,
        "more": more,
        "empty": empty,
        "deleted": deleted and {"id": deleted[0], "title": deleted[1]},
        "tools": [asdict(tool) for tool in tools],
        "words": _words(),
    }
    # In a list: of a dictionary's values Streamlit asks whether they are data frames, and imports pandas for that.
    _component(key=key, data=[data], on_act_change=lambda: on_act(_act(st.session_state[key].act)))


def _act(sent: Any) -> Act:
    """What a browser sent, which may be anything."""
    fields = sent if isinstance(sent, dict) else {}
    return Act(*(str(fields.get(name, "")) for name in ("do", "id", "text")))


def _words() -> dict[str, str]:
    """The component's words; it fills their {placeholders} itself."""
    return {
        "list": _("Conversations"),
        "tools": _("Import, export, titles"),
        "actions": _("Actions for “{title}”"),
        "rename": _("Rename"),
        "pin": _("Pin"),
        "unpin": _("Unpin"),
        "tags": _("Tags…"),
        "export": _("Export…"),
        "delete": _("Delete"),
        "deleted": _("Deleted: {title}"),
        "undo": _("Undo"),
        "more": _("Show more"),
        "title": _("Title"),
    }


_component = st.components.v2.component(
    "conversation_rows",
    js=(FOLDER / "rows.js").read_text("utf-8"),
    css=(FOLDER / "rows.css").read_text("utf-8"),
)
