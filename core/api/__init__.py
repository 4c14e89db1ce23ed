"""Our own OpenAI-compatible API over the local models: the pages' engine, for other programs.

`routes` gives the addresses, for the pages' server and for `python -m core serve`. Local models only: a program of this
machine must not spend a person's provider keys. Knows nothing of pages, owners and conversations.

    door.py      before every request: who may ask (guard.py), and errors in OpenAI's shape (refusal.py)
    bodies.py    what is sent, as Structs; asking.py makes requests to a model of it
    reading.py   answers read in threads, handed to the event loop
    reply.py     an answer on its way to its client; chat.py and completions.py are its two shapes
    meter.py     what /metrics shows

Sources: https://platform.openai.com/docs/api-reference; names beyond it are llama.cpp's (tools/server/README.md).
"""

from __future__ import annotations

from core.api.guard import Access
from core.api.routes import routes

__all__ = ["Access", "routes"]
