"""Small words for answers in progress in a test: recorded tokens, a keeper in memory, a model of any stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from core.answers import Answer
from core.errors import WorkbenchError
from core.events import (
    Event,
    Finished,
    Routed,
    Text,
    Token,
    ToolCall,
    Trimmed,
    Usage,
)
from core.messages import ChatRequest, Message
from core.models.base import ModelInfo

INFO = ModelInfo(id="replay", name="Replay", provider="replay", local=True, context_length=100)
ASK = ChatRequest(messages=(Message("user", "Count, please."),))
END = Finished("stop", Usage(prompt_tokens=4, generated_tokens=3))
NEVER = 3600.0


def word(number: int, at: float = 0.0) -> Text:
    return Text(f"w{number} ", (Token(id=number, text=f"w{number} ", at=at),))


def words(count: int, every: float) -> tuple[Text, ...]:
    return tuple(word(number, at=number * every) for number in range(count))


class Notebook:
    """A keeper in memory that can be made to fail."""

    def __init__(self) -> None:
        self.broken: Exception | None = None
        self.pieces: list[tuple[str, bool]] = []
        self.end: object = None
        self.trimmed: Trimmed | None = None
        self.routed: Routed | None = None
        self.calls: list[ToolCall] = []

    def append(self, text: str, *, reasoning: bool = False) -> None:
        self._may_fail()
        self.pieces.append((text, reasoning))

    def set_routed(self, routed: Routed) -> None:
        self._may_fail()
        self.routed = routed

    def set_trimmed(self, trimmed: Trimmed) -> None:
        self._may_fail()
        self.trimmed = trimmed

    def add_tool_call(self, call: ToolCall) -> None:
        self._may_fail()
        self.calls.append(call)

    def finish(self, finished: Finished, *, status: str) -> None:
        self._may_fail()
        self.end = (finished, status)

    def fail(self, error: WorkbenchError) -> None:
        self._may_fail()
        self.end = error

    def text(self, *, reasoning: bool = False) -> str:
        return "".join(text for text, thought in self.pieces if thought == reasoning)

    def _may_fail(self) -> None:
        if self.broken:
            raise self.broken


class Custom:
    """A model whose stream is any generator function."""

    def __init__(self, stream: Callable[[], Iterator[Event]]) -> None:
        self._stream = stream

    @property
    def info(self) -> ModelInfo:
        return INFO

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        return self._stream()

    def close(self) -> None: ...


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited ten seconds in vain"
        time.sleep(0.01)


def ended(answer: Answer) -> Answer:
    assert answer.wait(10)
    return answer
