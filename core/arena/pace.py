"""Two answers shown so that their speed, or what they waited for, does not give away who writes.

What a reader follows is never the answer itself but a showing of its words: models without a name, whose events hold
no tokens, no thinking, no loading and no figures. Knows answers; no store and no page.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from core.answers import Answer
from core.events import Event, Finished, Idle, Text, Usage
from core.messages import ChatRequest
from core.models.base import ChatModel, ModelInfo
from core.models.replay import IDLE_S, Replay

WORDS_PER_S = 12.0
"""About three times as fast as people read: a small model's speed on a laptop."""

LONGEST_S = 20.0
"""Longer answers are shown so fast that they take no longer than this."""

SOMEBODY = ModelInfo(id="somebody", name="?", provider="?", local=True)
"""Who answers, as far as a showing says."""

_END = Finished("stop", Usage(prompt_tokens=0, generated_tokens=0))


def even(texts: Sequence[str]) -> tuple[ChatModel, ...]:
    """A showing of each text, all at one pace: so many words a second, whatever the tokens were."""
    words = [pieces(text) for text in texts]
    pace = rate(map(len, words))
    return tuple(Replay(SOMEBODY, [*map(Text, one), _END], pace=pace) for one in words)


def rate(words: Iterable[int]) -> float:
    """Words a second for answers of so many words: the usual pace, unless the longest would take too long."""
    return max(WORDS_PER_S, max(words, default=0) / LONGEST_S)


def as_written(answers: Sequence[Answer]) -> tuple[ChatModel, ...]:
    """A showing of each answer at the speed at which it is written, all from one moment on: when each has begun.

    Until then nothing is shown, so that neither loading nor a place in the queue tells them apart. One that began
    earlier is shown from its first word on, at its own speed. Stopping the showing stops the answer.
    """

    def begun() -> bool:
        return all(answer.ended or answer.text for answer in answers)

    return tuple(_AsWritten(answer, begun) for answer in answers)


def pieces(text: str) -> list[str]:
    """The words, each with the space before it; together they are the text."""
    return re.findall(r"\s*\S+|\s+$", text)


class _AsWritten:
    def __init__(self, answer: Answer, begun: Callable[[], bool]) -> None:
        self._answer = answer
        self._begun = begun

    @property
    def info(self) -> ModelInfo:
        return SOMEBODY

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """Its words; `request` is not looked at."""
        try:
            yield from self._words()
            yield _END
        finally:
            self._answer.stop("cancelled")

    def close(self) -> None:
        """Nothing is held."""

    def _words(self) -> Iterator[Event]:
        while not self._begun():
            self._answer.since()
            yield from _idle(IDLE_S)
        started, first_at = time.perf_counter(), None
        position, ended = 0, False
        while not ended:
            events, position, ended = self._answer.since(position)
            for event in events:
                if not isinstance(event, Text) or not event.text:
                    continue
                if event.tokens:
                    at = event.tokens[-1].at
                    first_at = at if first_at is None else first_at
                    yield from _idle(started + at - first_at - time.perf_counter())
                yield Text(event.text)
            if not ended:
                yield from _idle(IDLE_S)


def _idle(seconds: float) -> Iterator[Idle]:
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        time.sleep(min(left, IDLE_S))
        yield Idle()
