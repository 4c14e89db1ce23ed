"""Comparing over a database of a test's own, with models that the test lets go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.answers import Answer, Answers
from core.arena.comparing import Comparing, Comparison
from core.chat import Asking, Chat
from core.errors import ModelNotFound
from core.models.base import ChatModel
from core.models.in_turn import Turns
from core.models.local.model_settings import ModelSettings
from core.models.unavailable import standing_in
from core.store.comparisons import Comparisons
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.records import StoredMessage
from core.store.runs import Runs
from tests.gating import Gated

ANA, BEN = "ana", "ben"
SAID = "w1 w2 "
"""What each model answers."""


class Bench:
    """Comparing over a database, with models that a test lets go on; what a workbench puts together."""

    def __init__(self, path: Path, *, abandon_after_s: float = 60.0) -> None:
        self.models: dict[str, Gated] = {name: Gated(name) for name in ("one", "two", "three")}
        self.db = Database(path)
        self.conversations, self.runs, self.turns = Conversations(self.db), Runs(self.db), Turns()
        self.answers = Answers(abandon_after_s=abandon_after_s)
        self.chat = Chat(self.conversations, self.runs, self.answers, self.model)
        self.comparing = Comparing(
            Comparisons(self.db),
            self.conversations,
            Chat(self.conversations, self.runs, self.answers, standing_in(self.model), kind="compare"),
            self.answers,
            self.turns,
            lambda owner: lambda id: self.model(owner, id, ModelSettings()).info,
            lambda: sum(model.running.is_set() for model in self.models.values()),
        )

    def model(self, owner: str, id: str | None, settings: ModelSettings) -> ChatModel:
        if id not in self.models:
            raise ModelNotFound(model=id)
        return self.models[id]

    def made(self, *names: str, **fields: Any) -> Comparison:
        return self.comparing.create(ANA, [Asking(model_id=name) for name in names], **fields)

    def let_go(self, *names: str) -> None:
        for name in names or self.models:
            self.models[name].gate.set()

    def running(self, message: StoredMessage) -> Answer:
        answer = self.chat.running(message)
        assert answer is not None
        return answer

    def ended(self, *messages: StoredMessage) -> list[StoredMessage]:
        for message in messages:
            assert self.running(message).wait(10)
        return [self.conversations.message(ANA, message.id) for message in messages]

    def said(self, id: str) -> list[list[tuple[str, str]]]:
        """Roles and texts, by pane."""
        panes = self.comparing.get(ANA, id).panes
        paths = (self.conversations.messages(ANA, pane.conversation.id) for pane in panes)
        return [[(message.role, message.content) for message in path] for path in paths]
