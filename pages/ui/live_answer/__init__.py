"""An answer drawn as it comes: `show` for pages, `routes` for the server, both over core.answers."""

from pages.ui.live_answer.component import show
from pages.ui.live_answer.route import routes

__all__ = ["routes", "show"]
