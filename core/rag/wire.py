"""What a request to an attendant and its answer are wrapped in (core/rag/attendant.py, attending.py): a line of JSON
each. `body` is the worker's own."""

from __future__ import annotations

from typing import Any

import msgspec


class Asked(msgspec.Struct, frozen=True):
    """A request."""

    id: int
    body: msgspec.Raw


class Answered(msgspec.Struct, frozen=True):
    """Its answer, or the `WorkbenchError.to_dict()` of what made it impossible."""

    id: int
    body: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, Any] | None = None
