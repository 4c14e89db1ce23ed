"""Many clients at once, and clients that go away."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from openai import OpenAI

from tests.api.conftest import MODEL
from tests.api.serving import Served, events, until

pytestmark = pytest.mark.model

CHAT, COMPLETION = "/v1/chat/completions", "/v1/completions"
ACTIVE = f'workbench_model_answers_active{{model="{MODEL}"}}'
LONG = {"prompt": "Once upon a time", "max_tokens": 4000, "ignore_eos": True}
"""Half a minute at the least."""

WRITTEN = "workbench_generated_tokens_total"


def idle(server: Served) -> bool:
    """Whether nobody is answered: every sequence is free."""
    names = (ACTIVE, "workbench_answers_active", "workbench_answers_waiting")
    return all(server.figure(name) == 0 for name in names)


@contextlib.contextmanager
def cut_short(server: Served) -> Iterator[None]:
    """Whatever is asked for in the block ends with it, long before its last token."""
    until(lambda: idle(server))
    before = server.figure(WRITTEN)
    yield
    until(lambda: idle(server))
    assert server.figure(WRITTEN) - before < LONG["max_tokens"]


@contextlib.contextmanager
def asked(server: Served, body: object) -> Iterator[socket.socket]:
    """A connection whose answer has begun."""
    before = server.figure(WRITTEN)
    with server.open(COMPLETION, body) as connection:
        until(lambda: server.figure(WRITTEN) > before)
        yield connection


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_goes_away_frees_its_place(server: Served, streamed: bool) -> None:
    with cut_short(server), asked(server, LONG | {"stream": streamed}):
        assert server.figure(ACTIVE) == 1


def test_a_client_that_resets_its_connection_frees_it_too(server: Served) -> None:
    with cut_short(server), asked(server, LONG | {"stream": True}) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_all_answers_to_one_request_end_with_its_client(server: Served) -> None:
    with cut_short(server), server.open(COMPLETION, LONG | {"n": 4, "stream": True}):
        until(lambda: server.figure(ACTIVE) == 4)


def test_a_client_that_waits_in_the_queue_leaves_it(server: Served) -> None:
    with cut_short(server), contextlib.ExitStack() as together:
        for _ in range(2):
            together.enter_context(server.open(COMPLETION, LONG | {"n": 8, "stream": True}))
        until(lambda: server.figure("workbench_answers_waiting") == 8)


def test_the_official_client_can_leave_a_stream(client: OpenAI, server: Served) -> None:
    messages = [{"role": "user", "content": "Tell a long story."}]
    asked = functools.partial(client.chat.completions.create, model=MODEL, messages=messages, stream=True)
    with cut_short(server), asked(max_tokens=4000, extra_body={"ignore_eos": True}) as stream:
        next(stream)


def test_a_client_that_does_not_read_holds_no_place_for_ever(server: Served, tiny_id: str) -> None:
    """Its answer is generated to the end, and waits for it in memory."""
    body = {"model": tiny_id, "prompt": [5], "max_tokens": 100, "ignore_eos": True, "stream": True}
    finished = "workbench_time_to_first_token_seconds_count"
    before = server.figure(finished)
    with server.open(COMPLETION, body):
        until(lambda: server.figure(finished) == before + 1)


def test_sixty_four_at_once_are_all_answered(server: Served, tiny_id: str) -> None:
    def ask(number: int) -> tuple[str, int]:
        body = {"model": tiny_id, "prompt": [number, 5, 6], "max_tokens": 6, "ignore_eos": True, "stream": number % 2}
        got = server.ask(COMPLETION, body | {"stream": bool(number % 2), "stream_options": {"include_usage": True}})
        assert got.status == 200
        last = got.json if not number % 2 else json.loads(events(got.body)[-2])
        return "stream" if number % 2 else "whole", last["usage"]["completion_tokens"]

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(ask, range(10, 74)))
    assert Counter(answers) == {("stream", 6): 32, ("whole", 6): 32}
    until(lambda: idle(server))


def test_more_than_can_wait_are_told_to_come_again(server: Served) -> None:
    with contextlib.ExitStack() as together:
        for _ in range(2):
            together.enter_context(server.open(COMPLETION, LONG | {"n": 64, "stream": True}))
        until(lambda: server.figure("workbench_answers_waiting") == 120)
        refused = server.ask(CHAT, {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1})
        assert (refused.status, refused.error["code"]) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
    until(lambda: idle(server))
    assert server.ask(CHAT, {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}).status == 200
