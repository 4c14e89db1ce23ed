"""The blind duel: two answers, a vote, and only then who gave them."""

from __future__ import annotations

from pages.compare.duel.panel import show

__all__ = ["show"]
