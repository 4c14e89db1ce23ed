"""An answer with citations that can be clicked where they stand."""

from pages.ui.cited_text.component import drawable, show

__all__ = ["drawable", "show"]
