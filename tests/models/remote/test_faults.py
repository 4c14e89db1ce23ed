"""Everything an endpoint can do wrong: each gives its error, with what had come before it kept."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from core import errors, words
from core.errors import WorkbenchError
from core.events import Event, Finished, Idle, Reasoning
from core.models.remote.client import RemoteModel
from core.models.remote.endpoint import Timeouts
from tests import asking
from tests.asking import finished, request
from tests.models.remote.conftest import INFO, KEY
from tests.models.remote.misbehaving import WORDS, Misbehaving

Make = Callable[..., RemoteModel]
SAID = "".join(WORDS)
SHORT = Timeouts(connect_s=5.0, read_s=0.3, wait_s=5.0)


def outcome(model: RemoteModel) -> tuple[list[Event], WorkbenchError]:
    """What came, and the error that ended it."""
    events: list[Event] = []
    try:
        events += (event for event in model.stream(request()) if not isinstance(event, Idle))
    except WorkbenchError as error:
        return events, error
    raise AssertionError(f"no error after {events}")


@pytest.mark.parametrize(
    ("behaviour", "kind", "says"),
    [
        ("refuses-400", errors.RequestRejected, "temperature must be below 2"),
        ("refuses-401", errors.KeyRefused, "Invalid API key"),
        ("refuses-402", errors.CreditUsedUp, "Insufficient balance"),
        ("refuses-403", errors.AccessForbidden, "Your country is not supported"),
        ("refuses-404", errors.EndpointNotFound, "model 'x' not found"),
        ("refuses-422", errors.RequestRejected, "Extra inputs"),
        ("refuses-429", errors.RateLimitedFor, "Too many requests"),
        ("no-quota", errors.CreditUsedUp, "No quota"),
        ("refuses-overflow", errors.ContextOverflow, "9000 tokens"),
        ("redirects", errors.ProviderRedirects, "/well/v1"),
        ("no-status", errors.ProviderUnreachable, "the connection was lost"),
        ("error-200", errors.ProviderFailed, "model is gone"),
        ("empty-choices", errors.AnswerMalformed, "no answer"),
        ("null-choices", errors.AnswerMalformed, "no answer"),
        ("empty-body", errors.AnswerMalformed, "no answer"),
        ("html", errors.AnswerMalformed, "it sent a web page"),
    ],
)
def test_without_an_answer(
    model: Make, server: Misbehaving, behaviour: str, kind: type[WorkbenchError], says: str
) -> None:
    events, error = outcome(model(behaviour))
    assert (events, type(error)) == ([], kind)
    assert says in str(error)
    assert error.advice()
    assert len(server.asked) == 1, "what will not pass is not asked again"


@pytest.mark.parametrize(
    ("behaviour", "kind", "says"),
    [
        ("refuses-429-bare", errors.RateLimited, "Too many requests"),
        ("refuses-500", errors.ProviderFailed, "500, Traceback: boom"),
        ("refuses-503", errors.ProviderFailed, "503, Loading model"),
        ("refuses-html", errors.ProviderFailed, "502, Bad Gateway"),
        ("endless-error", errors.ProviderFailed, "500, xxx"),
    ],
)
def test_what_may_pass_is_asked_again_and_then_said(
    model: Make, server: Misbehaving, behaviour: str, kind: type[WorkbenchError], says: str
) -> None:
    events, error = outcome(model(behaviour, retries=1))
    assert (events, type(error)) == ([], kind)
    assert says in str(error)
    assert len(str(error)) < 500
    assert len(server.asked) == 2


def test_attempts_are_counted(model: Make, server: Misbehaving) -> None:
    _, error = outcome(model("busy-thrice", retries=2))
    assert isinstance(error, errors.RateLimitedFor)
    assert len(server.asked) == 3


def test_a_long_retry_after_is_said_and_not_waited_for(model: Make, server: Misbehaving) -> None:
    _, error = outcome(model("refuses-429"))
    assert error.advice().startswith("Ask again in 3600 s")
    assert words.explain(error, "fr")[1].startswith("Redemandez dans 3\u202f600\u202fs")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("behaviour", "kind", "says"),
    [
        ("cut", errors.AnswerCut, "the end is missing"),
        ("cut-in-event", errors.AnswerCut, "the end is missing"),
        ("cut-by-length", errors.AnswerCut, "the connection was lost"),
        ("resets", errors.AnswerCut, "the connection was lost"),
        ("error-reason", errors.AnswerCut, "the end is missing"),
        ("not-json", errors.AnswerMalformed, "malformed"),
        ("not-utf8", errors.AnswerMalformed, "utf-8"),
        ("wrong-types", errors.AnswerMalformed, "$.choices[0].delta.content"),
        ("nested", errors.AnswerMalformed, "recursion"),
        ("endless-line", errors.AnswerMalformed, "16 MB"),
        ("error-event", errors.ProviderFailed, "CUDA out of memory"),
        ("error-event-429", errors.RateLimited, "slow down"),
        ("error-object", errors.ProviderFailed, "engine is dead"),
    ],
)
def test_in_mid_answer_what_had_come_is_kept(
    model: Make, server: Misbehaving, behaviour: str, kind: type[WorkbenchError], says: str
) -> None:
    events, error = outcome(model(behaviour))
    assert asking.text(events) == SAID
    assert type(error) is kind
    assert says in str(error)
    assert len(server.asked) == 1, "after the first token nothing is asked again"


def test_silence_in_mid_answer(model: Make, server: Misbehaving) -> None:
    events, error = outcome(model("stalls", timeouts=SHORT))
    assert asking.text(events) == SAID
    assert isinstance(error, errors.ProviderTimedOut)
    assert len(server.asked) == 1


def test_silence_before_the_answer(model: Make, server: Misbehaving) -> None:
    events, error = outcome(model("never-answers", timeouts=SHORT))
    assert (events, type(error)) == ([], errors.ProviderTimedOut)
    assert len(server.asked) == 1


def test_text_that_was_held_back_comes_before_the_error(model: Make) -> None:
    events, error = outcome(model("cut-thinking"))
    assert "".join(event.text for event in events if isinstance(event, Reasoning)) == "Let me see</th"
    assert isinstance(error, errors.AnswerCut)
    events, _ = outcome(model("half-tag"))
    assert asking.text(events) == " <thi"


@pytest.mark.parametrize("behaviour", ["no-usage", "zero-usage", "mad-usage"])
def test_without_counts_they_are_estimated_and_marked(model: Make, behaviour: str) -> None:
    usage = end(model(behaviour)).usage
    assert usage.estimated
    assert usage.generated_tokens == 6, "22 characters, four a token"
    assert usage.prompt_tokens == 12


def test_counts_and_speed_of_nothing(model: Make) -> None:
    last = end(model("no-text"))
    assert (last.usage.generated_tokens, last.usage.estimated, last.reason) == (0, False, "stop")
    assert last.timings.decode_rate is last.timings.ttft_s is None


def test_a_wrong_content_type_over_a_sound_stream_is_no_matter(model: Make) -> None:
    assert end(model("wrong-type")).reason == "stop"


def end(model: RemoteModel) -> Finished:
    return finished(list(model.stream(request())))


def test_nobody_listens_at_that_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        _, error = outcome(RemoteModel(INFO, f"http://127.0.0.1:{taken.getsockname()[1]}/v1", KEY))
    assert isinstance(error, errors.ProviderUnreachable)
    assert "the connection was refused" in str(error)


def test_no_such_host() -> None:
    _, error = outcome(RemoteModel(INFO, "http://nowhere.invalid/v1", KEY))
    assert isinstance(error, errors.ProviderUnreachable)


def test_no_tls_where_tls_was_asked_for(server: Misbehaving) -> None:
    _, error = outcome(RemoteModel(INFO, server.url("well").replace("http:", "https:"), KEY))
    assert isinstance(error, errors.ProviderUntrusted)
    assert server.asked == []
