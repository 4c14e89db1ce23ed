"""What the page's figures say."""

from __future__ import annotations

from collections.abc import Mapping

from core.gguf_plots import Words
from pages.ui import chart


def words(title: str, *, x: str = "", y: str = "", parts: Mapping[str, str] | None = None) -> Words:
    """A figure's words, with numbers as the reader writes them."""
    return Words(title=title, x=x, y=y, separators=chart.separators(), parts=parts or {})
