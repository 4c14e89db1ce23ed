"""Small words for asking a model in a test."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.events import Event, Finished, Idle, Reasoning, Text, Token
from core.messages import ChatRequest, Message, Sampling
from core.models.local.engine import Engine

QUESTION = "What is the capital of France? Tell me about it."
LONG = "Once upon a time there was a river, and the river had a name. "
"""About 15 tokens, to be repeated."""

GREEDY = Sampling(temperature=0.0)


def request(question: str = QUESTION, **fields: object) -> ChatRequest:
    """A greedy request of at most 24 tokens, unless the fields say otherwise."""
    defaults: dict[str, object] = {"sampling": GREEDY, "max_tokens": 24}
    return ChatRequest(messages=(Message("user", question),), **(defaults | fields))  # type: ignore[arg-type]


def ask(engine: Engine, question: str = QUESTION, **fields: object) -> list[Event]:
    """All events of a request, the idle ones left out."""
    return [e for e in engine.stream(request(question, **fields)) if not isinstance(e, Idle)]


def text(events: Iterable[Event]) -> str:
    """The answer's text."""
    return "".join(e.text for e in events if isinstance(e, Text))


def tokens(events: Iterable[Event]) -> list[Token]:
    """The answer's tokens."""
    return [t for e in events if isinstance(e, Text | Reasoning) for t in e.tokens]


def next_words(engine: Engine, asked: ChatRequest) -> dict[str, float]:
    """The most probable first words, each with its log-probability. The same prompt read in another way (alone, with
    others, from the cache) is rounded otherwise: where two words are close a greedy answer takes another course, but
    what is probable stays so within a few tenths."""
    wanted = msgspec.structs.replace(asked, max_tokens=1, logprobs=10)
    return {one.text: one.logprob for one in tokens(engine.stream(wanted))[0].top}


def alike(a: dict[str, float], b: dict[str, float]) -> bool:
    """Whether both expect the same next words."""
    both = a.keys() & b.keys()
    return len(both) >= 5 and all(abs(a[word] - b[word]) < 0.3 for word in both)


def finished(events: list[Event]) -> Finished:
    """The last event."""
    assert isinstance(events[-1], Finished)
    return events[-1]
