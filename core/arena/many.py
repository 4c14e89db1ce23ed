"""Many questions asked in the background: on this machine one after another, elsewhere several at once.

Whatever is asked stands in the line of `Turns`: alone, or, where models elsewhere are asked, all in one place of it,
which is given up when somebody waits behind. An endpoint that takes no more for now is waited for. Knows no store: a
`Job` keeps what becomes of it. One thread runs it; `Halt` may be used from any.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.answers import Answer, Answers
from core.errors import NotThere, RateLimited, RequestError, StoreUnavailable, WorkbenchError
from core.events import Finished, Routed, ToolCall, Trimmed
from core.keeping import Status
from core.messages import ChatRequest
from core.models.base import ChatModel
from core.models.in_turn import InTurn, Ticket, Turns

PACE_S = 0.1
"""Longest pause between two looks at the answers that are coming."""

MOST_TRIES = 5
LONGEST_WAIT_S = 120.0
"""An endpoint that takes no more for longer than that is not waited for."""

FIRST_WAIT_S = 2.0
"""Where the endpoint does not say how long; doubled with each try."""

GIVE_UP_AFTER = 5
"""Failures of one group without an answer between: the rest of it would only fail more slowly."""

_log = logging.getLogger(__name__)


class Job(Protocol):
    """One question, and where its answer is kept. What raises `StoreUnavailable` at its end is called again."""

    @property
    def alone(self) -> bool:
        """Whether nothing else that is timed may run beside it."""

    @property
    def lane(self) -> str:
        """What it is asked of: jobs of one lane are limited together."""

    @property
    def group(self) -> Hashable:
        """Whose failures are counted together."""

    @property
    def request(self) -> ChatRequest: ...

    def model(self) -> ChatModel: ...

    def begin(self) -> bool:
        """Takes it. False: it is not to be asked any more."""

    def append(self, text: str, *, reasoning: bool) -> None: ...

    def done(self, answer: Answer) -> None: ...

    def failed(self, answer: Answer, error: WorkbenchError) -> None: ...

    def put_back(self, answer: Answer) -> None:
        """It is to be asked again, now or later."""

    def give_up(self, error: WorkbenchError) -> None:
        """Nothing more of its group is asked."""


class Halt:
    """Asks a run to end: `pause` when the answers that are being written are there, `stop` at once."""

    def __init__(self) -> None:
        self.asked: Literal["no", "pause", "stop"] = "no"
        self.news = threading.Event()

    def ask(self, how: Literal["no", "pause", "stop"]) -> None:
        """With "no", a run that was to end goes on."""
        self.asked = how
        self.news.set()


class Many:
    """One run. at_once: answers that a lane is asked for at the same time."""

    def __init__(self, answers: Answers, turns: Turns, halt: Halt, *, at_once: int) -> None:
        self._answers = answers
        self._turns = turns
        self._halt = halt
        self._at_once = at_once
        self._audience = answers.audience()
        self._ticket: Ticket | None = None
        self._failures: Counter[Hashable] = Counter()
        self._resting_until = 0.0

    @property
    def resting_s(self) -> float:
        """Seconds until an endpoint that takes no more for now is asked again; 0 where none is waited for."""
        return max(self._resting_until - time.monotonic(), 0.0)

    def run(self, jobs: Iterable[Job]) -> None:
        """Until all have ended, or it is halted: those of models elsewhere first, since they are the quicker to come.

        Raises `StoreUnavailable` when a job cannot be begun.
        """
        jobs = list(jobs)
        elsewhere: dict[str, deque[Job]] = {}
        for job in jobs:
            if not job.alone:
                elsewhere.setdefault(job.lane, deque()).append(job)
        with self._audience.following():
            self._work([_Lane(waiting, self._at_once) for waiting in elsewhere.values()])
            self._work([_Lane(deque(job for job in jobs if job.alone), 1)])

    def _work(self, lanes: Sequence[_Lane]) -> None:
        try:
            while any(lane.running or (lane.waiting and self._halt.asked == "no") for lane in lanes):
                self._begin(lanes)
                self._halt.news.wait(PACE_S)
                self._halt.news.clear()
                for lane in lanes:
                    self._look_at(lane)
        finally:
            for one in (one for lane in lanes for one in lane.running):
                one.answer.stop("cut")
            self._leave_line()

    def _begin(self, lanes: Sequence[_Lane]) -> None:
        if self._halt.asked != "no":
            return
        if self._ticket is not None and self._turns.waited_for and self._ticket.position == 0:
            # Those that are running keep the place until they have ended; none is added to them.
            self._leave_line()
        giving_way = self._ticket is None and any(lane.running and not lane.alone for lane in lanes)
        for lane in lanes:
            while lane.free and not giving_way:
                self._ask(lane, lane.waiting.popleft())

    def _ask(self, lane: _Lane, job: Job) -> None:
        try:
            if not job.begin():
                return
        except NotThere:
            return
        if job.alone:
            model = InTurn(job.model(), self._turns)
        else:
            self._ticket = self._ticket or self._turns.take()
            model = InTurn(job.model(), self._turns, beside=self._ticket)
        keeper = _Keeper(job, self._halt.news)
        answer = self._answers.start(model, job.request, keeper=keeper, audience=self._audience)
        lane.running.append(_Running(job, answer))

    def _leave_line(self) -> None:
        if self._ticket is not None:
            self._ticket.release()
            self._ticket = None

    def _look_at(self, lane: _Lane) -> None:
        for one in list(lane.running):
            begun = bool(one.answer.tokens or one.answer.text or one.answer.reasoning)
            if self._halt.asked == "stop" or (self._halt.asked == "pause" and not begun):
                one.answer.stop()
            if one.answer.ended and self._settled(lane, one):
                lane.running.remove(one)

    def _settled(self, lane: _Lane, one: _Running) -> bool:
        """Whether what became of it could be kept."""
        try:
            self._settle(lane, one)
        except NotThere:
            pass  # it was deleted meanwhile
        except StoreUnavailable:
            if self._halt.asked == "stop":
                raise
            _log.warning("An answer of a batch cannot be kept yet", exc_info=True)
            return False
        return True

    def _settle(self, lane: _Lane, one: _Running) -> None:
        job, answer, error = one.job, one.answer, one.answer.error
        if error is None:
            if answer.finished is None or answer.finished.reason in ("cancelled", "cut"):
                job.put_back(answer)
                return
            job.done(answer)
            self._failures[job.group] = 0
            return
        pause_s = _wait_for(error, lane.tries[id(job)])
        if pause_s is not None:
            job.put_back(answer)
            lane.rest(job, pause_s)
            self._resting_until = max(self._resting_until, lane.resting_until)
            return
        job.failed(answer, error)
        if not isinstance(error, RequestError):
            self._count_failure(lane, job, error)

    def _count_failure(self, lane: _Lane, job: Job, error: WorkbenchError) -> None:
        self._failures[job.group] += 1
        if self._failures[job.group] >= GIVE_UP_AFTER:
            job.give_up(error)
            lane.waiting = deque(other for other in lane.waiting if other.group != job.group)


@dataclass
class _Running:
    job: Job
    answer: Answer


@dataclass
class _Lane:
    """Jobs that are limited together: those that wait, those that are being answered, `most` at a time."""

    waiting: deque[Job]
    most: int
    running: list[_Running] = field(default_factory=list)
    tries: Counter[int] = field(default_factory=Counter)
    resting_until: float = 0.0

    @property
    def alone(self) -> bool:
        return any(one.job.alone for one in self.running)

    @property
    def free(self) -> bool:
        """Whether the next one may begin."""
        return bool(self.waiting) and len(self.running) < self.most and time.monotonic() >= self.resting_until

    def rest(self, job: Job, seconds: float) -> None:
        """Asks this one again, and none before so many seconds have passed."""
        self.tries[id(job)] += 1
        self.waiting.appendleft(job)
        self.resting_until = max(self.resting_until, time.monotonic() + seconds)


def _wait_for(error: WorkbenchError, tries: int) -> float | None:
    """Seconds after which it is tried again; None where it is not."""
    if not isinstance(error, RateLimited) or tries >= MOST_TRIES:
        return None
    said = error.values.get("seconds")
    wait_s = float(said) if isinstance(said, int | float) else FIRST_WAIT_S * 2**tries
    return wait_s if wait_s <= LONGEST_WAIT_S else None


class _Keeper:
    """Keeps the text as it comes; the end is the run's to keep, which may ask again instead."""

    def __init__(self, job: Job, news: threading.Event) -> None:
        self._job = job
        self._news = news

    def append(self, text: str, *, reasoning: bool = False) -> None:
        self._job.append(text, reasoning=reasoning)

    def set_routed(self, routed: Routed) -> None: ...

    def set_trimmed(self, trimmed: Trimmed) -> None: ...

    def add_tool_call(self, call: ToolCall) -> None: ...

    def finish(self, finished: Finished, *, status: Status) -> None:
        self._news.set()

    def fail(self, error: WorkbenchError) -> None:
        self._news.set()
