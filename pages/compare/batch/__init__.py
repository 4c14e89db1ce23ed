"""Batch: many prompts to several models in the background, as a table."""

from __future__ import annotations

from pages.compare.batch.panel import show

__all__ = ["show"]
