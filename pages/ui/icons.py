"""Buttons that show only an icon and still have a name."""

from __future__ import annotations

from pages.ui import error_box

_NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""A transparent image of one pixel."""


def named(name: str) -> str:
    """A label that cannot be seen: the name is for screen readers, in the reader's language.

    Streamlit would read an icon without a label by the icon's English name.
    """
    return f"![{error_box.plain(name)}]({_NOTHING})"
