"""Several conversations in one engine: what is computed once, who waits, and that no answer changes by it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from core.events import Idle, Prefill, Queued, Text
from core.llamacpp.worker import REST_AFTER_S
from core.messages import ChatRequest, Message
from core.models.local.engine import Engine
from tests.asking import GREEDY, LONG, alike, ask, finished, next_words, request, text, tokens


def test_the_next_turn_computes_only_what_is_new(engine: Engine) -> None:
    first = ask(engine, LONG * 20, max_tokens=8)
    follow_up = ChatRequest(
        messages=(
            Message("user", LONG * 20),
            Message("assistant", text(first)),
            Message("user", "And then?"),
        ),
        sampling=GREEDY,
        max_tokens=8,
    )
    second = [e for e in engine.stream(follow_up) if not isinstance(e, Idle)]
    usage = finished(second).usage
    assert usage.cached_tokens >= finished(first).usage.prompt_tokens
    assert usage.prompt_tokens - usage.cached_tokens < 40


def test_a_shared_system_prompt_is_computed_once(engine: Engine) -> None:
    def about(question: str) -> ChatRequest:
        messages = (Message("system", LONG * 15), Message("user", question))
        return ChatRequest(messages=messages, sampling=GREEDY, max_tokens=16)

    with ThreadPoolExecutor(2) as pool:
        list(engine.stream(about("What is its name?")))
        answers = list(pool.map(lambda q: list(engine.stream(about(q))), ["Who lives there?", "How long is it?"]))
    for events in answers:
        usage = finished(events).usage
        assert usage.cached_tokens >= usage.by_origin["system"] - 1


def test_reuse_changes_no_answer(engine: Engine) -> None:
    alone = next_words(engine, request("Name three rivers of Europe."))
    ask(engine, "Name three rivers of Asia.")
    again = next_words(engine, request("Name three rivers of Europe."))
    assert alike(alone, again)
    assert not alike(alone, next_words(engine, request("Name three rivers of Asia.")))


def test_a_conversation_left_for_others_goes_on_where_it_was(engine: Engine) -> None:
    """With more conversations than the engine answers at once, each parked and taken back."""
    questions = [f"Tell me about the river {name}." for name in ("Loire", "Rhine", "Po", "Ebro")]
    told = [text(ask(engine, q, max_tokens=32, ignore_end=True)) for q in questions]
    for question, answer in zip(questions, told, strict=True):
        turns = (Message("user", question), Message("assistant", answer), Message("user", "Go on."))
        again = ChatRequest(messages=turns, sampling=GREEDY, max_tokens=8)
        events = [e for e in engine.stream(again) if not isinstance(e, Idle)]
        assert finished(events).usage.cached_tokens >= 32 + len(question) // 8


def test_a_parked_conversation_is_answered_as_if_it_had_stayed(engine: Engine, shared_engine: Engine) -> None:
    first = text(ask(engine, LONG * 3, max_tokens=24, ignore_end=True))
    turns = (Message("user", LONG * 3), Message("assistant", first), Message("user", "And then?"))
    again = ChatRequest(messages=turns, sampling=GREEDY)
    for n in range(3):
        ask(engine, f"Count from {n}.", max_tokens=4)
    assert alike(next_words(engine, again), next_words(shared_engine, again))


def test_all_of_many_requests_are_answered_in_turn(engine: Engine) -> None:
    questions = [f"Count from {n}." for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda q: ask(engine, q, ignore_end=True), questions))
    assert [len(tokens(a)) for a in answers] == [24] * 6
    assert any(isinstance(e, Queued) for a in answers for e in a)


def test_a_full_cache_makes_the_youngest_wait_and_loses_nothing(engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda q: ask(engine, q, ignore_end=True, max_tokens=220), [LONG * 9, LONG * 10]))
    for events in answers:
        assert len(tokens(events)) == 220


def test_a_long_prompt_does_not_freeze_the_others(engine: Engine) -> None:
    running = engine.stream(request("Count to one thousand.", ignore_end=True, max_tokens=200))
    while not isinstance(next(running), Text):
        pass
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(ask, engine, LONG * 18, max_tokens=1)  # which fits beside it: nobody waits for room
        between = tokens(running)
        events = other.result()
    prefills = [e for e in events if isinstance(e, Prefill)]
    assert len(prefills) > 2, "the long prompt came in slices"
    assert len(between) > len(prefills)


def test_closing_the_stream_frees_its_place(engine: Engine) -> None:
    for _ in range(4):
        stream = engine.stream(request("Count to one thousand.", ignore_end=True, max_tokens=400))
        while not isinstance(next(stream), Text):
            pass
        stream.close()
    events = ask(engine, max_tokens=4)
    assert not any(isinstance(e, Queued) for e in events)
    assert engine.answering == 0


def test_what_comes_together_and_begins_alike_is_read_once(shared_engine: Engine) -> None:
    """None of them finds anything in the cache, wherever the others are by then."""
    questions = [f"{LONG * 6}What is in line {n // 2}?" for n in range(8)]  # each of them twice
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda q: ask(shared_engine, q, max_tokens=6, logprobs=10), questions))
    usages = [finished(events).usage for events in answers]
    computed = sum(usage.prompt_tokens - usage.cached_tokens for usage in usages)
    assert usages[0].prompt_tokens > 90
    assert computed < usages[0].prompt_tokens + 8 * 12
    for question, events in zip(questions, answers, strict=True):
        first = {one.text: one.logprob for one in tokens(events)[0].top}
        assert alike(first, next_words(shared_engine, request(question)))


def test_several_answers_at_once_lose_nothing_of_those_before_and_under_way(shared_engine: Engine) -> None:
    """From the third on they are attended to in another way, in another context: what the cache held goes along."""
    earlier = text(ask(shared_engine, LONG * 3, max_tokens=24, ignore_end=True))
    running = shared_engine.stream(request("Count to one thousand.", ignore_end=True, max_tokens=200))
    while not isinstance(next(running), Text):
        pass
    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(ask, shared_engine, f"Tell me of {n}.", ignore_end=True) for n in range(3)]
        rest = list(running)
        assert [len(tokens(other.result())) for other in others] == [24] * 3
    done = finished(rest)
    assert done.usage.generated_tokens == 200
    turns = [Message("user", LONG * 3), Message("assistant", earlier)]
    for pause in (0.0, REST_AFTER_S + 0.5):  # then it is ready for one alone again
        time.sleep(pause)
        turns.append(Message("user", "And then?"))
        events = list(shared_engine.stream(ChatRequest(messages=tuple(turns), sampling=GREEDY, max_tokens=4)))
        assert finished(events).usage.cached_tokens >= finished(events).usage.prompt_tokens - 40
        turns.append(Message("assistant", text(events)))
