"""The keyboard of a page: keys that press its buttons, and a list of them on `?`."""

from pages.ui.shortcuts.component import Shortcut, show

__all__ = ["Shortcut", "show"]
