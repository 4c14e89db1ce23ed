"""An answer in progress: one run of a model, kept as it comes, followed by any number of readers.

An answer is a job of its own, in its own thread: whoever asked may go away and come back. It ends with `Finished`, or
with an error of core.errors; nothing ends in silence. One that nobody follows is stopped and kept as cut. Knows nothing
of pages, and of the store only the `Keeper` it is given. Everything public is safe from any thread.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Literal

from core import metrics
from core.audience import Audience
from core.errors import AnswerBroken, WorkbenchError
from core.events import (
    Event,
    Finished,
    FinishReason,
    Idle,
    Loading,
    Prefill,
    Queued,
    Reasoning,
    Routed,
    Text,
    ToolCall,
    Trimmed,
    Usage,
)
from core.growth import Growth
from core.keeping import Keeper, Keeping
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo
from core.thinking import Thinking

State = Literal["waiting", "loading", "queued", "prefill", "answering", "done", "failed"]

_STATES: dict[type, State] = {
    Routed: "waiting",
    Loading: "loading",
    Queued: "queued",
    Prefill: "prefill",
    Text: "answering",
    Reasoning: "answering",
}

ITS_TURN = Queued(0)

RETRY_S, LONGEST_RETRY_S = 1.0, 30.0
"""Seconds until what could not be kept is tried again: the first time, and at most; doubled each time between."""

_log = logging.getLogger(__name__)


class Answer:
    """One answer, growing. `id` cannot be guessed: whoever knows it may read the answer and stop it.

    `text_so_far`: what an earlier run had already given, when this one continues it.
    """

    def __init__(
        self, model: ChatModel, request: ChatRequest, *, keeper: Keeper | None, text_so_far: str, audience: Audience
    ) -> None:
        # Hexadecimal: the id becomes part of a component's key, where Streamlit gives "__" a meaning of its own.
        self.id = secrets.token_hex(16)
        self.request = request
        self.model_info: ModelInfo = model.info
        self.text_so_far = text_so_far
        self._model = model
        self._keeping = Keeping(keeper)
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._at: list[float] = []
        self._state: State = "waiting"
        self._progress: Loading | Queued | Prefill | None = None
        self._prefill: Prefill | None = None
        self._routed: Routed | None = None
        self._finished: Finished | None = None
        self._error: WorkbenchError | None = None
        self._ended_at: float | None = None
        self._stop_reason: FinishReason | None = None
        self._thinking = Thinking()
        self._growth = Growth()
        self._closing = threading.Event()
        self._audience = audience
        audience.seen()
        self._thread = threading.Thread(target=self._run, name=f"answer-{self.id[:6]}", daemon=True)
        self._thread.start()

    def since(self, position: int = 0) -> tuple[list[Event], int, bool]:
        """The events from `position` on, the position after them, and whether the answer has ended."""
        self._audience.seen()
        with self._changed:
            return self._events[position:], len(self._events), self.ended

    def follow(self, position: int = 0, timeout: float | None = None) -> Iterator[Event]:
        """The events from `position` on, as they come; the last is `Finished`, or the answer's error is raised.

        timeout: seconds without a new event after which `TimeoutError` is raised.
        """
        with self._audience.following():
            while True:
                self._await_news(position, timeout)
                events, position, ended = self.since(position)
                yield from events
                if ended and self._error is not None:
                    raise self._error
                if ended:
                    return

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until the answer has ended, at most `timeout` seconds; whether it has."""
        with self._audience.following(), self._changed:
            return self._changed.wait_for(lambda: self.ended, timeout)

    def stop(self, reason: FinishReason = "cancelled") -> None:
        """Asks the answer to end; it does within a tenth of a second. Nothing when it has ended."""
        self._stop_reason = self._stop_reason or reason

    def let_go(self, timeout: float) -> None:
        """What could not be kept is tried once more, and then no longer. Waits for it at most `timeout` seconds."""
        self._closing.set()
        self._thread.join(timeout)

    @property
    def text(self) -> str:
        """The whole answer so far, what it continues included."""
        events, _, _ = self._snapshot()
        return self.text_so_far + "".join(event.text for event in events if isinstance(event, Text))

    @property
    def reasoning(self) -> str:
        """The model's thinking so far."""
        events, _, _ = self._snapshot()
        return "".join(event.text for event in events if isinstance(event, Reasoning))

    @property
    def tokens(self) -> int:
        """Tokens generated so far; 0 while the model does not tell."""
        return len(self._at)

    @property
    def decode_rate(self) -> float | None:
        """Tokens a second so far, as core.metrics defines it; None until it can be known."""
        with self._changed:
            if len(self._at) < 2 or self._at[-1] <= self._at[0]:
                return None
            return (len(self._at) - 1) / (self._at[-1] - self._at[0])

    @property
    def growth(self) -> Growth:
        """How far it had come, and when: for charts that are drawn while it runs."""
        return self._growth

    @property
    def thinking_s(self) -> float | None:
        """Seconds of thinking so far; None while there was none."""
        return self._thinking.seconds

    @property
    def state(self) -> State:
        return self._state

    @property
    def progress(self) -> Loading | Queued | Prefill | None:
        """How far loading, the queue or the prompt is; None from the first text on."""
        return self._progress

    @property
    def routed(self) -> Routed | None:
        """Which model a route chose, and why; None before it has, and where no route was asked."""
        return self._routed

    @property
    def finished(self) -> Finished | None:
        """The last event; None while it runs, and when it failed."""
        return self._finished

    @property
    def error(self) -> WorkbenchError | None:
        """Why it failed."""
        return self._error

    @property
    def keeper_error(self) -> WorkbenchError | None:
        """Why what has come is not wholly kept; None when it is."""
        return self._keeping.error

    @property
    def ended(self) -> bool:
        return self._ended_at is not None

    @property
    def ended_at(self) -> float | None:
        """`time.monotonic` of the end."""
        return self._ended_at

    @property
    def unkept(self) -> bool:
        """Whether it has ended and not all of it could be kept yet: it is tried again until it is."""
        return self.ended and self._keeping.hopeful

    def _snapshot(self) -> tuple[list[Event], int, bool]:
        """As `since`, without counting as a reader."""
        with self._changed:
            return list(self._events), len(self._events), self.ended

    def _await_news(self, position: int, timeout: float | None) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self.ended or len(self._events) > position, timeout):
                raise TimeoutError

    def _run(self) -> None:
        outcome: Finished | WorkbenchError
        try:
            outcome = self._read(self._model.stream(self.request))
        except WorkbenchError as error:
            outcome = error
        except Exception as exc:
            _log.exception("An answer of %s broke", self.model_info.id)
            outcome = self._broken(f"an unexpected {type(exc).__name__}")
        if isinstance(outcome, Finished):
            outcome = self._thinking.described(outcome)
        self._keeping.end(outcome)
        self._end(outcome)
        self._keep_trying()

    def _keep_trying(self) -> None:
        pause = RETRY_S
        while self._keeping.hopeful and not self._closing.is_set():
            self._closing.wait(pause)
            pause = min(2 * pause, LONGEST_RETRY_S)
            self._keeping.retry()

    def _read(self, stream: Iterator[Event]) -> Finished:
        try:
            for event in stream:
                if isinstance(event, Finished):
                    return event
                self._take(event)
                if reason := self._why_stop():
                    return self._finished_by_us(reason)
            raise self._broken("it ended without saying why")
        finally:
            _close(stream)

    def _take(self, event: Event) -> None:
        if isinstance(event, Text | Reasoning):
            self._keeping.add(event.text, reasoning=isinstance(event, Reasoning))
        if isinstance(event, Routed | Trimmed | ToolCall):
            self._keeping.note(event)
        self._thinking.take(event)
        self._growth.take(event)
        self._keeping.flush()
        if isinstance(event, Idle):
            return
        with self._changed:
            self._events.append(event)
            self._state = _STATES.get(type(event), self._state) if event != ITS_TURN else "waiting"
            if isinstance(event, Routed):
                self._routed, self._progress, self._prefill = event, None, None
            if isinstance(event, Loading | Queued | Prefill):
                self._progress = event if event != ITS_TURN else None
            if isinstance(event, Prefill):
                self._prefill = event
            if isinstance(event, Text | Reasoning):
                self._progress = None
                self._at.extend(token.at for token in event.tokens)
            self._changed.notify_all()

    def _why_stop(self) -> FinishReason | None:
        return self._stop_reason or ("cut" if self._audience.gone else None)

    def _finished_by_us(self, reason: FinishReason) -> Finished:
        """The end of an answer that the model had no time to count."""
        new_text = self.text[len(self.text_so_far) :] + self.reasoning
        prefill = self._prefill
        usage = Usage(
            prompt_tokens=prefill.total if prefill else _estimated_prompt(self.request),
            generated_tokens=self.tokens or metrics.estimated_tokens(len(new_text)),
            cached_tokens=prefill.cached if prefill else 0,
            estimated=prefill is None or (not self.tokens and bool(new_text)),
            by_origin=prefill.by_origin if prefill else {},
            context_length=(prefill and prefill.context_length) or self.model_info.context_length,
        )
        return Finished(reason, usage, metrics.timings(self._at))

    def _broken(self, detail: str) -> AnswerBroken:
        return AnswerBroken(model=self.model_info.name, detail=detail)

    def _end(self, outcome: Finished | WorkbenchError) -> None:
        with self._changed:
            if isinstance(outcome, Finished):
                self._finished, self._state = outcome, "done"
                self._events.append(outcome)
            else:
                self._error, self._state = outcome, "failed"
            self._progress = None
            self._ended_at = time.monotonic()
            self._changed.notify_all()


class Answers:
    """All answers in progress, and for a while those that have ended.

    abandon_after_s: seconds without a reader after which an answer is stopped and kept as cut.
    forget_after_s: seconds after its end for which an answer can be got; let go at the next `start` or `get`.
    """

    def __init__(self, *, abandon_after_s: float = 60.0, forget_after_s: float = 300.0) -> None:
        self._abandon_after_s = abandon_after_s
        self._forget_after_s = forget_after_s
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}

    def start(
        self,
        model: ChatModel,
        request: ChatRequest,
        *,
        keeper: Keeper | None = None,
        text_so_far: str = "",
        audience: Audience | None = None,
    ) -> Answer:
        """Asks the model; returns at once. Whatever goes wrong is the answer's `error`.

        text_so_far: what the answer that is continued already says; the keeper has it, and is told only the rest.
        audience: the one that it shares with others; None gives it its own.
        """
        audience = audience or self.audience()
        answer = Answer(model, request, keeper=keeper, text_so_far=text_so_far, audience=audience)
        with self._lock:
            self._forget()
            self._answers[answer.id] = answer
        return answer

    def audience(self) -> Audience:
        """For answers that are looked at together: none of them is left alone while another is followed."""
        return Audience(self._abandon_after_s)

    def get(self, answer_id: str) -> Answer | None:
        """The answer by that id; None when there is none, or it ended too long ago."""
        with self._lock:
            self._forget()
            return self._answers.get(answer_id)

    @property
    def busy(self) -> bool:
        """Whether any answer is still coming."""
        with self._lock:
            return any(not answer.ended for answer in self._answers.values())

    def close(self, timeout: float = 5.0) -> None:
        """Stops all answers, keeps them as cut, and waits for them at most `timeout` seconds in all."""
        with self._lock:
            answers = list(self._answers.values())
        for answer in answers:
            answer.stop("cut")
        deadline = time.monotonic() + timeout
        for answer in answers:
            answer.wait(max(deadline - time.monotonic(), 0.0))
            answer.let_go(max(deadline - time.monotonic(), 0.0))

    def _forget(self) -> None:
        now = time.monotonic()
        self._answers = {
            answer_id: answer
            for answer_id, answer in self._answers.items()
            if answer.ended_at is None or answer.unkept or now - answer.ended_at <= self._forget_after_s
        }


def _close(stream: Iterator[Event]) -> None:
    """Stops the generation. What goes wrong then no longer changes the answer, so it is only logged."""
    close = getattr(stream, "close", None)
    try:
        if close is not None:
            close()
    except Exception:
        _log.exception("A model's stream could not be closed")


def _estimated_prompt(request: ChatRequest) -> int:
    if isinstance(request.prompt, tuple):
        return len(request.prompt)
    return metrics.estimated_tokens(len(request.prompt or "".join(message.content for message in request.messages)))
