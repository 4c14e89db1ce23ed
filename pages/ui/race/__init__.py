"""Tokens over time of answers that are written side by side: `show` for pages, `routes` for the server."""

from pages.ui.race.component import Lane, show
from pages.ui.race.route import routes

__all__ = ["Lane", "routes", "show"]
