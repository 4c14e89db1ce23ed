"""Who a route chose to answer, and why: one line above the answer."""

from __future__ import annotations

from core import route_words
from core.events import Routed
from pages.ui import error_box
from pages.ui.words import N_, _, language


def text(routed: Routed, *, answered: bool = True) -> str:
    """The line, as Markdown with everything in it disarmed. answered: whether the model said anything."""
    model = f"**{error_box.plain(routed.model_name)}**"
    why = error_box.plain(route_words.why(routed, language()))
    said = N_("Answered by {model}: {why}.") if answered else N_("{model} was asked in the end: {why}.")
    return ":material/alt_route: " + _(said, model=model, why=why)
