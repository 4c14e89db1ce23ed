"""The page's views: ask one's documents, manage them, measure how well they are found."""

from __future__ import annotations

from pages.ui import view_switch
from pages.ui.words import _

KEY = "rag-view"


def switch() -> str:
    """Draws the switch and returns the view: a package beside this file, with `show(workbench, me)`."""
    return view_switch.show(
        KEY,
        {
            "ask": ":material/forum: " + _("Ask"),
            "collections": ":material/folder_open: " + _("Documents"),
            "measure": ":material/monitoring: " + _("Measure"),
        },
    )
