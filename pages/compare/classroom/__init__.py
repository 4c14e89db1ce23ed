"""The vote of the class on a duel's two answers."""

from __future__ import annotations

from pages.compare.classroom.panel import show

__all__ = ["show"]
