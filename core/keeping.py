"""Keeping an answer as it comes: the protocol of where it is kept, and what to do when that fails.

Knows events and errors; no model, no thread and no database.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Literal, Protocol

from core.errors import NotThere, StoreError, WorkbenchError
from core.events import Finished, Routed, ToolCall, Trimmed

Status = Literal["complete", "cut"]
"""What a keeper is told of a finished answer: `cut` can be continued. One that failed is told by `Keeper.fail`."""

KEEP_EVERY_S = 0.02
"""New text is told at most this often, seconds: a commit for every token of a fast model would slow it."""

_log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Where an answer is kept as it comes. Called from the answer's thread; may raise, and is then asked again."""

    def append(self, text: str, *, reasoning: bool = False) -> None: ...

    def set_routed(self, routed: Routed) -> None: ...

    def set_trimmed(self, trimmed: Trimmed) -> None: ...

    def add_tool_call(self, call: ToolCall) -> None: ...

    def finish(self, finished: Finished, *, status: Status) -> None: ...

    def fail(self, error: WorkbenchError) -> None: ...


class Keeping:
    """What the keeper still has to be told, in order. Used by the answer's thread alone; never raises.

    `error` is why the last attempt failed, None when it did not: what was not kept is tried again with the next, and
    after the end with `retry`.
    """

    def __init__(self, keeper: Keeper | None) -> None:
        self.error: WorkbenchError | None = None
        self._keeper = keeper
        self._unkept: list[tuple[str, bool]] = []
        self._notes: list[Callable[[], None]] = []
        self._told_at = -math.inf

    @property
    def hopeful(self) -> bool:
        """Whether something is not kept and may still be: what it belongs to has not been deleted."""
        return self.error is not None and not isinstance(self.error, NotThere)

    def add(self, text: str, *, reasoning: bool) -> None:
        if not text or self._keeper is None:
            return
        if self._unkept and self._unkept[-1][1] == reasoning:
            text = self._unkept.pop()[0] + text
        self._unkept.append((text, reasoning))

    def note(self, event: Routed | Trimmed | ToolCall) -> None:
        """What is told at once, besides the text."""
        if self._keeper is None:
            return
        match event:
            case Routed():
                self._notes.append(partial(self._keeper.set_routed, event))
            case Trimmed():
                self._notes.append(partial(self._keeper.set_trimmed, event))
            case ToolCall():
                self._notes.append(partial(self._keeper.add_tool_call, event))
        self._attempt()

    def flush(self) -> None:
        if self._unkept and time.monotonic() - self._told_at >= KEEP_EVERY_S:
            self._attempt()

    def end(self, outcome: Finished | WorkbenchError) -> None:
        if self._keeper is None:
            return
        if isinstance(outcome, Finished):
            self._notes.append(partial(self._keeper.finish, outcome, status=status_of(outcome)))
        else:
            self._notes.append(partial(self._keeper.fail, outcome))
        self._attempt()

    def retry(self) -> None:
        """Once more what was not kept."""
        self._attempt()

    def _attempt(self) -> None:
        try:
            self._tell()
            self.error = None
        except WorkbenchError as error:
            self.error = error
        except Exception:
            _log.exception("An answer could not be kept")
            self.error = StoreError()
        self._told_at = time.monotonic()

    def _tell(self) -> None:
        """The text before the notes: that the answer has ended is told last, when all of it is there."""
        assert self._keeper is not None
        while self._unkept:
            text, reasoning = self._unkept[0]
            self._keeper.append(text, reasoning=reasoning)
            del self._unkept[0]
        while self._notes:
            self._notes[0]()
            del self._notes[0]


def status_of(finished: Finished) -> Status:
    """`cut` when somebody or something stopped it before its own end."""
    return "cut" if finished.reason in ("cancelled", "cut") else "complete"
