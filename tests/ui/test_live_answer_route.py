"""The addresses of a live answer: origin, resuming, unknown ids, stopping, a base path."""

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
from core.events import Event, Finished, Loading, Prefill, Queued, Reasoning, Text, Token, Usage
from core.messages import ChatRequest, Message
from core.models.base import ModelInfo
from core.models.replay import Pace, Replay
from pages.ui.live_answer.route import FRAME_S, frame, routes

INFO = ModelInfo(id="replay", name="Replay", provider="replay", local=True)
ASK = ChatRequest(messages=(Message("user", "Hello?"),))
END = Finished("stop", Usage(prompt_tokens=1, generated_tokens=4))
NEVER = 3600.0


def word(number: int, at: float = 0.0) -> Text:
    return Text(f"w{number} ", (Token(id=number, text=f"w{number} ", at=at),))


WORDS: tuple[Event, ...] = (word(0), word(1, 0.1), word(2, 0.2), word(3, 0.3), END)


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.close()


@pytest.fixture
def client(answers: Answers) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(lambda: answers))) as client:
        yield client


def start(answers: Answers, *events: Event, pace: Pace = "recorded", text_so_far: str = "") -> Answer:
    return answers.start(Replay(INFO, events, pace=pace), ASK, text_so_far=text_so_far)


def frames(session: WebSocketTestSession) -> list[dict[str, Any]]:
    """All frames until the server closes."""
    got = []
    with pytest.raises(WebSocketDisconnect) as closed:
        while True:
            got.append(session.receive_json())
    assert closed.value.code == 1000
    return got


def follow(client: TestClient, answer: Answer, position: int | None = None) -> list[dict[str, Any]]:
    query = "" if position is None else f"?position={position}"
    with client.websocket_connect(f"/workbench/answers/{answer.id}{query}") as session:
        return frames(session)


def test_text_comes_in_frames_and_the_last_one_says_so(client: TestClient, answers: Answers) -> None:
    got = follow(client, start(answers, *WORDS))
    assert "".join(one["text"] for one in got) == "w0 w1 w2 w3 "
    assert [one["ended"] for one in got] == [False] * (len(got) - 1) + [True]
    assert got[-1] | {"text": ""} == {
        "position": 5,
        "state": "done",
        "text": "",
        "reasoning": "",
        "thinking_s": None,
        "tokens": 4,
        "rate": pytest.approx(10.0),
        "progress": None,
        "model": None,
        "ended": True,
    }


def test_frames_are_about_ten_a_second_however_fast_the_model(client: TestClient, answers: Answers) -> None:
    answer = start(answers, *(word(number, number * 0.002) for number in range(250)), END)
    got = follow(client, answer)
    assert "".join(one["text"] for one in got) == answer.text
    assert len(got) <= 0.5 / FRAME_S + 3


@pytest.mark.parametrize("position", [0, 1, 3, 4, 5, 99])
def test_resumes_from_any_position(client: TestClient, answers: Answers, position: int) -> None:
    answer = start(answers, *WORDS, pace="at once")
    assert answer.wait(10)
    got = follow(client, answer, position)
    assert "".join(one["text"] for one in got) == "".join(f"w{number} " for number in range(position, 4))
    assert got[-1]["ended"] and got[-1]["position"] == 5


def test_what_is_continued_comes_once_however_long_the_model_says_nothing(client: TestClient, answers: Answers) -> None:
    got = follow(client, start(answers, word(0, 0.5), word(1, 0.9), END, text_so_far="earlier "))
    assert "".join(one["text"] for one in got) == "earlier w0 w1 "


def test_a_lost_connection_goes_on_where_it_was(client: TestClient, answers: Answers) -> None:
    answer = start(answers, *(word(number, number * 0.05) for number in range(12)), END)
    with client.websocket_connect(f"/workbench/answers/{answer.id}") as session:
        first = session.receive_json()
    rest = follow(client, answer, first["position"])
    assert first["text"] + "".join(one["text"] for one in rest) == answer.text
    assert not first["ended"] and answer.finished == END, "a reader who leaves does not stop the answer"


@pytest.mark.parametrize("nonsense", ["-1", "x", "1e3", "", "9" * 5000])
def test_a_position_that_is_none_means_the_beginning(client: TestClient, answers: Answers, nonsense: str) -> None:
    answer = start(answers, *WORDS, pace="at once")
    with client.websocket_connect(f"/workbench/answers/{answer.id}?position={nonsense}") as session:
        assert "".join(one["text"] for one in frames(session)) == "w0 w1 w2 w3 "


def test_what_is_waited_for_is_told(answers: Answers) -> None:
    steps = [Loading(0.4), Queued(2), Prefill(120, 800, 30)]
    unknown = {"by_origin": {}, "context_length": None}
    told = []
    for step in steps:
        answer = start(answers, step, word(0, NEVER))
        while not answer.since()[1]:
            time.sleep(0.005)
        told.append((frame(answer, 0)["state"], frame(answer, 0)["progress"]))
    assert told == [
        ("loading", {"type": "Loading", "fraction": 0.4}),
        ("queued", {"type": "Queued", "position": 2}),
        ("prefill", {"type": "Prefill", "done": 120, "total": 800, "cached": 30, **unknown}),
    ]


def test_reasoning_and_what_is_continued_are_told_once(client: TestClient, answers: Answers) -> None:
    answer = start(answers, Reasoning("hm"), word(0), END, text_so_far="earlier ")
    got = follow(client, answer)
    assert "".join(one["text"] for one in got) == "earlier w0 "
    assert "".join(one["reasoning"] for one in got) == "hm"
    assert got[-1]["thinking_s"] >= 0
    assert follow(client, answer, 1)[0]["text"] == "w0 "


def test_an_unknown_id_is_closed_with_its_own_code(client: TestClient) -> None:
    with (
        client.websocket_connect("/workbench/answers/unknown") as session,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        session.receive_json()
    assert closed.value.code == 4404


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://testserver", True),
        ("https://TESTSERVER", True),
        ("http://testserver:8501", False),
        ("http://testserver.evil.example", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_only_pages_of_the_same_host_and_port(client: TestClient, answers: Answers, origin: str, allowed: bool) -> None:
    answer = start(answers, word(0), word(1, NEVER))
    headers = {"origin": origin}
    if allowed:
        with client.websocket_connect(f"/workbench/answers/{answer.id}", headers=headers) as session:
            assert session.receive_json()["state"] in ("waiting", "answering")
    else:
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(f"/workbench/answers/{answer.id}", headers=headers),
        ):
            pass
    stopped = client.post(f"/workbench/answers/{answer.id}/stop", headers=headers)
    assert stopped.status_code == (204 if allowed else 403)
    assert answer.wait(5) if allowed else not answer.ended


def test_stop_ends_the_answer_for_its_readers(client: TestClient, answers: Answers) -> None:
    answer = start(answers, word(0), word(1, NEVER))
    with client.websocket_connect(f"/workbench/answers/{answer.id}") as session:
        assert client.post(f"/workbench/answers/{answer.id}/stop").status_code == 204
        assert frames(session)[-1]["ended"]
    assert answer.finished is not None and answer.finished.reason == "cancelled"


def test_stop_needs_a_known_id_and_a_post(client: TestClient, answers: Answers) -> None:
    answer = start(answers, word(0, NEVER))
    assert client.post("/workbench/answers/unknown/stop").status_code == 404
    assert client.get(f"/workbench/answers/{answer.id}/stop").status_code == 405
    assert not answer.ended


def test_a_reader_who_has_left_no_longer_keeps_the_answer_going() -> None:
    answers = Answers(abandon_after_s=0.8)
    with TestClient(Starlette(routes=routes(lambda: answers))) as client:
        answer = start(answers, word(0), word(1, NEVER))
        with client.websocket_connect(f"/workbench/answers/{answer.id}") as session:
            session.receive_json()
            time.sleep(1.2)
            assert not answer.ended, "somebody follows"
        while answer.finished is None:
            time.sleep(0.02)
        assert answer.finished.reason == "cut"


@pytest.mark.parametrize(("configured", "prefix"), [("", ""), ("a/b", "/a/b"), ("/a/", "/a")])
def test_below_the_base_path(configured: str, prefix: str, answers: Answers) -> None:
    before = st.get_option("server.baseUrlPath")
    st.config.set_option("server.baseUrlPath", configured)
    try:
        paths = [route.path for route in routes(lambda: answers)]  # type: ignore[attr-defined]
    finally:
        st.config.set_option("server.baseUrlPath", before)
    assert paths == [f"{prefix}/workbench/answers/{{id}}", f"{prefix}/workbench/answers/{{id}}/stop"]
