"""The contract of a model: anything that streams. Pages, the command line and the API use this and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from core.events import Event
from core.messages import ChatRequest


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """List price for a million tokens. `as_of`: the day it was true, ISO 8601. None: unknown, and never 0."""

    input: float
    output: float
    cached_input: float | None = None
    currency: str = "USD"
    as_of: str | None = None


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model before it answers. None: unknown.

    `id` names it everywhere (page, command line, API): a path for a GGUF file. `size_bytes`: the file's size.
    `provider`: its name for people; `country`: ISO 3166-1 code of whoever runs it. `released`: ISO 8601 day.
    `modalities`: what it takes ("text", "image" …), empty where unknown. `tools`: whether it can call tools.
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
    price: Price | None = None
    country: str | None = None
    released: str | None = None
    modalities: tuple[str, ...] = ()
    tools: bool | None = None


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
