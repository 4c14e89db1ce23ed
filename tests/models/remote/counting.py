"""How the misbehaving server streams an answer that is long enough to be judged, by the name of the behaviour."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.models.remote.misbehaving import Handler

NUMBERS = (
    *("one, ", "two, ", "three, ", "four, ", "five, ", "six, ", "seven, ", "eight, ", "nine, ", "ten, ", "eleven, "),
    *("twelve, ", "thirteen, ", "fourteen, ", "fifteen, ", "sixteen, ", "seventeen, ", "eighteen, ", "nineteen, "),
    "twenty",
)
PAUSE_S = 0.05
USAGE = {"prompt_tokens": 19, "completion_tokens": 60, "total_tokens": 79}


def events(usage: object = USAGE) -> list[bytes]:
    """The answer's events, whole and in order."""
    chunks: list[object] = [{"choices": [{"index": 0, "delta": {"content": number}}]} for number in NUMBERS]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage}]
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def paced(usage: object = USAGE) -> Callable[[Handler], None]:
    """A piece, a pause, the next."""

    def behave(h: Handler) -> None:
        h.head()
        for event in events(usage):
            h.raw(event)
            time.sleep(PAUSE_S)

    return behave


def held_back(h: Handler) -> None:
    """As a proxy that buffers: nothing, then everything."""
    time.sleep(PAUSE_S * 6)
    h.head()
    h.raw(b"".join(events()))


def one_word(h: Handler) -> None:
    """An endless answer in one piece that is never finished."""
    h.head()
    h.raw(events()[0])
    h.until_dropped()


def only_thinks(h: Handler) -> None:
    """Has used all of its tokens before a word could be seen."""
    h.head()
    h.done("length", {"prompt_tokens": 19, "completion_tokens": 64})


COUNTS: dict[str, Callable[[Handler], None]] = {
    "counts": paced(),
    "counts-without-usage": paced(None),
    "counts-held-back": held_back,
    "counts-to-one": one_word,
    "counts-nothing": only_thinks,
}
