"""Many at once, coming and going: afterwards every place is free and every answer was whole."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import ContextOverflow, ModelBusy
from core.events import Event, Finished, Idle, Queued, Text
from core.messages import ChatRequest, Overflow, Sampling
from core.models.local.engine import Engine
from core.models.local.model_settings import ModelSettings
from tests.asking import GREEDY, finished, tokens
from tests.conftest import loaded
from tests.faults.models import begun

pytestmark = pytest.mark.faults

PARALLEL = 4
CONTEXT = 512
VOCABULARY = 300
LONG = tuple(n % VOCABULARY for n in range(400))


@pytest.fixture
def engine(sound: Path) -> Iterator[Engine]:
    engine = loaded(Engine(sound, name="tiny", settings=ModelSettings(context_length=CONTEXT, parallel=PARALLEL)))
    yield engine
    engine.close()


def prompt(*ids: int, max_tokens: int = 4, overflow: Overflow = "stop") -> ChatRequest:
    return ChatRequest(prompt=ids, sampling=GREEDY, max_tokens=max_tokens, overflow=overflow, ignore_end=True)


def endless(engine: Engine) -> Iterator[Event]:
    """An answer in progress that would go on for ever."""
    return begun(engine.stream(prompt(1, max_tokens=10**6, overflow="rolling")))


def check_all_free(engine: Engine) -> None:
    """As many requests as there are places are answered without one that queues."""
    assert engine.answering == 0
    together = threading.Barrier(PARALLEL)

    def ask(first: int) -> list[Event]:
        together.wait(timeout=60)
        return list(engine.stream(prompt(first, 5, 6, 7, max_tokens=8)))

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(ask, range(10, 10 + PARALLEL)))
    assert [len(tokens(events)) for events in answers] == [8] * PARALLEL
    assert not any(isinstance(event, Queued) for events in answers for event in events)


def test_answers_that_grow_at_once_beyond_a_short_context_are_all_finished(sound: Path) -> None:
    engine = loaded(Engine(sound, name="tiny", settings=ModelSettings(context_length=256, parallel=PARALLEL)))
    try:
        with ThreadPoolExecutor(PARALLEL) as pool:
            asked = [prompt(n, max_tokens=700, overflow="rolling") for n in range(PARALLEL)]
            answers = list(pool.map(lambda request: list(engine.stream(request)), asked))
        assert [len(tokens(events)) for events in answers] == [700] * PARALLEL
    finally:
        engine.close()


def test_asking_and_cancelling_at_random_leaves_every_place_free(engine: Engine) -> None:
    stems = [tuple(random.Random(seed).choices(range(VOCABULARY), k=200)) for seed in range(3)]

    def visit(seed: int) -> int:
        chance, whole = random.Random(seed), 0
        for _ in range(10):
            stem = chance.choice(stems)[: chance.randint(1, 200)]
            wanted = prompt(
                *stem,
                *chance.choices(range(VOCABULARY), k=chance.randint(0, 20)),
                max_tokens=chance.randint(1, 100),
                overflow=chance.choice(["stop", "rolling", "truncate_middle"]),
            )
            events, patience = [], chance.choice([0, 1, 5, 1000, 1000])
            for event in engine.stream(wanted):
                events.append(event)
                if len(tokens(events)) >= patience:
                    break
            else:
                end = finished(events)
                assert end.reason in ("length", "context")
                assert len(tokens(events)) == end.usage.generated_tokens > 0
                assert end.reason == "context" or end.usage.generated_tokens == wanted.max_tokens
                whole += 1
        return whole

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(visit, range(8))) > 0
    check_all_free(engine)


def test_the_place_in_the_queue_is_shown_and_counts_down(engine: Engine) -> None:
    running = endless(engine)
    waiting = engine.stream(prompt(*LONG))
    while not isinstance(event := next(waiting), Queued):
        assert isinstance(event, Idle)
    assert event == Queued(1), "there are places, and no room for a prompt of this length"
    running.close()  # type: ignore[attr-defined]
    assert isinstance(list(waiting)[-1], Finished)
    check_all_free(engine)


def test_one_that_leaves_the_queue_lets_the_next_one_up(engine: Engine) -> None:
    running = endless(engine)
    first, second = engine.stream(prompt(*LONG)), engine.stream(prompt(*LONG))
    assert next(e for e in first if isinstance(e, Queued)) == Queued(1)
    assert next(e for e in second if isinstance(e, Queued)) == Queued(2)
    first.close()  # type: ignore[attr-defined]
    assert next(e for e in second if isinstance(e, Queued)) == Queued(1)
    running.close()  # type: ignore[attr-defined]
    assert len(tokens(second)) == 4
    check_all_free(engine)


def test_more_than_the_queue_holds_are_told_so(engine: Engine) -> None:
    running = endless(engine)

    def ask(_: int) -> Iterator[Event] | None:
        stream = engine.stream(prompt(*LONG, max_tokens=1))
        try:
            assert isinstance(next(e for e in stream if not isinstance(e, Idle)), Queued)
            return stream
        except ModelBusy as error:
            assert error.values["waiting"] == 256
            return None

    with ThreadPoolExecutor(20) as pool:
        queued = [stream for stream in pool.map(ask, range(300)) if stream is not None]
    assert len(queued) == 256
    for stream in queued:
        stream.close()  # type: ignore[attr-defined]
    assert isinstance(next(e for e in running if isinstance(e, Text)), Text)
    running.close()  # type: ignore[attr-defined]
    check_all_free(engine)


def test_prompts_that_fill_the_whole_cache_are_answered_one_after_the_other(engine: Engine) -> None:
    def whole(first: int) -> list[int]:
        return [(first + n) % VOCABULARY for n in range(CONTEXT - 7)]

    def ask(first: int) -> list[Event]:
        return list(engine.stream(prompt(*whole(first), max_tokens=100)))

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(100, 106)))
    assert [finished(events).reason for events in answers] == ["context"] * 6
    assert [finished(events).usage.generated_tokens for events in answers] == [7] * 6
    check_all_free(engine)


def test_refused_requests_take_no_place(engine: Engine) -> None:
    for _ in range(3 * PARALLEL):
        with pytest.raises(ContextOverflow):
            list(engine.stream(prompt(*LONG, *LONG)))
    check_all_free(engine)


def test_sampled_answers_at_once_are_those_of_their_seeds(engine: Engine) -> None:
    def ask(seed: int) -> list[int]:
        sampling = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=seed)
        wanted = ChatRequest(prompt=(1, 2), sampling=sampling, max_tokens=20, ignore_end=True)
        return [token.id for token in tokens(engine.stream(wanted))]

    alone = [ask(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == alone
    assert len({tuple(ids) for ids in alone}) == 8
