"""Batches over a database of a test's own, with models that say what the test wants, when it wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.answers import Answers
from core.arena.batch import Batch, Cell, Place
from core.arena.batch_run import Batches
from core.arena.prompts import Prompt
from core.chat import Asking
from core.errors import ModelNotFound, WorkbenchError
from core.events import Event, Finished, Idle, Text, Timings, Token, Usage
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo
from core.models.in_turn import Turns
from core.models.local.model_settings import ModelSettings
from core.models.remote.client import RemoteModel
from core.store.batches import KeptBatches
from core.store.database import Database
from core.store.tally import Tally
from tests.answering import until

ANA, BEN = "ana", "ben"
PATIENCE_S = 30.0
QUESTIONS = (Prompt(text="one?", category="maths"), Prompt(text="two?", category="code"))

Reply = Callable[[ChatRequest], str]


class Room:
    """Who is answering: names now, and the most at once that were seen together."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answering: list[str] = []
        self.seen: set[tuple[str, ...]] = set()

    def enter(self, name: str) -> None:
        with self.lock:
            self.answering.append(name)
            self.seen.add(tuple(sorted(self.answering)))

    def leave(self, name: str) -> None:
        with self.lock:
            self.answering.remove(name)


class Talker:
    """A `ChatModel` that says a first word, waits for its `gate`, and says the rest of what `reply` gives, or raises.

    `asked`: the requests, in order. The gate is open unless a test closes it.
    """

    def __init__(self, info: ModelInfo, room: Room, reply: Reply) -> None:
        self.info = info
        self.reply = reply
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[ChatRequest] = []
        self._room = room

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        self._room.enter(self.info.id)
        try:
            self.asked.append(request)
            first, *rest = self.reply(request).split(" ")
            yield Text(first, (Token(id=None, text=first, at=0.5),))
            while not self.gate.wait(0.01):
                yield Idle()
            for word in rest:
                yield Text(" " + word, (Token(id=None, text=word, at=1.0),))
            timings = Timings(ttft_s=0.5, decode_rate=10.0, end_to_end_s=2.0, at=(0.5, 1.0))
            yield Finished("stop", Usage(prompt_tokens=4, generated_tokens=2), timings)
        finally:
            self._room.leave(self.info.id)

    def close(self) -> None: ...


def question(request: ChatRequest) -> str:
    """What was asked."""
    return request.messages[-1].content


class Bench:
    """What a workbench puts together for batches."""

    def __init__(self, path: Path, *, answers: Answers | None = None) -> None:
        self.db = Database(path)
        self.kept, self.turns, self.room = KeptBatches(self.db), Turns(), Room()
        self.answers = answers or Answers()
        self.models: dict[str, Any] = {}
        self.batches = Batches(self.kept, self.answers, self.turns, self.model, lambda owner: self.info, Tally(self.db))

    def model(self, owner: str, id: str | None, settings: ModelSettings) -> ChatModel:
        if id not in self.models:
            raise ModelNotFound(model=id)
        model: ChatModel = self.models[id]
        return model

    def info(self, id: str | None) -> ModelInfo:
        return self.model(ANA, id, ModelSettings()).info

    def here(self, id: str, reply: Reply = lambda request: f"{question(request)} answered") -> Talker:
        """A model on this machine."""
        return self._added(ModelInfo(id=id, name=id.title(), provider="here", local=True), reply)

    def there(self, name: str, reply: Reply = lambda request: "from afar", *, host: str = "away") -> Talker:
        """A model behind an endpoint that is not on this machine."""
        id = f"https://{host}.example/v1#{name}"
        return self._added(ModelInfo(id=id, name=name, provider=host.title(), local=False), reply)

    def behind(self, base_url: str, name: str) -> str:
        """A model behind a real endpoint on loopback; its id."""
        info = ModelInfo(id=f"{base_url}#{name}", name=name, provider="Loopback", local=False)
        self.models[info.id] = RemoteModel(info, base_url, "key")
        return info.id

    def _added(self, info: ModelInfo, reply: Reply) -> Talker:
        self.models[info.id] = talker = Talker(info, self.room, reply)
        return talker

    def made(self, ids: Sequence[str] | None = None, prompts: Sequence[Prompt] = QUESTIONS, **fields: Any) -> Batch:
        askings = [Asking(model_id=id) for id in (ids or self.models)]
        return self.batches.create(ANA, self.batches.spec(ANA, askings, prompts, **fields))

    def run(self, batch: Batch) -> Batch:
        """To its end."""
        self.batches.start(ANA, batch.id)
        return self.ended(batch)

    def ended(self, batch: Batch) -> Batch:
        assert self.batches.wait(batch.id, PATIENCE_S)
        return self.batches.get(ANA, batch.id)

    def cells(self, batch: Batch) -> list[Cell]:
        return list(self.batches.cells(ANA, batch.id))

    def cell(self, batch: Batch, *place: int) -> Cell:
        return self.kept.cell(ANA, batch.id, Place(*place))

    def states(self, batch: Batch) -> list[str]:
        return [cell.status for cell in self.cells(batch)]

    def until_written(self, batch: Batch, *place: int) -> None:
        """The first word of this cell is kept."""
        until(lambda: self.cell(batch, *place).answer)

    def close(self) -> None:
        for model in self.models.values():
            if isinstance(model, Talker):
                model.gate.set()
        self.batches.close()
        self.answers.close()
        self.db.close()


def raising(error: WorkbenchError) -> Reply:
    """Nothing but this error."""

    def reply(request: ChatRequest) -> str:
        raise error

    return reply
