"""How long a model thought, from the events of its answer."""

from __future__ import annotations

from core.events import Cost, Energy, Event, Finished, Reasoning, Text, Token, Usage
from core.thinking import Thinking

END = Finished("stop", Usage(prompt_tokens=4, generated_tokens=3))


def token(at: float) -> Token:
    return Token(id=1, text="x", at=at)


def described(*events: Event, end: Finished = END) -> Finished:
    thinking = Thinking()
    for event in events:
        thinking.take(event)
    return thinking.described(end)


def test_from_the_first_thought_to_the_first_word() -> None:
    thoughts = (Reasoning("a", (token(1.0), token(1.5))), Reasoning("b", (token(2.0),)))
    found = described(*thoughts, Text("", (token(2.5),)), Text("c", (token(3.0),)), Text("d", (token(9.0),)))
    assert (found.timings.thinking_s, found.usage.thinking_tokens) == (2.0, 3)


def test_thinking_without_an_answer_lasts_to_its_own_end() -> None:
    found = described(Reasoning("a", (token(1.0),)), Reasoning("b", (token(1.25), token(4.0))))
    assert (found.timings.thinking_s, found.usage.thinking_tokens) == (3.0, 3)


def test_without_tokens_the_time_is_that_of_arrival_and_the_servers_count_stands() -> None:
    counted = Finished("stop", Usage(prompt_tokens=4, generated_tokens=9, thinking_tokens=7))
    found = described(Reasoning("a"), Text("b"), end=counted)
    assert found.timings.thinking_s is not None and found.timings.thinking_s >= 0
    assert found.usage.thinking_tokens == 7


def test_where_nothing_was_thought_nothing_is_said() -> None:
    assert described(Text("b", (token(1.0),))) is END


def test_what_it_cost_and_took_stays() -> None:
    energy = Energy(low=0.1, high=0.2, measured=True, method="meter")
    end = Finished("stop", Usage(prompt_tokens=4, generated_tokens=9), cost=Cost(amount=0.01), energy=energy)
    found = described(Reasoning("a", (token(1.0),)), end=end)
    assert (found.cost, found.energy, found.usage.thinking_tokens) == (end.cost, energy, 1)
