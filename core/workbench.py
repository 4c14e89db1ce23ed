"""Everything of one running workbench, put together once: what is kept, the models, the answers, the conversations.

A server opens one for all its pages and routes; the command line opens one for itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from core.answers import Answers
from core.chat import Chat
from core.models.base import ChatModel
from core.models.catalog import Catalog
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf
from core.settings import Settings
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.runs import Runs


@dataclass(frozen=True)
class Workbench:
    """The parts, ready to use. `close` stops the answers, which are kept as cut, and ends every model's process."""

    settings: Settings
    catalog: Catalog
    shelf: Shelf
    answers: Answers
    database: Database
    conversations: Conversations
    runs: Runs
    chat: Chat

    def model(self, model_id: str | None = None, settings: ModelSettings | None = None) -> LocalModel:
        """The model of this id, or the GGUF file at this path; None is the embedded one. Loaded when it is asked.

        Raises `ModelNotFound`, `ModelFileInvalid` or `SettingInvalid`.
        """
        return _model(self.catalog, self.shelf, model_id, settings)

    def close(self) -> None:
        """Ends everything that runs."""
        self.answers.close()
        self.shelf.close()
        self.database.close()


def _model(catalog: Catalog, shelf: Shelf, model_id: str | None, settings: ModelSettings | None = None) -> LocalModel:
    info = catalog.get(model_id)
    return shelf.model(info, catalog.path(info), settings)


def open_workbench(settings: Settings) -> Workbench:
    """A workbench over this data folder. Answers that a killed process left unfinished become *cut*.

    Raises `StoreUnavailable`.
    """
    database = Database(settings.database)
    conversations, runs = Conversations(database), Runs(database)
    conversations.recover()
    catalog = Catalog(settings)
    shelf = Shelf(budget_bytes=settings.memory_bytes)
    answers = Answers()
    model: Callable[[str | None], ChatModel] = functools.partial(_model, catalog, shelf)
    chat = Chat(conversations, runs, answers, model)
    return Workbench(settings, catalog, shelf, answers, database, conversations, runs, chat)
