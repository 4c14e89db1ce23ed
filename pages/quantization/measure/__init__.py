"""Measure: what a quantization costs in quality, and what it gives in size, speed and memory, on this machine."""

from pages.quantization.measure.panel import show

__all__ = ["show"]
