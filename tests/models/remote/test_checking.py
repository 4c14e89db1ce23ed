"""The connection test: each step tells its own failure, those after it are skipped, and stopping it stops it all."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from core import errors, snippets
from core.events import Text
from core.models.base import ModelInfo, Price
from core.models.remote import checking
from core.models.remote.arrivals import judged
from core.models.remote.checking import NAMES, Step, steps
from core.models.remote.endpoint import Endpoint, Timeouts, endpoint
from core.models.remote.listing import Listed
from core.models.remote.permit import Permit
from tests.models.remote.conftest import KEY
from tests.models.remote.counting import NUMBERS
from tests.models.remote.misbehaving import LONGEST_WAIT_S, Misbehaving
from tests.models.remote.playing import Playing

TIMEOUTS = Timeouts(connect_s=5.0, read_s=10.0)
PLAIN = [name for name in NAMES if name != "secured"]


def at(url: str, key: str | None = KEY, timeouts: Timeouts = TIMEOUTS) -> Endpoint:
    return endpoint(url, key, provider="Far Away", timeouts=timeouts)


def ended(there: Endpoint, model: str | None = "tiny") -> dict[str, Step]:
    """The steps as they ended, each ended once, and running before."""
    last: dict[str, Step] = {}
    running: set[str] = set()
    for step in steps(there, model):
        if step.state == "running":
            running.add(step.name)
            assert step.seconds is not None and step.seconds >= 0
        else:
            assert step.name not in last
            last[step.name] = step
        assert list(last) == [name for name in NAMES if name in last], "in their order"
    assert running <= last.keys()
    return last


def states(last: dict[str, Step]) -> list[str]:
    return [step.state for step in last.values()]


def said(step: Step) -> str:
    return step.detail.format(**step.values)


def test_an_endpoint_as_it_should_be(server: Misbehaving) -> None:
    last = ended(at(server.url("counts")))
    assert list(last) == PLAIN
    assert states(last) == ["done", "done", "skipped", "done", "done", "done", "done"]
    assert said(last["resolved"]) == "at 127.0.0.1"
    assert said(last["connected"]).startswith("to 127.0.0.1:")
    assert "open to all" in said(last["key"]), "this server lists its models for everybody"
    assert said(last["listed"]) == "models: 1"
    assert said(last["first_token"]) == "from tiny"
    assert last["streaming"].values["arrivals"] >= 4
    assert said(last["usage"]) == "prompt: 19, answer: 60"
    assert all(step.seconds is not None for name, step in last.items() if name != "usage")


def test_a_key_that_matters_is_told_from_one_that_does_not(server: Misbehaving) -> None:
    last = ended(at(server.url("lists-for-key")))
    assert (last["key"].state, last["listed"].state) == ("done", "done")
    assert [("authorization" in asked.headers) for asked in server.asked] == [True, False, True]
    last = ended(at(server.url("counts"), key=None))
    assert (last["key"].state, said(last["key"])) == ("done", "none is asked for")
    refused = ended(at(server.url("lists-for-key"), key="sk-wrong"))["key"]
    assert (refused.state, type(refused.error)) == ("failed", errors.KeyRefused)
    missing = ended(at(server.url("lists-for-key"), key=None))["key"]
    assert (missing.state, type(missing.error)) == ("failed", errors.KeyMissing)


def test_extra_headers_are_secrets_too_and_stay_away_from_the_public_list(server: Misbehaving) -> None:
    there = endpoint(server.url("counts"), None, provider="x", timeouts=TIMEOUTS, headers={"X-Api-Key": KEY})
    ended(there)
    assert [("x-api-key" in asked.headers) for asked in server.asked] == [True, False, True]


FAILS: list[tuple[str, str, type[Exception], list[str]]] = [
    ("refuses-401", "key", errors.KeyRefused, ["resolved", "connected"]),
    ("echo-key", "key", errors.KeyRefused, ["resolved", "connected"]),
    ("redirects", "listed", errors.ProviderRedirects, ["resolved", "connected"]),
    ("refuses-503", "listed", errors.ProviderFailed, ["resolved", "connected"]),
    ("no-status", "listed", errors.ProviderUnreachable, ["resolved", "connected"]),
    ("lists-html", "listed", errors.AnswerMalformed, ["resolved", "connected"]),
    ("lists-nested", "listed", errors.AnswerMalformed, ["resolved", "connected"]),
    ("refuses-500", "first_token", errors.ProviderFailed, ["resolved", "connected", "listed"]),
    ("refuses-429", "first_token", errors.RateLimited, ["resolved", "connected", "listed"]),
    ("no-quota", "first_token", errors.CreditUsedUp, ["resolved", "connected", "listed"]),
    ("html", "first_token", errors.AnswerMalformed, ["resolved", "connected", "listed"]),
    ("empty-body", "first_token", errors.AnswerMalformed, ["resolved", "connected", "listed"]),
    ("no-text", "first_token", errors.AnswerMalformed, ["resolved", "connected", "listed"]),
    ("resets", "streaming", errors.AnswerCut, ["resolved", "connected", "listed", "first_token"]),
    ("not-json", "streaming", errors.AnswerMalformed, ["resolved", "connected", "listed", "first_token"]),
    ("error-event", "streaming", errors.ProviderFailed, ["resolved", "connected", "listed", "first_token"]),
]


@pytest.mark.parametrize(("behaviour", "name", "error", "done"), FAILS)
def test_the_step_that_fails_says_why_and_what_to_do(
    server: Misbehaving, behaviour: str, name: str, error: type[Exception], done: list[str]
) -> None:
    last = ended(at(server.url(behaviour)))
    assert list(last) == PLAIN
    failed = [step for step in last.values() if step.state == "failed"]
    assert [step.name for step in failed] == [name]
    assert isinstance(failed[0].error, error)
    assert failed[0].error is not None and failed[0].error.advice()
    assert [step.name for step in last.values() if step.state == "done"] == done
    after = PLAIN[PLAIN.index(name) + 1 :]
    assert [last[name].state for name in after] == ["skipped"] * len(after)
    assert "canary" not in repr(list(last.values())) + str(failed[0].error)


def test_the_key_does_not_follow_a_redirection(server: Misbehaving) -> None:
    ended(at(server.url("redirects")))
    assert [asked.path for asked in server.asked] == ["/redirects/v1/models"]


@pytest.mark.parametrize("behaviour", ["refuses-404"])
def test_without_a_list_a_named_model_is_asked_all_the_same(server: Misbehaving, behaviour: str) -> None:
    with Playing() as nothing:
        unnamed = ended(at(f"{nothing.url}/v1"), None)
    assert (unnamed["listed"].state, type(unnamed["listed"].error)) == ("failed", errors.EndpointNotFound)
    last = ended(at(server.url(behaviour)))
    assert (last["key"].state, last["listed"].state, last["first_token"].state) == ("skipped", "skipped", "failed")
    assert "does not list" in said(last["listed"])


def test_whom_to_ask(server: Misbehaving) -> None:
    last = ended(at(server.url("lists-none")), None)
    assert last["first_token"].state == "skipped" and "type its name" in said(last["first_token"])
    assert [asked.path.rpartition("/")[2] for asked in server.asked] == ["models", "models"]
    last = ended(at(server.url("counts")), "another")
    assert "another is not among them" in said(last["listed"])
    assert server.asked[-1].body["model"] == "another"


@pytest.mark.parametrize(
    ("names", "prices", "chosen"),
    [
        (["first", "second"], [None, None], "first"),
        (["text-embedding-3", "whisper-1", "chatty"], [None, None, None], "chatty"),
        (["nomic-embed-text"], [None], "nomic-embed-text"),
        (["dear", "cheap", "free", "unknown"], [9.0, 0.1, 0.0, None], "cheap"),
        (["free", "unknown"], [0.0, None], "free"),
        ([], [], None),
    ],
)
def test_the_cheapest_that_can_chat_is_chosen(names: list[str], prices: list[float | None], chosen: str | None) -> None:
    listed = [
        Listed(
            ModelInfo(
                id=name, name=name, provider="x", local=False, price=None if p is None else Price(input=p, output=p)
            )
        )
        for name, p in zip(names, prices, strict=True)
    ]
    found = checking._chosen(listed)
    assert (found.name if found else None) == chosen


def test_what_is_asked_is_plain_and_can_be_copied(server: Misbehaving) -> None:
    ended(at(server.url("counts")))
    sent = server.asked[-1].body
    assert sent.keys() == {"model", "messages", "stream", "stream_options", "max_tokens"}
    model = checking.request_model(at(server.url("counts")), "tiny")
    assert model.exact_request(checking.request()) == sent
    exact = snippets.exact(model, checking.request(), own_api="http://localhost/v1")
    assert KEY not in snippets.as_curl(exact) + snippets.as_python(exact) + snippets.as_javascript(exact)
    newer = checking.request_model(at(server.url("counts")), "o9", unsupported=frozenset({"max_tokens"}))
    assert newer.exact_request(checking.request())["max_completion_tokens"] == checking.MOST_TOKENS


def test_an_answer_that_is_held_back_on_the_way(server: Misbehaving) -> None:
    last = ended(at(server.url("counts-held-back")))
    assert (last["streaming"].state, type(last["streaming"].error)) == ("failed", errors.AnswerAtOnce)
    assert str(len(NUMBERS)) in str(last["streaming"].error)
    assert last["usage"].state == "done", "it is an answer all the same"


def test_an_answer_too_short_to_say(server: Misbehaving) -> None:
    last = ended(at(server.url("well")))
    assert (last["streaming"].state, last["streaming"].error) == ("skipped", None)
    assert "too short" in said(last["streaming"])


def test_a_model_that_only_thinks_is_not_at_fault(server: Misbehaving) -> None:
    last = ended(at(server.url("counts-nothing")))
    assert [last[name].state for name in ("first_token", "streaming", "usage")] == ["skipped", "skipped", "done"]
    assert "thought" in said(last["first_token"])


def test_usage_that_is_not_reported(server: Misbehaving) -> None:
    last = ended(at(server.url("counts-without-usage")))
    assert (last["streaming"].state, last["usage"].state) == ("done", "failed")
    assert isinstance(last["usage"].error, errors.UsageMissing)


@pytest.mark.parametrize(
    ("pieces", "characters", "arrivals", "streamed"),
    [
        ([], 0, 0, None),
        ([0.5], 20, 1, None),
        ([0.5], 200, 1, False),
        ([0.5, 0.5, 0.5, 0.501], 200, 1, False),
        ([0.5, 0.501, 0.6, 0.601], 200, 2, False),
        ([0.5, 0.6, 0.7], 200, 3, None),
        ([0.2, 0.3, 0.4, 0.5], 200, 4, True),
        ([0.2, 0.3, 0.4, 0.5], 20, 4, None),
        ([9.0, 9.01, 9.02, 9.03], 200, 4, None),
        ([0.0, 0.0], 200, 1, None),
        ([0.24], 200, 1, None),
    ],
)
def test_how_streaming_is_judged(pieces: list[float], characters: int, arrivals: int, streamed: bool | None) -> None:
    how = judged(pieces, characters=characters)
    assert (how.arrivals, how.streamed) == (arrivals, streamed)
    assert 0 <= how.share < 1


def test_stopping_drops_the_connection(server: Misbehaving) -> None:
    testing = steps(at(server.url("counts-to-one")), "tiny")
    assert any(step.name == "streaming" for step in testing)
    testing.close()  # type: ignore[attr-defined]
    assert server.dropped.wait(LONGEST_WAIT_S)


def test_stopping_while_the_list_is_awaited(server: Misbehaving) -> None:
    testing = steps(at(server.url("never-answers")), "tiny")
    assert any(step.name == "key" and server.asked for step in testing)
    testing.close()  # type: ignore[attr-defined]
    assert server.dropped.wait(LONGEST_WAIT_S)


def test_a_list_that_does_not_come(server: Misbehaving) -> None:
    last = ended(at(server.url("never-answers"), timeouts=replace(TIMEOUTS, read_s=0.2)))
    assert isinstance(last["listed"].error, errors.ProviderTimedOut)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        last = ended(at(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert states(last) == ["done", "failed"] + ["skipped"] * 5
    assert isinstance(last["connected"].error, errors.ProviderUnreachable)
    assert "refused" in str(last["connected"].error)


def test_a_name_that_nobody_has() -> None:
    last = ended(at("https://nowhere.invalid/v1"))
    assert list(last) == list(NAMES)
    assert states(last) == ["failed"] + ["skipped"] * 7
    assert isinstance(last["resolved"].error, errors.ProviderUnreachable)


def test_behind_a_proxy_the_way_is_the_proxy_s(monkeypatch: pytest.MonkeyPatch) -> None:
    with Misbehaving() as server:
        proxy = server.url("well").removesuffix("/well/v1")
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        last = ended(at("http://far.example/v1"))
    assert [last[name].state for name in ("resolved", "connected")] == ["skipped", "skipped"]
    assert "proxy" in said(last["connected"])
    assert server.asked, "what is asked goes by the proxy"


class Closed(Permit):
    """An owner who lets nothing leave this machine, and says that this is away from it."""

    def reach(self, provider: str, *, away: bool) -> None:
        raise errors.LocalOnly(provider=provider)


def test_what_is_not_permitted_is_not_even_looked_up(server: Misbehaving) -> None:
    last = ended(replace(at(server.url("counts")), permit=Closed()))
    assert states(last) == ["failed"] + ["skipped"] * 6
    assert isinstance(last["resolved"].error, errors.LocalOnly)
    assert server.asked == []


def test_the_answer_is_read_by_the_client_that_reads_every_answer(server: Misbehaving) -> None:
    model = checking.request_model(at(server.url("counts")), "tiny")
    texts = [event.text for event in model.stream(checking.request()) if isinstance(event, Text)]
    assert tuple(texts) == NUMBERS


def test_no_thread_is_left_over() -> None:
    program = (
        "import threading\n"
        "from core.models.remote.checking import steps\n"
        "from core.models.remote.endpoint import Timeouts, endpoint\n"
        "there = endpoint('http://127.0.0.1:9/v1', provider='x', timeouts=Timeouts())\n"
        "assert [step.state for step in steps(there)][-1] == 'skipped'\n"
        "for thread in threading.enumerate():\n"
        "    thread is threading.main_thread() or thread.join(20)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
