"""Ask one's documents: a chat whose answers cite the passages that they rest on, and can be looked into."""

from pages.rag.ask.panel import show

__all__ = ["show"]
