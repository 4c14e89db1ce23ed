"""How far an answer had come, and when: tokens where they are told, characters where not; the clock of each."""

from __future__ import annotations

import time

import pytest

from core.events import Idle, Loading, Prefill, Queued, Reasoning, Text, Token
from core.growth import Growth
from tests.answering import word


def test_tokens_and_their_own_times_where_the_model_tells_them() -> None:
    growth = Growth()
    assert growth.points() == [] and growth.rate is None and growth.estimated
    both = Text("two words", (Token(id=1, text="two", at=0.3), Token(id=2, text=" words", at=0.4)))
    for event in (Prefill(1, 1, 0), Reasoning("hm", (Token(id=0, text="hm", at=0.1),)), Idle(), both, word(3, 0.6)):
        growth.take(event)
    assert growth.points() == [(0.1, 1), (0.4, 3), (0.6, 4)]
    assert growth.points(2) == [(0.6, 4)] and growth.points(-1) == [(0.6, 4)]
    assert growth.rate == pytest.approx(3 / 0.5)
    assert not growth.estimated


def test_without_tokens_they_are_estimated_at_the_time_of_arrival() -> None:
    growth = Growth()
    growth.take(Text("1234"))
    growth.take(Text(""))
    time.sleep(0.02)
    growth.take(Text("12345"))
    (first, few), (second, more) = growth.points()
    assert (few, more) == (1, 3) and 0 <= first < second
    assert growth.estimated and growth.rate == pytest.approx(2 / (second - first))


@pytest.mark.parametrize("waited_for", [Queued(0), Loading(1.0)])
def test_what_it_waited_for_before_it_was_asked_is_not_its_time(waited_for: Queued | Loading) -> None:
    growth = Growth()
    time.sleep(0.02)
    asked = time.perf_counter()
    growth.take(waited_for)
    growth.take(Text("1234"))
    ((seconds, _),) = growth.points()
    assert seconds <= time.perf_counter() - asked


def test_pieces_without_tokens_after_tokens_add_no_point() -> None:
    growth = Growth()
    growth.take(word(0, 0.1))
    growth.take(Text("held back"))
    assert growth.points() == [(0.1, 1)]
