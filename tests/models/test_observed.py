"""Whether a model had the machine to itself: told once, at the end, however that comes."""

from __future__ import annotations

from collections.abc import Generator
from typing import cast

import pytest

from core.errors import ModelDied
from core.models.observed import Observed
from core.models.replay import Replay
from tests.answering import ASK, END, INFO, word

EVENTS = (word(1), word(2), END)


@pytest.mark.parametrize(
    ("busy", "told"), [((1, 1, 1), 0), ((1, 2, 1), 1), ((3, 2, 1), 1), ((1, 1, 2), 1), ((0, 1, 1), 0)]
)
def test_it_tells_whether_it_was_ever_not_alone(busy: tuple[int, ...], told: int) -> None:
    counts, calls = iter(busy), []
    model = Observed(Replay(INFO, EVENTS, pace="at once"), lambda: next(counts), lambda: calls.append(1))
    assert model.info == INFO
    assert tuple(model.stream(ASK)) == EVENTS
    assert len(calls) == told


def test_one_that_breaks_or_is_stopped_tells_too() -> None:
    calls: list[int] = []
    breaking = Replay(INFO, (word(1),), pace="at once", error=ModelDied(model="m", detail="killed"))
    with pytest.raises(ModelDied):
        list(Observed(breaking, lambda: 2, lambda: calls.append(1)).stream(ASK))
    assert calls == [1]
    stopped = cast("Generator[object]", Observed(Replay(INFO, EVENTS), lambda: 2, lambda: calls.append(2)).stream(ASK))
    next(stopped)
    stopped.close()
    assert calls == [1, 2]
