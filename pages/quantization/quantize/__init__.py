"""Quantize: smaller files of a model, planned, made in the background, and what rounding does to one block."""

from __future__ import annotations

from pages.quantization.quantize.panel import show

__all__ = ["show"]
