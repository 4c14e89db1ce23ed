"""Inspect: what is in a GGUF file, and whether this machine can run it."""

from __future__ import annotations

from pages.quantization.inspect.panel import show

__all__ = ["show"]
