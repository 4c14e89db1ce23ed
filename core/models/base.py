"""The contract of a model: anything that streams. Pages, the command line and the API use this and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from core.events import Event
from core.messages import ChatRequest


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model before it answers. None: unknown.

    `id` names it everywhere (page, command line, API): a path for a GGUF file. `size_bytes`: the file's size.
    """

    id: str
    name: str
    provider: str
    local: bool
    context_length: int | None = None
    size_bytes: int | None = None
    quantization: str | None = None
    parameters: int | None = None
    licence: str | None = None


class ChatModel(Protocol):
    """A model that answers.

    `stream` yields events as they come; the last is always `Finished`, or an error from core.errors is raised: nothing
    ends in silence. While there is nothing to say it yields `Idle` at least every tenth of a second, so that its reader
    can stop it. Closing the iterator stops the generation at the next token, wherever it runs.
    """

    @property
    def info(self) -> ModelInfo: ...

    def stream(self, request: ChatRequest) -> Iterator[Event]: ...

    def close(self) -> None: ...
