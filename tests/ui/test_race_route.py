"""The address of a race: points of all answers, from the beginning, thinned out; origin, unknown ids, a base path."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from core.answers import Answer, Answers
from core.errors import AnswerBroken
from core.events import Event, Text
from core.models.replay import Replay
from pages.ui.race.route import FRAME_S, POINTS, routes, thinned
from tests.answering import ASK, END, INFO, NEVER, ended, until, word, words


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.close()


@pytest.fixture
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(lambda: answers))) as client:
        yield client


def start(answers: Answers, *events: Event, **options: Any) -> Answer:
    return answers.start(Replay(INFO, events, **{"pace": "recorded", **options}), ASK)


def frames(session: WebSocketTestSession) -> list[dict[str, Any]]:
    got = []
    with pytest.raises(WebSocketDisconnect) as closed:
        while True:
            got.append(session.receive_json())
    assert closed.value.code == 1000
    return got


def follow(client: TestClient, *racing: Answer) -> list[dict[str, Any]]:
    with client.websocket_connect(f"/workbench/races/{'.'.join(one.id for one in racing)}") as session:
        return frames(session)


def points(got: list[dict[str, Any]], lane: int) -> list[tuple[float, int]]:
    return [(seconds, tokens) for frame in got for seconds, tokens in frame["lanes"][lane]["points"]]


def test_all_answers_come_in_one_stream_until_the_last_has_ended(client: TestClient, answers: Answers) -> None:
    quick, slow = start(answers, *words(5, 0.02), END), start(answers, *words(5, 0.15), END)
    got = follow(client, quick, slow)
    assert points(got, 0) == [(pytest.approx(n * 0.02), n + 1) for n in range(5)]
    assert points(got, 1) == [(pytest.approx(n * 0.15), n + 1) for n in range(5)]
    assert [frame["ended"] for frame in got] == [False] * (len(got) - 1) + [True]
    first_ends, second_ends = (
        next(at for at, frame in enumerate(got) if frame["lanes"][lane]["ended"]) for lane in (0, 1)
    )
    assert first_ends <= second_ends
    assert got[-1]["lanes"][1] | {"points": []} == {
        "state": "done",
        "points": [],
        "tokens": 5,
        "rate": pytest.approx(1 / 0.15),
        "estimated": False,
        "ended": True,
    }


def test_frames_are_few_however_many_tokens(client: TestClient, answers: Answers) -> None:
    began = time.monotonic()
    got = follow(client, start(answers, *words(400, 0.002), END))
    assert len(got) <= (time.monotonic() - began) / FRAME_S + 2


def test_opened_late_or_again_it_begins_at_the_beginning(client: TestClient, answers: Answers) -> None:
    answer = ended(start(answers, *words(POINTS * 4, 0.01), END, pace="at once"))
    for _ in range(2):
        (only,) = follow(client, answer)
        drawn = only["lanes"][0]["points"]
        assert len(drawn) == POINTS and only["ended"]
        assert drawn[0][1] == 1 and drawn[-1][1] == POINTS * 4


def test_a_server_that_tells_no_tokens_is_estimated(client: TestClient, answers: Answers) -> None:
    answer = ended(start(answers, Text("12345678"), Text("1234"), END, pace="at once"))
    (only,) = follow(client, answer)
    lane = only["lanes"][0]
    assert lane["estimated"] and [tokens for _, tokens in lane["points"]] == [2, 3] and lane["tokens"] == 3


def test_one_that_waits_one_that_fails_and_one_that_is_gone(client: TestClient, answers: Answers) -> None:
    failed = ended(start(answers, word(0), error=AnswerBroken(model="m", detail="d"), pace="at once"))
    waits = start(answers, word(0, NEVER))
    address = f"/workbench/races/{failed.id}.{waits.id}.gone"
    with client.websocket_connect(address) as session:
        got = session.receive_json()
    assert [(lane["state"], lane["tokens"], lane["ended"]) for lane in got["lanes"]] == [
        ("failed", 1, True),
        ("waiting", 0, False),
        ("gone", 0, True),
    ]
    assert not got["ended"]


def test_watching_alone_keeps_no_answer_going() -> None:
    answers = Answers(abandon_after_s=0.5)
    with TestClient(Starlette(routes=routes(lambda: answers))) as client:
        answer = start(answers, word(0), word(1, NEVER))
        with client.websocket_connect(f"/workbench/races/{answer.id}") as session:
            session.receive_json()
            until(lambda: answer.ended)
    assert answer.finished is not None and answer.finished.reason == "cut"


@pytest.mark.parametrize("ids", ["unknown", "a.b.c", "a.b.c.d.e.f.g", "a."])
def test_ids_that_nobody_has_are_closed_with_their_own_code(client: TestClient, ids: str) -> None:
    with client.websocket_connect(f"/workbench/races/{ids}") as session, pytest.raises(WebSocketDisconnect) as closed:
        session.receive_json()
    assert closed.value.code == 4404


def test_no_more_than_six(client: TestClient, answers: Answers) -> None:
    answer = ended(start(answers, END, pace="at once"))
    assert len(follow(client, *[answer] * 6)[0]["lanes"]) == 6
    address = f"/workbench/races/{'.'.join([answer.id] * 7)}"
    with client.websocket_connect(address) as session, pytest.raises(WebSocketDisconnect) as closed:
        session.receive_json()
    assert closed.value.code == 4404


@pytest.mark.parametrize(
    ("origin", "allowed"), [("http://testserver", True), ("http://testserver:8501", False), ("null", False)]
)
def test_only_pages_of_the_same_host_and_port(client: TestClient, answers: Answers, origin: str, allowed: bool) -> None:
    answer = ended(start(answers, END, pace="at once"))
    connecting = client.websocket_connect(f"/workbench/races/{answer.id}", headers={"origin": origin})
    if allowed:
        with connecting as session:
            assert session.receive_json()["ended"]
    else:
        with pytest.raises(WebSocketDisconnect), connecting:
            pass


def test_below_the_base_path(answers: Answers) -> None:
    before = st.get_option("server.baseUrlPath")
    st.config.set_option("server.baseUrlPath", "/a/b/")
    try:
        (route,) = routes(lambda: answers)
    finally:
        st.config.set_option("server.baseUrlPath", before)
    assert route.path == "/a/b/workbench/races/{ids}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [0, 1, 2, POINTS - 1, POINTS, POINTS + 1, 10_000])
def test_thinned_points_keep_their_ends_and_their_order(number: int) -> None:
    given = [(at / 10, at) for at in range(number)]
    kept = thinned(given)
    assert len(kept) == min(number, POINTS)
    assert kept[:1] == given[:1] and kept[-1:] == given[-1:]
    assert sorted(set(kept)) == kept
