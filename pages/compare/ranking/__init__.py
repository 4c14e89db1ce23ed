"""The ranking of the models by the votes that are kept here."""

from __future__ import annotations

from pages.compare.ranking.panel import show

__all__ = ["show"]
