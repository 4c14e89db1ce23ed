"""The questions of a batch as jobs of core/arena/many.py: a cell, and a pair of cells for the judge in one order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from core.answers import Answer
from core.arena import batch, checks, judge
from core.arena.batch import Batch, Cell, Entrant, Place, Status
from core.arena.judge import Order, Pair, Said
from core.errors import VerdictUnclear, WorkbenchError
from core.events import Finished
from core.messages import ChatRequest
from core.models.base import ChatModel
from core.store.batches import KeptBatches

Open = Callable[[Entrant], ChatModel]
"""Gives a batch's owner a model; one that cannot be had answers with the reason."""


@dataclass(frozen=True, eq=False)
class CellJob:
    """One cell."""

    kept: KeptBatches
    batch: Batch
    place: Place
    open: Open

    @property
    def entrant(self) -> Entrant:
        return self.batch.spec.models[self.place.model]

    @property
    def alone(self) -> bool:
        return self.entrant.alone or self.batch.spec.timing == "alone"

    @property
    def lane(self) -> str:
        return self.entrant.endpoint

    @property
    def group(self) -> int:
        return self.place.model

    @property
    def request(self) -> ChatRequest:
        return batch.request(self.batch.spec, self.place)

    def model(self) -> ChatModel:
        return self.open(self.entrant)

    def begin(self) -> bool:
        return self.kept.begin(self.batch.id, self.place)

    def append(self, text: str, *, reasoning: bool) -> None:
        self.kept.append(self.batch.id, self.place, text, reasoning=reasoning)

    def done(self, answer: Answer) -> None:
        wanted = self.batch.spec.prompts[self.place.prompt].checks
        found = tuple(checks.run(check, answer.text) for check in wanted)
        cell = self._cell(answer, "done")
        finished = answer.finished and _without_moments(answer.finished)
        self._finish(msgspec.structs.replace(cell, finished=finished, checks=found))

    def failed(self, answer: Answer, error: WorkbenchError) -> None:
        self._finish(msgspec.structs.replace(self._cell(answer, "failed"), error=error.to_dict()))

    def put_back(self, answer: Answer) -> None:
        self._finish(self._cell(answer, "waiting"))

    def give_up(self, error: WorkbenchError) -> None:
        self.kept.fail_waiting(self.batch.id, self.place.model, error)

    def _cell(self, answer: Answer, status: Status) -> Cell:
        return Cell(
            place=self.place,
            status=status,
            answer=answer.text,
            reasoning=answer.reasoning,
            routed=answer.routed,
        )

    def _finish(self, cell: Cell) -> None:
        self.kept.finish(self.batch.id, cell)


@dataclass(frozen=True, eq=False)
class JudgeJob:
    """One pair, shown to the judge in one order."""

    kept: KeptBatches
    batch: Batch
    judge: Entrant
    pair: Pair
    order: Order
    open: Open

    @property
    def alone(self) -> bool:
        return self.judge.alone or self.batch.spec.timing == "alone"

    @property
    def lane(self) -> str:
        return self.judge.endpoint

    @property
    def group(self) -> str:
        return "judge"

    @property
    def request(self) -> ChatRequest:
        shown = (self.pair.a, self.pair.b) if self.order == "first" else (self.pair.b, self.pair.a)
        first, second = (self._cell(model).answer for model in shown)
        return judge.request(self.judge, self.batch.spec.prompts[self.pair.prompt], first, second)

    def model(self) -> ChatModel:
        return self.open(self.judge)

    def begin(self) -> bool:
        """Only where both answers are still those that are to be compared."""
        return all(self._cell(model).status == "done" for model in (self.pair.a, self.pair.b))

    def append(self, text: str, *, reasoning: bool) -> None:
        """What it says is kept when all of it is there."""

    def done(self, answer: Answer) -> None:
        try:
            self._say(judge.read(answer.text, self.order))
        except VerdictUnclear as error:
            self._say(Said(winner=None, error=error.to_dict()))

    def failed(self, answer: Answer, error: WorkbenchError) -> None:
        self._say(Said(winner=None, error=error.to_dict()))

    def put_back(self, answer: Answer) -> None:
        """Nothing is kept of it."""

    def give_up(self, error: WorkbenchError) -> None:
        """The pairs that are left have no verdict, and are asked with the next start."""

    def _say(self, said: Said) -> None:
        self.kept.say(self.batch.id, self.pair, self.order, said)

    def _cell(self, model: int) -> Cell:
        place = Place(model, self.pair.prompt, self.pair.repeat)
        return self.kept.cell(self.batch.owner, self.batch.id, place)


def _without_moments(finished: Finished) -> Finished:
    """Without the moment of each token: a table of thousands of answers has no use for them."""
    return msgspec.structs.replace(finished, timings=msgspec.structs.replace(finished.timings, at=()))
