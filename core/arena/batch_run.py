"""Batches in the background: begun, paused, taken up again, judged. Each has a thread while it runs; none needs a page.

All that comes is kept as it comes. After a restart no batch runs by itself: going on may cost money, and is asked for.
Every method that takes an owner raises `NotThere` for another owner's batch. Thread-safe; knows no page.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from core.answers import Answers
from core.arena import batch, judge
from core.arena.batch import Batch, Cell, Entrant, Place, Progress, Spec, Summary, Timing
from core.arena.batch_jobs import CellJob, JudgeJob
from core.arena.judge import ORDERS, Pair, Verdict
from core.arena.labels import labels, ranked
from core.arena.many import Halt, Many
from core.arena.prompts import Prompt
from core.arena.votes import Vote
from core.chat import Asking
from core.errors import BatchEmpty, NotThere, WorkbenchError
from core.models.base import ChatModel, ModelInfo
from core.models.in_turn import Turns
from core.models.unavailable import Resolve, standing_in
from core.store.batches import KeptBatches
from core.store.records import title_of
from core.store.tally import Tally

Describe = Callable[[str], Callable[[str | None], ModelInfo]]
"""Gives for an owner what is known of a model by its id."""

STOP_LIMIT_S = 5.0
"""Answers that are stopped have that long to be kept."""

_log = logging.getLogger(__name__)


@dataclass
class _Work:
    """A batch that runs. `again`: what there is to do is to be looked for, or once more."""

    batch: Batch
    halt: Halt
    many: Many
    again: bool = True
    ended: threading.Event = field(default_factory=threading.Event)
    """Waited for in place of the thread: in Python 3.11, Ctrl-C in a `join` makes a running thread look ended."""


class Batches:
    """The batches of all owners. `model` and `describe` give an owner a model, and what is known of it, or raise."""

    def __init__(
        self, kept: KeptBatches, answers: Answers, turns: Turns, model: Resolve, describe: Describe, tally: Tally
    ) -> None:
        self._kept = kept
        self._answers = answers
        self._turns = turns
        self._model = standing_in(model)
        self._describe = describe
        self._tally = tally
        self._lock = threading.Lock()
        self._works: dict[str, _Work] = {}

    def spec(
        self,
        owner: str,
        askings: Sequence[Asking],
        prompts: Sequence[Prompt],
        *,
        repeats: int = 1,
        timing: Timing = "together",
        seed: int | None = None,
        at_once: int = batch.AT_ONCE,
    ) -> Spec:
        """What such a batch would be.

        Raises `BatchEmpty`, `BatchTooLarge`, or what tells that a model is not there, as `ModelNotFound`.
        """
        infos = [self._describe(owner)(asking.model_id) for asking in askings]
        named = zip(askings, infos, labels(askings, infos), strict=True)
        models = tuple(Entrant(asking=asking, info=info, label=label) for asking, info, label in named)
        spec = Spec(models=models, prompts=tuple(prompts), repeats=repeats, timing=timing, seed=seed, at_once=at_once)
        return batch.checked(spec)

    def create(self, owner: str, spec: Spec, *, name: str = "") -> Batch:
        """Keeps a batch; nothing is asked before it is started. Without a name it has its first prompt's words.

        Raises `BatchEmpty` or `BatchTooLarge`.
        """
        spec = batch.checked(spec)
        return self._kept.create(owner, name.strip() or title_of(spec.prompts[0].text), spec)

    def get(self, owner: str, id: str) -> Batch:
        """The batch by this id."""
        return self._kept.get(owner, id)

    def list(self, owner: str) -> Sequence[Summary]:
        """Newest first."""
        return self._kept.list(owner)

    def cells(self, owner: str, id: str) -> Sequence[Cell]:
        """All of its answers, those to come too, in the order in which they are asked."""
        return self._kept.cells(owner, id)

    def rename(self, owner: str, id: str, name: str) -> None:
        """Gives it another name, where that is one."""
        if name.strip():
            self._kept.rename(owner, id, name.strip())

    def start(self, owner: str, id: str) -> None:
        """Asks what has not been answered, and the judge where there is one; goes on with what was paused. At once.

        What ran in another process, or was running when the server ended, is asked anew.
        """
        found = self._kept.get(owner, id)
        with self._lock:
            if id in self._works:
                self._works[id].again = True
                self._works[id].halt.ask("no")
                return
            self._kept.free(id)
            self._kept.set_state(id, "running")
            halt = Halt()
            many = Many(self._answers, self._turns, halt, at_once=found.spec.at_once)
            work = self._works[id] = _Work(found, halt, many)
            threading.Thread(target=self._run, args=(work,), name=f"batch-{id[:6]}", daemon=True).start()

    def pause(self, owner: str, id: str) -> None:
        """Asks nothing more; the answers that are being written are finished first. Returns at once."""
        self._halt(owner, id, "pause")

    def cancel(self, owner: str, id: str) -> None:
        """Stops at once. What was being written is kept, and asked anew if the batch goes on."""
        work = self._halt(owner, id, "stop")
        if work is not None:
            work.ended.wait(STOP_LIMIT_S)

    def retry(self, owner: str, id: str, place: Place | None = None) -> None:
        """Asks a cell again, or None: all that failed."""
        if self._kept.retry(owner, id, place):
            self.start(owner, id)

    def delete(self, owner: str, id: str) -> None:
        """Stops it and forgets it, with its answers and verdicts."""
        self.cancel(owner, id)
        self._kept.delete(owner, id)

    def running(self, id: str) -> bool:
        """Whether this process is asking its questions."""
        with self._lock:
            return id in self._works

    def halting(self, id: str) -> bool:
        """Whether it will be paused when the answers that are being written are there."""
        with self._lock:
            return id in self._works and self._works[id].halt.asked != "no"

    def resting_s(self, id: str) -> float:
        """Seconds until an endpoint that takes no more for now is asked again; 0 where none is waited for."""
        with self._lock:
            return self._works[id].many.resting_s if id in self._works else 0.0

    def wait(self, id: str, timeout: float | None = None) -> bool:
        """Blocks until it runs no more, at most so many seconds; whether it has ended."""
        with self._lock:
            work = self._works.get(id)
        return work is None or work.ended.wait(timeout)

    def progress(self, owner: str, id: str) -> Progress:
        """How far it is; the time left by the answers that it has, and those that the models gave before."""
        found = self._kept.get(owner, id)
        counts = self._kept.counts(owner, id)
        measured = {one.model for one in counts if one.seconds is not None}
        usual = self._usual(owner, found.spec) if len(measured) < len(found.spec.models) else {}
        told = batch.progress(found.spec, counts, usual)
        if found.spec.judge is None:
            return told
        verdicts, pairs = self._kept.verdicts(owner, id), judge.pairs(self._kept.answered(id))
        judged = sum(pair in verdicts and verdicts[pair].complete for pair in pairs)
        return msgspec.structs.replace(told, judged=judged, to_judge=len(pairs))

    def seconds_for(self, owner: str, spec: Spec) -> float | None:
        """How long it would take by what the models took here before; None where one has not been asked yet."""
        each = len(spec.prompts) * spec.repeats
        return batch.seconds_for(spec, dict.fromkeys(range(len(spec.models)), each), self._usual(owner, spec))

    def judge(self, owner: str, id: str, asking: Asking) -> None:
        """Has a model compare the answers by twos, those that come later too. Another judge begins anew.

        Raises `BatchEmpty` where there is but one model, or what tells of the judge (`ModelNotFound`).
        """
        found = self._kept.get(owner, id)
        if len(found.spec.models) < 2:
            raise BatchEmpty()
        info = self._describe(owner)(asking.model_id)
        entrant = Entrant(asking=asking, info=info, label=ranked(asking, info))
        if entrant != found.spec.judge:
            self._kept.set_spec(owner, id, msgspec.structs.replace(found.spec, judge=entrant))
            self._kept.forget_verdicts(owner, id)
        self.start(owner, id)

    def verdicts(self, owner: str, id: str) -> dict[Pair, Verdict]:
        """What the judge has said so far."""
        return self._kept.verdicts(owner, id)

    def votes(self, owner: str, id: str) -> Sequence[Vote]:
        """The complete verdicts as votes, each always under the same id."""
        found = self._kept.get(owner, id)
        cells = {cell.place: cell for cell in self._kept.cells(owner, id)}
        now = time.time()
        made = []
        for pair, verdict in sorted(self._kept.verdicts(owner, id).items()):
            a, b = (cells[Place(model, pair.prompt, pair.repeat)] for model in (pair.a, pair.b))
            vote = judge.vote(found, pair, verdict, a, b, at=max(a.at or now, b.at or now))
            made += [vote] if vote is not None else []
        return made

    def recover(self) -> None:
        """After a start of the server: what was running is paused, and what had come of it is there."""
        self._kept.recover()

    def close(self) -> None:
        """Stops all, and waits for them."""
        with self._lock:
            works = list(self._works.values())
        for work in works:
            work.halt.ask("stop")
        deadline = time.monotonic() + STOP_LIMIT_S
        for work in works:
            work.ended.wait(max(deadline - time.monotonic(), 0.0))

    def _halt(self, owner: str, id: str, how: str) -> _Work | None:
        self._kept.get(owner, id)
        with self._lock:
            work = self._works.get(id)
            if work is not None:
                work.again = False
                work.halt.ask("stop" if how == "stop" else "pause")
        return work

    def _usual(self, owner: str, spec: Spec) -> dict[int, float]:
        """Seconds an answer of each model took: in batches, else in conversations."""
        known: dict[str, list[float]] = {}
        for one in self._tally.speeds(owner):
            if one.ttft_s is not None and one.decode_rate and one.generated_tokens is not None:
                known.setdefault(one.model_id, []).append(one.ttft_s + one.generated_tokens / one.decode_rate)
        mean = {id: sum(each) / len(each) for id, each in known.items()} | self._kept.seconds(owner)
        return {number: mean[one.info.id] for number, one in enumerate(spec.models) if one.info.id in mean}

    def _run(self, work: _Work) -> None:
        try:
            while not self._ended(work):
                self._ask(work)
        except NotThere:
            pass  # it was deleted
        except WorkbenchError:
            _log.warning("A batch has stopped", exc_info=True)
        finally:
            with self._lock:
                if self._works.get(work.batch.id) is work:
                    del self._works[work.batch.id]
            work.ended.set()

    def _ask(self, work: _Work) -> None:
        """One pass: the cells that wait, then the pairs without a verdict."""
        owner, id = work.batch.owner, work.batch.id
        work.again = False
        found = self._kept.get(owner, id)
        work.many.run(CellJob(self._kept, found, place, self._open(owner)) for place in self._kept.waiting(id))
        found = self._kept.get(owner, id)
        if found.spec.judge is not None and work.halt.asked == "no":
            work.many.run(self._to_judge(found, found.spec.judge))

    def _to_judge(self, found: Batch, entrant: Entrant) -> Sequence[JudgeJob]:
        said = self._kept.verdicts(found.owner, found.id)
        return [
            JudgeJob(self._kept, found, entrant, pair, order, self._open(found.owner))
            for pair in judge.pairs(self._kept.answered(found.id))
            for order in ORDERS
            if not _has_said(said.get(pair), order)
        ]

    def _ended(self, work: _Work) -> bool:
        """Whether there is nothing to do now; then it is kept so, and a start from here on begins anew."""
        id = work.batch.id
        with self._lock:
            waits = bool(self._kept.waiting(id))
            if work.again or (waits and work.halt.asked == "no"):
                return False
            self._kept.set_state(id, "paused" if waits or work.halt.asked != "no" else "done")
            del self._works[id]
            return True

    def _open(self, owner: str) -> Callable[[Entrant], ChatModel]:
        def open(entrant: Entrant) -> ChatModel:
            return self._model(owner, entrant.asking.model_id, entrant.asking.settings)

        return open


def _has_said(verdict: Verdict | None, order: str) -> bool:
    said = getattr(verdict, order) if verdict is not None else None
    return said is not None and said.winner is not None
