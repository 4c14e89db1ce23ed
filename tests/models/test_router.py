"""Routes over a real local model and a server that misbehaves: who answers, why, and what is said when nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from core.errors import (
    AnswerCut,
    BudgetSpent,
    EmptyPrompt,
    LocalOnly,
    ModelNotFound,
    ProviderFailed,
    ProviderSetAside,
    RateLimited,
    RouteInvalid,
    SettingInvalid,
    WorkbenchError,
)
from core.events import Event, Finished, Idle, Loading, Reasoning, Routed, Text, Token, Trimmed, Usage
from core.messages import ChatRequest, Message, Sampling
from core.models.base import ChatModel, ModelInfo
from core.models.breaker import Breaker
from core.models.choices import Speed
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import Shelf
from core.models.remote.client import RemoteModel
from core.models.remote.endpoint import Timeouts
from core.models.replay import Replay
from core.models.router import Router, endpoint_of
from core.models.routes import ByTask, Cheapest, Fastest, LocalFirst, RemoteFirst, Route, Row, Rule
from tests.asking import request, text
from tests.models.remote.misbehaving import WORDS, Misbehaving

pytestmark = pytest.mark.model

LOCAL = "smollm2-135m"
SETTINGS = ModelSettings(context_length=256, threads=1)
QUICK = Timeouts(connect_s=2.0, read_s=0.3, linger_s=0.2)
LONG = request("All work and no play makes Jack a dull boy. " * 60, max_tokens=4, overflow="rolling")
SHORT = request(max_tokens=4, overflow="rolling")
SAID = "".join(WORDS)
END = Finished("stop", Usage(prompt_tokens=1, generated_tokens=1))


class Within:
    """The models within reach: the embedded one, any behaviour of the server, and recordings by a name."""

    def __init__(self, shelf: Shelf, path: Path, server: Misbehaving) -> None:
        self._shelf = shelf
        self._path = path
        self.server = server
        self.recorded: dict[str, ChatModel] = {}
        self.breaker = Breaker()
        self.speeds: Mapping[str, Speed] = {}

    def id(self, behaviour: str) -> str:
        return f"{self.server.url(behaviour)}#{behaviour}"

    def __call__(self, model_id: str) -> ChatModel:
        if model_id in self.recorded:
            return self.recorded[model_id]
        if model_id == LOCAL:
            info = ModelInfo(id=LOCAL, name="SmolLM2", provider="local", local=True)
            return self._shelf.model(info, self._path, SETTINGS)
        url, mark, name = model_id.partition("#")
        if not mark:
            raise ModelNotFound(model=model_id)
        info = ModelInfo(id=model_id, name=name, provider="test", local=False)
        return RemoteModel(info, url, timeouts=QUICK, retries=1)

    def record(self, id: str, *events: Event, error: WorkbenchError | None = None, **fields: object) -> str:
        info = {"id": id, "name": id, "provider": f"of {id}", "local": False} | fields
        self.recorded[id] = Replay(msgspec.convert(info, ModelInfo), events, error=error)
        return id

    def router(self, rule: Rule) -> Router:
        return Router(Route("r1", "My route", rule), self, breaker=self.breaker, speeds=lambda: self.speeds)


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.close()


@pytest.fixture
def within(shelf: Shelf, smollm: Path) -> Iterator[Within]:
    with Misbehaving() as server:
        yield Within(shelf, smollm, server)


def ask(model: ChatModel, what: ChatRequest = SHORT) -> list[Event]:
    """Without the idle ones, and what only says how far it is."""
    return [e for e in model.stream(what) if isinstance(e, Routed | Text | Reasoning | Trimmed | Finished)]


def until_error(model: ChatModel, error: type[WorkbenchError], what: ChatRequest = SHORT) -> list[Event]:
    """What came before the error that is expected."""
    events: list[Event] = []
    with pytest.raises(error) as raised:
        for event in model.stream(what):
            events.append(event)
    assert type(raised.value) is error
    return [e for e in events if not isinstance(e, Idle | Loading)]


def routed(events: list[Event]) -> list[Routed]:
    return [event for event in events if isinstance(event, Routed)]


def asked(within: Within) -> list[str]:
    """Which behaviours the server was asked for, in order."""
    return [one.path.split("/")[1] for one in within.server.asked]


def test_the_local_model_answers_first_and_that_is_said_first(within: Within) -> None:
    events = ask(within.router(LocalFirst(LOCAL, within.id("well"))))
    assert events[0] == Routed(LOCAL, "SmolLM2", "the local model comes first")
    assert len(routed(events)) == 1 and text(events) and isinstance(events[-1], Finished)
    assert asked(within) == []


@pytest.mark.parametrize("policy", ["rolling", "truncate_middle", "stop"])
def test_a_conversation_too_long_for_the_local_model_goes_whole_to_the_remote_one(within: Within, policy: str) -> None:
    events = ask(within.router(LocalFirst(LOCAL, within.id("well"))), msgspec.structs.replace(LONG, overflow=policy))
    _, second = routed(events)
    assert (second.model_name, second.values) == (
        "well",
        {"before": "SmolLM2", "why": "the conversation is too long for it"},
    )
    assert text(events) == SAID and not any(isinstance(event, Trimmed) for event in events)
    (sent,) = within.server.asked
    assert sent.body["messages"][-1]["content"] == LONG.messages[-1].content


def test_where_the_remote_one_fails_too_a_part_is_left_out(within: Within) -> None:
    what = msgspec.structs.replace(LONG, overflow="truncate_middle")
    events = ask(within.router(LocalFirst(LOCAL, within.id("refuses-500"))), what)
    assert [one.model_name for one in routed(events)] == ["SmolLM2", "refuses-500", "SmolLM2"]
    assert routed(events)[-1].values["before"] == "SmolLM2, refuses-500"
    assert any(isinstance(event, Trimmed) for event in events) and isinstance(events[-1], Finished)


@pytest.mark.parametrize("policy", ["stop", "rolling"])
def test_unless_the_policy_has_nothing_to_leave_out(within: Within, policy: str) -> None:
    what = msgspec.structs.replace(LONG, overflow=policy)
    events = until_error(within.router(LocalFirst(LOCAL, within.id("refuses-500"))), ProviderFailed, what)
    assert [one.model_name for one in routed(events)] == ["SmolLM2", "refuses-500"]
    assert routed(events)[-1].values["why"] == "the conversation is too long for it"


def test_a_local_model_that_is_not_there(within: Within) -> None:
    events = ask(within.router(LocalFirst("nowhere.gguf", within.id("well"))))
    assert routed(events) == [
        Routed(
            within.id("well"),
            "well",
            "{before} did not answer: {why}",
            {"before": "nowhere.gguf", "why": "it is not there"},
        )
    ]


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("no-status", "it cannot be reached"),
        ("never-answers", "it said nothing for too long"),
        ("refuses-429", "it takes no more requests for now"),
        ("no-quota", "it wants to be paid first"),
        ("refuses-401", "it wants a key"),
        ("refuses-400", "it does not take this request"),
        ("refuses-503", "it failed"),
        ("refuses-html", "it failed"),
        ("redirects", "it failed"),
        ("empty-body", "it failed"),
        ("error-200", "it failed"),
        ("refuses-overflow", "the conversation is too long for it"),
    ],
)
def test_the_local_model_stands_in_for_the_remote_one(within: Within, behaviour: str, why: str) -> None:
    events = ask(within.router(RemoteFirst(within.id(behaviour), LOCAL)))
    first, second = routed(events)
    assert (first.model_name, first.reason) == (behaviour, "the remote model comes first")
    assert (second.model_id, second.values) == (LOCAL, {"before": behaviour, "why": why})
    assert text(events) and text(events) == text(ask(within(LOCAL)))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (LocalOnly(provider="p"), "nothing may leave this machine"),
        (BudgetSpent(provider="p", amount=1.0, currency="USD"), "its budget is spent"),
    ],
)
def test_what_a_person_does_not_permit_is_a_reason_too(within: Within, error: WorkbenchError, why: str) -> None:
    away = within.record("away", error=error)
    events = ask(within.router(RemoteFirst(away, LOCAL)))
    assert routed(events)[-1].values == {"before": "away", "why": why} and text(events)


@pytest.mark.parametrize(
    ("behaviour", "came", "error"), [("cut", SAID, AnswerCut), ("error-event", SAID, ProviderFailed)]
)
def test_in_mid_answer_the_text_stays_and_the_error_is_raised(
    within: Within, behaviour: str, came: str, error: type[WorkbenchError]
) -> None:
    events = until_error(within.router(RemoteFirst(within.id(behaviour), within.id("well"))), error)
    assert text(events) == came and len(routed(events)) == 1
    assert asked(within) == [behaviour]


def test_thinking_is_a_first_word_too(within: Within) -> None:
    error = AnswerCut(provider="p", detail="d")
    away = within.record("away", Reasoning("Hm"), error=error)
    events = until_error(within.router(RemoteFirst(away, LOCAL)), AnswerCut)
    assert events == [Routed("away", "away", "the remote model comes first"), Reasoning("Hm")]


def test_what_is_held_back_of_a_failed_answer_is_not_shown(within: Within) -> None:
    held = Text("", (Token(id=1, text="", at=0.0),))
    away = within.record("away", Trimmed("rolling", 1, 9), held, error=ProviderFailed(provider="p", detail="d"))
    events = ask(within.router(RemoteFirst(away, LOCAL)))
    assert len(routed(events)) == 2 and not any(isinstance(event, Trimmed) for event in events)
    assert held not in events


def test_what_is_held_back_comes_with_the_first_word(within: Within) -> None:
    told = (Trimmed("rolling", 1, 9), Text(""), Text("a"), END)
    events = ask(within.router(RemoteFirst(within.record("away", *told), LOCAL)))
    assert events[1:] == list(told)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (ChatRequest(messages=(Message("user", " "),)), EmptyPrompt),
        (request(sampling=Sampling(temperature=-1.0)), SettingInvalid),
    ],
)
def test_the_question_s_own_fault_is_nobody_else_s_to_answer(
    within: Within, what: ChatRequest, error: type[WorkbenchError]
) -> None:
    events = until_error(within.router(RemoteFirst(within.id("well"), LOCAL)), error, what)
    assert len(routed(events)) == 1 and asked(within) == []


def test_when_all_fail_the_last_error_is_raised_and_the_others_are_named(within: Within) -> None:
    names = ("refuses-500", "refuses-401", "refuses-429-bare")
    events = until_error(within.router(Cheapest(tuple(map(within.id, names)))), RateLimited)
    assert [one.model_name for one in routed(events)] == list(names)
    assert routed(events)[-1] == Routed(
        within.id("refuses-429-bare"),
        "refuses-429-bare",
        "{before} did not answer; the last of them: {why}",
        {"before": "refuses-500, refuses-401", "why": "it wants a key"},
    )


def test_only_the_last_model_is_waited_for(within: Within) -> None:
    busy = within.id("busy-once-503")
    assert text(ask(within.router(RemoteFirst(busy, within.id("well"))))) == SAID
    assert asked(within) == ["busy-once-503", "well"]
    within.server.asked.clear()
    assert text(ask(within.router(RemoteFirst("nowhere.gguf", busy)))) == SAID
    assert asked(within) == ["busy-once-503"] * 2


def test_a_server_that_would_cut_in_silence_is_not_asked(within: Within) -> None:
    small = within("http://x/v1#small")
    assert isinstance(small, RemoteModel)
    info = msgspec.structs.replace(small.info, context_length=100)
    within.recorded["small"] = RemoteModel(info, within.server.url("well"))
    router = within.router(LocalFirst("small", within.id("well")))
    assert [one.model_name for one in routed(ask(router))] == ["small"]
    assert [one.model_name for one in routed(ask(router, LONG))] == ["small", "well"]
    assert len(within.server.asked) == 2


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_provider_that_keeps_failing_is_not_asked_for_a_while(within: Within) -> None:
    clock = Clock()
    within.breaker = Breaker(failures=2, first_pause_s=10.0, clock=clock)
    bad, good = within.id("refuses-503"), within.id("well")
    one, other = within.router(RemoteFirst(bad, good)), within.router(Cheapest((bad, good)))
    for router in (one, other, one, other):
        assert text(ask(router)) == SAID
    assert asked(within) == ["refuses-503", "well"] * 2 + ["well"] * 2
    assert within.breaker.state(endpoint_of(bad) or "").name == "open"
    (chosen,) = routed(ask(one))
    assert chosen.values == {"before": "refuses-503", "why": "it has failed several times in a row"}
    until_error(within.router(Cheapest((bad, "nowhere.gguf"))), ModelNotFound)
    until_error(within.router(RemoteFirst("nowhere.gguf", bad)), ProviderSetAside)
    clock.now = 10.0
    within.server.asked.clear()
    assert text(ask(one)) == SAID
    assert asked(within) == ["refuses-503", "well"]
    assert within.breaker.state(endpoint_of(bad) or "").retry_in_s == 20.0


def test_closing_the_stream_stops_the_model_and_is_no_failure(within: Within) -> None:
    url = within.id("endless")
    for _ in range(5):
        within.server.dropped.clear()
        stream = within.router(RemoteFirst(url, LOCAL)).stream(SHORT)
        next(event for event in stream if isinstance(event, Text) and event.text)
        stream.close()  # type: ignore[attr-defined]
        assert within.server.dropped.wait(10)
    assert within.breaker.state(endpoint_of(url) or "").name == "closed"


def test_closing_before_the_first_word(within: Within) -> None:
    stream = within.router(RemoteFirst(within.id("never-answers"), LOCAL)).stream(SHORT)
    assert isinstance(next(stream), Routed)
    assert isinstance(next(stream), Idle)
    stream.close()  # type: ignore[attr-defined]
    assert within.server.dropped.wait(10)


def test_the_general_model_answers_where_the_one_of_the_task_fails(within: Within) -> None:
    rows = (Row("code", within.id("refuses-500")), Row("general", within.id("well")))
    events = ask(within.router(ByTask(rows)), request("Fix main.py"))
    assert [one.model_name for one in routed(events)] == ["refuses-500", "well"] and text(events) == SAID


def test_a_route_that_was_kept_with_a_route_in_it(within: Within) -> None:
    router = within.router(RemoteFirst("route:r1", LOCAL))
    assert until_error(router, RouteInvalid) == []
    assert [info.id for info in router.models()] == [LOCAL]


Made = Callable[[Within], tuple[str, ...]]


@pytest.mark.parametrize(
    ("ids", "local", "provider", "country"),
    [
        (lambda w: (LOCAL, "http://localhost:8080/v1#m"), True, "", None),
        (lambda w: (LOCAL, w.record("https://a/v1#m", country="FR")), False, "of https://a/v1#m", "FR"),
        (lambda w: (w.record("a", country="FR"), w.record("b")), False, "of a, of b", None),
        (lambda w: ("nowhere.gguf", "nowhere.else"), True, "", None),
    ],
)
def test_what_is_known_of_a_route(within: Within, ids: Made, local: bool, provider: str, country: str | None) -> None:
    info = within.router(Fastest(ids(within))).info
    assert info == ModelInfo(id="route:r1", name="My route", provider=provider, local=local, country=country)
