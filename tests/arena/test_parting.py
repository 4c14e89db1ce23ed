"""Where two greedy answers part: with models that say what a test wants, and with the real one."""

from __future__ import annotations

import math

import msgspec
import pytest

from core.arena.parting import Said, comparable, greedy, parting
from core.events import Alternative, Event, Finished, Text, Token, Usage
from core.messages import ChatRequest, Sampling
from core.models.base import ModelInfo
from core.models.local.engine import Engine
from core.models.replay import Replay
from tests.asking import ask, request, text

INFO = ModelInfo(id="here", name="Here", provider="this machine", local=True)
END: Event = Finished("length", Usage(prompt_tokens=4, generated_tokens=3))


def token(said: str, other: str = "?") -> Token:
    top = (Alternative(said, 1, math.log(0.6)), Alternative(other, 2, math.log(0.4)))
    return Token(id=1, text=said, at=0.0, logprob=math.log(0.6), top=top)


def going_on(answer: str, *tokens: str) -> Said:
    """An answer whose model, asked again, goes on with these tokens."""
    events = [Text(one, (token(one),)) for one in tokens]
    return Said(Replay(INFO, [*events, END], pace="at once"), request(), answer)


def test_the_first_token_that_differs_with_what_each_held_probable() -> None:
    found = parting(
        going_on("It is warm today.", " today"),
        going_on("It is warm here.", " here"),
    )
    assert found is not None and found.left is not None and found.right is not None
    assert found.common == "It is warm"
    assert (found.left.text, found.right.text) == (" today", " here")
    assert [one.text for one in found.left.top] == [" today", "?"]
    assert found.aligned and found.again


def test_two_tokenizers_are_compared_by_text() -> None:
    found = parting(going_on("so warmer", " war", "mer"), going_on("so warmest", " warm", "est"))
    assert found is not None and found.left is not None and found.right is not None
    assert (found.left.text, found.right.text) == ("mer", "est")
    assert found.common == "so war" and not found.aligned


def test_a_near_tie_that_no_longer_parts_is_said() -> None:
    found = parting(going_on("it may rain", " rain"), going_on("it may snow", " rain"))
    assert found is not None and not found.again
    assert found.left == found.right and found.left is not None and found.left.text == " rain"


def test_one_that_ends_first_parts_with_its_end_token() -> None:
    found = parting(going_on("yes", "yes", "<|end|>", "x"), going_on("yes, it is", "yes", ", it", " is"))
    assert found is not None and found.left is not None and found.right is not None
    assert (found.left.text, found.right.text) == ("<|end|>", ", it")


def test_a_model_without_tokens_leaves_its_place_empty() -> None:
    silent = Said(Replay(INFO, [END], pace="at once"), request(), "left")
    found = parting(silent, going_on("right", "right"))
    assert found is not None and found.left is None and found.right is not None


def test_the_same_answer_parts_nowhere() -> None:
    assert parting(going_on("same", "x"), going_on("same", "y")) is None


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(temperature=0.0), True),
        (Sampling(temperature=0.0, seed=5, top_k=3), True),
        (Sampling(temperature=0.1), False),
        (Sampling(temperature=0.0, repeat_penalty=1.2), False),
        (Sampling(temperature=0.0, mirostat=2), False),
        (Sampling(temperature=0.0, logit_bias={1: 2.0}), False),
    ],
)
def test_what_is_greedy(sampling: Sampling, expected: bool) -> None:
    assert greedy(sampling) is expected
    assert comparable(INFO, request(sampling=sampling)) is expected


def test_only_free_answers_of_this_machine() -> None:
    assert not comparable(msgspec.structs.replace(INFO, local=False), request())
    assert not comparable(INFO, request(grammar='root ::= "a"'))
    assert not comparable(INFO, request(json_schema={"type": "object"}))


@pytest.mark.model
def test_the_real_model_parts_where_its_answers_do(shared_engine: Engine) -> None:
    france = request("What is the capital of France?", max_tokens=24)
    spain = request("What is the capital of Spain?", max_tokens=24)
    answers = [text(ask_whole(shared_engine, one)) for one in (france, spain)]
    assert answers[0] != answers[1]
    found = parting(*(Said(shared_engine, one, said) for one, said in zip((france, spain), answers, strict=True)))
    assert found is not None and found.again and found.aligned
    for side, answer in zip((found.left, found.right), answers, strict=True):
        assert side is not None
        assert answer.startswith(found.common + side.text)
        assert len(side.top) == 10 and side.top[0].text == side.text, "greedy takes the most probable"
        assert math.fsum(math.exp(one.logprob) for one in side.top) <= 1.0 + 1e-6


@pytest.mark.model
def test_a_longer_answer_parts_from_a_shorter_one_at_its_end(shared_engine: Engine) -> None:
    whole = request("Name three colours.", max_tokens=8)
    answer = text(ask(shared_engine, "Name three colours.", max_tokens=8))
    cut = answer[: len(answer) // 2]
    found = parting(Said(shared_engine, whole, cut), Said(shared_engine, whole, answer))
    assert found is not None and not found.again, "the same model, asked the same, goes on alike"
    assert found.left is not None and found.right is not None and found.left.text == found.right.text


def ask_whole(engine: Engine, asked: ChatRequest) -> list[Event]:
    return list(engine.stream(asked))
