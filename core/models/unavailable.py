"""A model that cannot be had, in its place: it answers with the reason. So one of several fails where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath

from core.errors import WorkbenchError
from core.events import Event
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo
from core.models.catalog import EMBEDDED_ID
from core.models.local.model_settings import ModelSettings
from core.models.remote.connections import is_remote
from core.models.routes import is_route

Resolve = Callable[[str, str | None, ModelSettings], ChatModel]
"""Gives an owner the model of an id, loaded so, or raises."""


class Unavailable:
    """A `ChatModel` whose stream raises `error`. Of the model no more is known than its id tells."""

    def __init__(self, model_id: str | None, error: WorkbenchError) -> None:
        self.info = unknown(model_id)
        self.error = error

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        raise self.error

    def close(self) -> None:
        """Nothing is held."""


def unknown(model_id: str | None) -> ModelInfo:
    """What the id alone tells of a model."""
    id = model_id or EMBEDDED_ID
    here = not (is_remote(id) or is_route(id))
    name = (PurePath(id).stem if here else id.rpartition("#")[2]) or id
    return ModelInfo(id=id, name=name, provider="", local=here)


def standing_in(resolve: Resolve) -> Resolve:
    """The same, with an `Unavailable` in the place of a model that cannot be had."""

    def model(owner: str, model_id: str | None, settings: ModelSettings) -> ChatModel:
        try:
            return resolve(owner, model_id, settings)
        except WorkbenchError as error:
            return Unavailable(model_id, type(error)(**error.values))

    return model
