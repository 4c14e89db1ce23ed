"""Find and download: models on the Hugging Face Hub, judged for this machine before they are downloaded."""

from __future__ import annotations

from pages.quantization.hub.panel import show

__all__ = ["show"]
