"""The models that the API offers: those of this machine that the catalogue lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from core.api.shapes import Object
from core.errors import ModelNotFound
from core.models.base import ModelInfo
from core.models.catalog import Catalog
from core.models.local.model_settings import ModelSettings, context_length
from core.models.local.shelf import Loaded, LocalModel, Shelf

OWNER = "inference-workbench"

PACE_S = 0.03
"""Pause of the reader of a model's process while text flows: shorter than the pages' (engine.PACE_S), as a program
waits for the last piece of a short answer, and no person sees a longer one."""


class Served(Protocol):
    """Where the models come from; a Workbench is one."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def shelf(self) -> Shelf: ...


class Offered:
    """What programs may use. Any other path is *not found*: a program names no files. Thread-safe."""

    def __init__(self, served: Callable[[], Served]) -> None:
        self._served = served
        self._ids: frozenset[str] = frozenset()
        self._arriving = 0

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """A request is on its way to a model, which knows of it by that. Used from one event loop."""
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1

    def get(self, model_id: str | None) -> LocalModel:
        """The model, as it is in memory, else with the default settings; None is the one that comes with the workbench.

        Raises `ModelNotFound`, `ModelFileInvalid`.
        """
        served, info = self._served(), self._info(model_id)
        return served.shelf.model(info, served.catalog.path(info), self._settings(info), pace_s=PACE_S, more=self._more)

    def listed(self) -> list[Object]:
        """All of them, as /v1/models has them."""
        return [self._described(info) for info in self._served().catalog.models()]

    def described(self, model_id: str) -> Object:
        """One of them. Raises `ModelNotFound`, `ModelFileInvalid`."""
        return self._described(self._info(model_id))

    def loaded(self) -> list[Loaded]:
        """What is in memory."""
        return self._served().shelf.loaded()

    def _more(self) -> bool:
        return self._arriving > 0

    def _info(self, model_id: str | None) -> ModelInfo:
        catalog = self._served().catalog
        # Listing looks into folders, so it is done again only for an id that has not been seen.
        if model_id is not None and model_id not in self._ids:
            self._ids = frozenset(info.id for info in catalog.models())
            if model_id not in self._ids:
                raise ModelNotFound(model=model_id)
        return catalog.get(model_id)

    def _settings(self, info: ModelInfo) -> ModelSettings | None:
        return next((one.settings for one in self.loaded() if one.info.id == info.id), None)

    def _described(self, info: ModelInfo) -> Object:
        settings = self._settings(info) or ModelSettings()
        return {
            "id": info.id,
            "object": "model",
            "created": int(Path(self._served().catalog.path(info)).stat().st_mtime),
            "owned_by": OWNER,
            "meta": {
                "n_ctx": context_length(settings, trained=info.context_length),
                "n_ctx_train": info.context_length,
                "n_params": info.parameters,
                "size": info.size_bytes,
            },
        }
