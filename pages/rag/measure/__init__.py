"""Measure how well passages are found: questions whose answers' places are known, retrievers, ways of cutting."""

from pages.rag.measure.panel import show

__all__ = ["show"]
