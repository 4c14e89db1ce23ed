"""A remote model over real HTTP: what is sent, what comes back, how it is stopped, and whom the key reaches."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import KeyRefused, NotSupported, ProviderRedirects, ProviderTimedOut, SettingInvalid
from core.events import Event, Finished, Idle, Text
from core.messages import ChatRequest, Message, Sampling
from core.models.remote.client import RemoteModel
from core.models.remote.endpoint import Timeouts
from tests import asking
from tests.asking import finished, request
from tests.models.remote.conftest import INFO, KEY
from tests.models.remote.misbehaving import LONGEST_WAIT_S, MEGABYTE, Misbehaving

Make = Callable[..., RemoteModel]
ROOT = Path(__file__).resolve().parents[3]
OPEN_FILES = Path("/proc/self/fd")


def answer(model: RemoteModel, asked: ChatRequest | None = None) -> list[Event]:
    return [event for event in model.stream(asked or request()) if not isinstance(event, Idle)]


def test_an_answer_comes_in_pieces_and_ends_with_what_the_server_counted(model: Make) -> None:
    events = answer(model("well"))
    assert [event.text for event in events if isinstance(event, Text)] == ["The ", "capital ", "is Paris."]
    end = finished(events)
    assert (end.reason, end.usage.prompt_tokens, end.usage.generated_tokens) == ("stop", 11, 3)
    assert not end.usage.estimated
    assert end.usage.context_length == 4096
    assert end.timings.ttft_s is not None and end.timings.end_to_end_s is not None
    assert 0 < end.timings.ttft_s <= end.timings.end_to_end_s


def test_the_exact_request_is_what_is_sent(model: Make, server: Misbehaving) -> None:
    asked = request(
        "Où ? 🙂",
        sampling=Sampling(temperature=0.3, seed=7, logit_bias={5: -1.5}),
        stop=("END",),
        logprobs=4,
        json_schema={"type": "object"},
    )
    remote = model("well")
    answer(remote, asked)
    assert server.asked[0].body == remote.exact_request(asked)
    assert server.asked[0].path == "/well/v1/chat/completions"
    assert remote.url == server.url("well") + "/chat/completions"


def test_only_our_headers_are_sent(model: Make, server: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables meant for OpenAI do not follow to another host, nor does what tells of this machine."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-elsewhere")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Elsewhere: secret\nAuthorization: Bearer elsewhere")
    answer(model("well", headers={"X-Title": "Workbench"}))
    sent = server.asked[0].headers
    assert sent["authorization"] == f"Bearer {KEY}"
    assert sent["x-title"] == "Workbench"
    assert sent.keys() == {
        *("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"),
        *("host", "user-agent", "x-title"),
    }


def test_without_a_key_none_is_sent(server: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-host")
    answer(RemoteModel(INFO, server.url("well")))
    assert "authorization" not in server.asked[0].headers


def test_on_this_machine_no_proxy_stands_between(model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert asking.text(answer(model("well"))) == "The capital is Paris."


def test_a_server_that_rejects_stream_options_is_asked_once_without(model: Make, server: Misbehaving) -> None:
    remote = model("rejects-usage")
    first = answer(remote)
    assert asking.text(first) == "ok"
    assert finished(first).usage.estimated
    assert ["stream_options" in asked.body for asked in server.asked] == [True, False]
    answer(remote)
    assert len(server.asked) == 3, "it is remembered"
    assert "stream_options" not in remote.exact_request(request())


@pytest.mark.parametrize("behaviour", ["busy-once-429", "busy-once-503"])
def test_before_the_answer_a_busy_server_is_asked_again(model: Make, server: Misbehaving, behaviour: str) -> None:
    assert asking.text(answer(model(behaviour))) == "The capital is Paris."
    assert len(server.asked) == 2
    assert server.asked[0].body == server.asked[1].body


def test_a_stream_that_ends_without_its_mark_is_whole_when_the_model_has_ended_it(model: Make) -> None:
    assert finished(answer(model("no-done"))).reason == "length"
    assert finished(answer(model("no-reason"))).reason == "stop"


def test_counts_are_not_awaited_for_ever(model: Make, server: Misbehaving) -> None:
    events = answer(model("lingers", timeouts=Timeouts(linger_s=0.2)))
    assert finished(events).usage.generated_tokens == 3
    assert server.dropped.wait(LONGEST_WAIT_S)


def test_an_answer_in_one_piece_is_taken(model: Make) -> None:
    events = answer(model("in-one-piece"))
    assert asking.text(events) == "The capital is Paris."
    assert finished(events).timings.decode_rate is None


def test_characters_cut_anywhere_are_whole(model: Make) -> None:
    assert asking.text(answer(model("trickles"))) == "é🙂 ﷺ"


def test_a_megabyte_in_one_event(model: Make) -> None:
    assert asking.text(answer(model("megabyte"))) == MEGABYTE


def test_while_nothing_comes_idle_is_said_and_closing_drops_the_connection(model: Make, server: Misbehaving) -> None:
    for behaviour in ("never-answers", "stalls"):
        server.dropped.clear()
        stream = model(behaviour).stream(request())
        while not isinstance(next(stream), Idle) or not server.asked:
            pass
        stream.close()
        assert server.dropped.wait(LONGEST_WAIT_S), behaviour
        server.asked.clear()


def test_closing_in_mid_answer_drops_the_connection(model: Make, server: Misbehaving) -> None:
    stream = model("endless").stream(request())
    assert any(isinstance(event, Text) for event in stream)
    stream.close()
    assert server.dropped.wait(LONGEST_WAIT_S)


def test_closing_while_waiting_for_another_attempt_asks_no_more(model: Make, server: Misbehaving) -> None:
    stream = model("wait", timeouts=Timeouts(wait_s=60.0)).stream(request())
    while not server.asked:
        next(stream)
    next(stream)
    stream.close()
    for thread in readers():
        thread.join(LONGEST_WAIT_S)
    assert readers() == []
    assert len(server.asked) == 1


def test_answers_at_the_same_time_do_not_mix(model: Make) -> None:
    remote, texts = model("well"), []
    threads = [threading.Thread(target=lambda: texts.append(asking.text(answer(remote)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["The capital is Paris."] * 4


def test_a_redirection_is_not_followed_and_nothing_of_it_is_quoted_but_the_address(
    model: Make, server: Misbehaving
) -> None:
    with pytest.raises(ProviderRedirects) as caught:
        answer(model("redirects"))
    assert server.url("well") in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(server.asked) == 1


def test_the_key_is_in_no_error_repr_or_log(model: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    remote = model("echo-key", headers={"x-api-key": "another-canary"})
    with pytest.raises(KeyRefused) as caught:
        answer(remote)
    error = caught.value
    assert "…" in str(error), "the server quoted it"
    shown = [str(error), repr(error), error.advice(), str(error.to_dict()), repr(remote), repr(remote._endpoint)]
    assert not [text for text in [*shown, caplog.text] if "canary" in text]
    assert caplog.records
    assert error.__cause__ is None and error.__suppress_context__


def test_settings_out_of_their_range_are_refused_before_anything_is_sent(model: Make, server: Misbehaving) -> None:
    with pytest.raises(SettingInvalid):
        answer(model("well"), request(sampling=Sampling(temperature=float("nan"))))
    with pytest.raises(NotSupported):
        answer(model("well"), ChatRequest(prompt="Once", messages=(Message("user", "x"),)))
    assert server.asked == []


def test_a_time_out_says_how_long_was_waited(model: Make) -> None:
    with pytest.raises(ProviderTimedOut, match=r"0\.2 s"):
        answer(model("never-answers", timeouts=Timeouts(read_s=0.2)))


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="this system does not list a process's open files")
def test_nothing_is_left_open(model: Make) -> None:
    remote = model("well")
    answer(remote)
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(5):
        assert isinstance(answer(remote)[-1], Finished)
    for thread in readers():
        thread.join(LONGEST_WAIT_S)
    assert len(list(OPEN_FILES.iterdir())) <= before + 2


def test_what_the_first_request_needs_can_be_read_in_ahead() -> None:
    program = (
        "import sys; from core.models.remote import client, reading\n"
        "before = 'openai' in sys.modules; reading.prepare(); print(before, 'openai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("False True", "")


def readers() -> list[threading.Thread]:
    """The threads that read from the endpoint."""
    return [thread for thread in threading.enumerate() if thread.name == f"reading {INFO.provider}"]
