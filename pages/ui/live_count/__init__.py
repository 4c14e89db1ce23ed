"""What a question takes of the context, shown while it is typed: `show` for pages, `routes` for the server."""

from pages.ui.live_count.component import show
from pages.ui.live_count.route import routes

__all__ = ["routes", "show"]
