"""The page's views: models side by side, a blind duel, a batch, the ranking."""

from __future__ import annotations

from pages.ui import view_switch
from pages.ui.words import _

KEY = "compare-view"


def switch() -> str:
    """Draws the switch and returns the view: a package beside this file, with `show(workbench, me)`."""
    return view_switch.show(
        KEY,
        {
            "side": ":material/view_column: " + _("Side by side"),
            "duel": ":material/visibility_off: " + _("Blind duel"),
            "batch": ":material/table_view: " + _("Batch"),
            "ranking": ":material/leaderboard: " + _("Ranking"),
        },
    )
