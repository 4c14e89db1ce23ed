"""Keys that do what a button or a field of the page does, and the list of them.

A key without a modifier is only heard while no text is being typed and no dialog or menu is open; `mod` is ⌘ on a Mac
and Ctrl elsewhere. The keys that browsers and Streamlit (C, R) take are left to them. Runs in the browser alone: what
is pressed is found by its CSS selector, and a row whose target is not on the page does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from pages.ui.words import _

FOLDER = Path(__file__).parent

Act = Literal["press", "focus", "next", "previous", "list", "listed"]
"""What is done with the target: `next` and `previous` press the one after or before the one marked as current;
`list` opens the list of keys; `listed` is done elsewhere, and only said here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """One row. keys: as `KeyboardEvent.key` has them, letters small, `mod+` before a key with its modifier; any one of
    them will do. what: what it does, in the reader's language. target: a CSS selector, also inside components."""

    keys: tuple[str, ...]
    what: str
    act: Act
    target: str = ""


def show(key: str, shortcuts: Sequence[Shortcut]) -> None:
    """Draws the small button that opens the list, and listens for as long as the page shows it."""
    words = {
        "title": _("Keyboard"),
        "open": _("Keyboard shortcuts (?)"),
        "close": _("Close"),
        "or": _("or"),
        "note": _("Letters work while no text is being typed: Esc leaves a text."),
        "Escape": _("Esc"),
        "ctrl": _("Ctrl"),
    }
    # In a list: of a dictionary's values Streamlit asks whether they are data frames, and imports pandas for that.
    _component(key=key, data=[{"rows": [asdict(one) for one in shortcuts], "words": words}], width="content")


_component = st.components.v2.component(
    "workbench_shortcuts",
    js="\n".join((FOLDER / file).read_text("utf-8") for file in ("../helpers.js", "component.js")),
    css=(FOLDER / "component.css").read_text("utf-8"),
)
