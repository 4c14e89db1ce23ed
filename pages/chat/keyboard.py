"""The keys of the Chat page, and what each is for. The buttons they press are found by their keys in Streamlit."""

from __future__ import annotations

from pages.ui.shortcuts import Shortcut
from pages.ui.words import _

CONVERSATIONS = ".rows .open"


def rows() -> list[Shortcut]:
    """In the order of the list."""
    return [
        Shortcut(keys=("/",), what=_("Write a question"), act="focus", target=".st-key-question textarea"),
        Shortcut(keys=("Escape",), what=_("Leave the text; stop the answer"), act="listed"),
        Shortcut(keys=("n",), what=_("New conversation"), act="press", target=".st-key-new-conversation button"),
        Shortcut(keys=("g",), what=_("Generate the answer again"), act="press", target=".st-key-regenerate button"),
        Shortcut(keys=("j",), what=_("Next conversation in the list"), act="next", target=CONVERSATIONS),
        Shortcut(keys=("k",), what=_("Previous conversation in the list"), act="previous", target=CONVERSATIONS),
        Shortcut(keys=("s",), what=_("Search the conversations"), act="focus", target=".st-key-library-search input"),
        Shortcut(keys=("?", "mod+/"), what=_("Show this list"), act="list"),
    ]
