"""The replayed stream: order, pace, stopping, ending in an error."""

from __future__ import annotations

import time
from itertools import islice

import pytest

from core.errors import ModelDied
from core.events import Finished, Idle, Prefill, Text, Token, Usage
from core.messages import ChatRequest, Message
from core.models.base import ModelInfo
from core.models.replay import Replay

INFO = ModelInfo(id="replay", name="Replay", provider="replay", local=True)
ASK = ChatRequest(messages=(Message("user", "Hello?"),))
END = Finished("stop", Usage(prompt_tokens=3, generated_tokens=2))


def token(number: int, at: float) -> Text:
    return Text(f"w{number} ", (Token(id=number, text=f"w{number} ", at=at),))


def test_at_once_gives_the_events_unchanged_and_no_idle() -> None:
    events = (Prefill(3, 3, 0), token(1, 5.0), token(2, 9.0), END)
    model = Replay(INFO, events, pace="at once")
    assert tuple(model.stream(ASK)) == events
    assert tuple(model.stream(ASK)) == events, "a second stream starts from the beginning"
    assert model.info is INFO


def test_recorded_pace_waits_for_each_token_and_says_idle_meanwhile() -> None:
    start = time.perf_counter()
    came = [
        (event, time.perf_counter() - start) for event in Replay(INFO, (token(1, 0.05), token(2, 0.8), END)).stream(ASK)
    ]
    kinds = [type(event) for event, _ in came]
    assert kinds.count(Idle) >= 2
    assert [event for event, _ in came if not isinstance(event, Idle)] == [token(1, 0.05), token(2, 0.8), END]
    assert all(at >= event.tokens[-1].at for event, at in came if isinstance(event, Text))


def test_constant_pace_ignores_the_recorded_times() -> None:
    start = time.perf_counter()
    events = list(Replay(INFO, (token(1, 900.0), token(2, 901.0)), pace=50.0).stream(ASK))
    assert [event for event in events if isinstance(event, Text)] == [token(1, 900.0), token(2, 901.0)]
    assert time.perf_counter() - start >= 2 / 50


def test_closing_the_iterator_stops_it() -> None:
    stream = Replay(INFO, (token(1, 0.0), token(2, 3600.0))).stream(ASK)
    assert [type(event) for event in islice(stream, 3)] == [Text, Idle, Idle]
    stream.close()  # type: ignore[attr-defined]
    assert next(stream, None) is None


def test_ends_in_the_error_it_was_given() -> None:
    stream = Replay(INFO, (token(1, 0.0),), pace="at once", error=ModelDied(model="m", detail="killed")).stream(ASK)
    assert next(stream) == token(1, 0.0)
    with pytest.raises(ModelDied):
        next(stream)
