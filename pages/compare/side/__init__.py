"""Side by side: one question to two to six models, with their names, figures and differences."""

from pages.compare.side.panel import show

__all__ = ["show"]
