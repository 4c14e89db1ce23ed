"""Manage one's documents: collections, what is in them, how they are cut."""

from pages.rag.collections.panel import show

__all__ = ["show"]
