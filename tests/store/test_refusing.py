"""A database that refuses for a while in mid-answer: nothing is lost, and it is written when it can be."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.answers import Answers
from core.chat import Asking, Chat
from core.errors import StoreUnavailable
from core.events import Event, Finished, Idle, Reasoning, Text, Usage
from core.messages import ChatRequest
from core.models.base import ModelInfo
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.runs import Runs
from tests.e2e.serving import until

pytestmark = pytest.mark.faults

ANA = "ana"
END = Finished("stop", Usage(prompt_tokens=1, generated_tokens=3))


class Gated:
    """A model that thinks, begins, and goes on when the gate is opened."""

    info = ModelInfo(id="gated", name="Gated", provider="test", local=True)

    def __init__(self) -> None:
        self.gate = threading.Event()

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        yield Reasoning("Hm.")
        yield Text("It begins, ")
        while not self.gate.wait(0.02):
            yield Idle()
        yield Text("goes on ")
        yield Text("and ends.")
        yield END

    def close(self) -> None: ...


def test_an_answer_that_ended_while_the_database_refused_is_written_later(tmp_path: Path) -> None:
    database = Database(tmp_path / "workbench.db", patience_s=0.05)
    conversations, runs, answers, model = Conversations(database), Runs(database), Answers(), Gated()
    chat = Chat(conversations, runs, answers, lambda owner, id, settings: model)
    message = chat.ask(ANA, None, "Tell me.", Asking())
    until(lambda: conversations.message(ANA, message.id).content == "It begins, ")
    holder = sqlite3.connect(database.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    model.gate.set()
    answer = chat.running(message)
    assert answer is not None and answer.wait(30)
    until(lambda: answer.unkept)
    assert isinstance(answer.keeper_error, StoreUnavailable) and answer.text == "It begins, goes on and ends."
    assert conversations.message(ANA, message.id).status == "streaming"
    holder.execute("ROLLBACK")
    until(lambda: not answer.unkept)
    kept = conversations.message(ANA, message.id)
    assert (kept.content, kept.reasoning, kept.status) == (answer.text, "Hm.", "complete")
    assert answer.keeper_error is None and kept.finished == answer.finished
    assert len(runs.list(ANA)) == 1
    holder.close()
    answers.close()
    database.close()
