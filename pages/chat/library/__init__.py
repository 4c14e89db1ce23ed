"""The conversations in the sidebar: found, opened, named, pinned, tagged, taken out and brought in."""

from pages.chat.library.panel import show

__all__ = ["show"]
