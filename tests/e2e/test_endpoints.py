"""Endpoints on the Chat page in a real browser: each way of failing is said, with the cure, and nothing is lost; and
the same conversation with the embedded model, llama.cpp's own server and a server that misbehaves."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.chat import Asking, asking_to_settings
from core.messages import Sampling
from core.store.records import StoredMessage
from pages.ui.owner import PERSON
from tests.e2e.chatting import Workbench, ask, conversation_in, drawn, watched
from tests.e2e.serving import free_port, until
from tests.models.remote.misbehaving import MEGABYTE, WORDS, Misbehaving

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "What is the capital of France?"
SAID = "".join(WORDS)

FAULTS = {
    "no-status": ("cannot be reached", ""),
    "refuses-401": ("wants a key", ""),
    "refuses-403": ("does not allow this", ""),
    "refuses-404": ("does not know tiny", ""),
    "refuses-429": ("takes no more requests for now", ""),
    "refuses-500": ("failed: 500, Traceback: boom", ""),
    "refuses-503": ("failed: 503, Loading model", ""),
    "html": ("a web page", ""),
    "endless-line": ("cannot be read", SAID),
    "not-json": ("cannot be read", SAID),
    "cut": ("stopped in the middle of its answer", SAID),
    "resets": ("stopped in the middle of its answer", SAID),
    "error-event": ("CUDA out of memory", SAID),
}
"""What the page says, and what it keeps of the answer."""

WELL_ENOUGH = ("no-usage", "zero-usage", "wrong-type", "empty-choices", "in-one-piece")


@pytest.fixture(scope="module")
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One for all: each test opens a conversation of its own in it."""
    with watched(browser) as (context, _):
        yield context.new_page()


@pytest.fixture(autouse=True)
def _hushed(bench: Workbench) -> Iterator[None]:
    yield
    bench.hush()


def opened(page: Page, bench: Workbench, model_id: str | None, *, max_tokens: int = 8) -> Page:
    """A conversation without messages, with this model."""
    kept = asking_to_settings(Asking(sampling=Sampling(temperature=0.0), max_tokens=max_tokens))
    id = bench.conversations.create(PERSON, model_id=model_id, settings=kept).id
    page.goto(f"{bench.server.address}?c={id}")
    return page


@pytest.mark.parametrize("fault", FAULTS)
def test_an_endpoint_that_fails_is_said_and_nothing_is_lost(
    page: Page, bench: Workbench, server: Misbehaving, fault: str
) -> None:
    sentence, kept = FAULTS[fault]
    ask(opened(page, bench, f"{server.url(fault)}#tiny"), QUESTION)
    expect(page.get_by_test_id("stAlert")).to_contain_text(sentence)
    expect(page.get_by_test_id("stChatMessage").first).to_contain_text(QUESTION)
    answer = bench.newest(page)
    assert (answer.status, answer.content) == ("failed", kept)
    if kept:
        expect(page.get_by_test_id("stChatMessage").last).to_contain_text(kept)


def test_a_failure_is_still_said_when_the_page_is_opened_again(
    page: Page, bench: Workbench, server: Misbehaving
) -> None:
    ask(opened(page, bench, f"{server.url('cut')}#tiny"), QUESTION)
    expect(page.get_by_test_id("stAlert")).to_contain_text("stopped in the middle")
    page.reload()
    expect(page.get_by_test_id("stAlert")).to_contain_text("stopped in the middle")
    expect(page.get_by_test_id("stChatMessage").last).to_contain_text(SAID)


@pytest.mark.parametrize("fault", ["never-answers", "stalls"])
def test_an_endpoint_that_falls_silent_can_be_stopped(
    page: Page, bench: Workbench, server: Misbehaving, fault: str
) -> None:
    ask(opened(page, bench, f"{server.url(fault)}#tiny"), QUESTION)
    if fault == "stalls":
        expect(page.locator(".live-answer .text")).to_contain_text(SAID)
    server.dropped.clear()
    page.get_by_role("button", name="Stop").click()
    drawn(page)
    assert bench.newest(page).content == (SAID if fault == "stalls" else "")
    until(server.dropped.is_set)


@pytest.mark.parametrize("oddity", WELL_ENOUGH)
def test_an_endpoint_that_is_only_odd_is_answered_from(
    page: Page, bench: Workbench, server: Misbehaving, oddity: str
) -> None:
    ask(opened(page, bench, f"{server.url(oddity)}#tiny"), QUESTION)
    drawn(page)
    assert bench.newest(page).content == ("" if oddity == "empty-choices" else SAID)


def test_a_megabyte_in_one_event_is_drawn_and_the_page_goes_on(
    page: Page, bench: Workbench, server: Misbehaving
) -> None:
    ask(opened(page, bench, f"{server.url('megabyte')}#tiny"), QUESTION)
    drawn(page)
    assert bench.newest(page).content == MEGABYTE
    first = bench.newest(page)
    ask(page, "And now?")
    until(lambda: bench.newest(page).id != first.id and bench.newest(page).content == MEGABYTE)


@contextmanager
def llama_server(model: Path) -> Iterator[str]:
    """llama.cpp's own server; its base URL."""
    tools = os.environ.get("LLAMA_CPP_TOOLS")
    if not tools:
        pytest.skip("LLAMA_CPP_TOOLS names no folder with llama-server (benchmarks/build_llamacpp.py makes one)")
    port = free_port()
    command = [str(Path(tools) / "llama-server"), "-m", str(model), "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen([*command, "-c", "1024"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(f"http://127.0.0.1:{port}/health"))
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except OSError:
        return False


def answered(page: Page, bench: Workbench, *, after: str = "") -> StoredMessage:
    """The newest answer, once it is kept whole and drawn for good; another one than `after`."""
    id = conversation_in(page)

    def ended() -> bool:
        *_, newest = [None, *bench.conversations.messages(PERSON, id, last=1)]
        return newest is not None and newest.role == "assistant" and newest.id != after and newest.status != "streaming"

    until(ended)
    newest = bench.newest(page)
    assert newest.status == "complete"
    expect(page.get_by_test_id("stChatMessage").last).to_contain_text(newest.content.split("\n")[0].strip())
    drawn(page)
    return newest


def converse(page: Page, bench: Workbench, model_id: str | None) -> list[str]:
    """The answers of two turns, the second given twice."""
    ask(opened(page, bench, model_id), QUESTION)
    first = answered(page, bench)
    ask(page, "And of Spain?")
    second = answered(page, bench, after=first.id)
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2/2")).to_be_visible()
    third = answered(page, bench, after=second.id)
    assert third.parent_id == second.parent_id
    return [first.content, second.content, third.content]


def test_the_same_conversation_with_each_kind_of_model(page: Page, bench: Workbench, server: Misbehaving) -> None:
    ours = converse(page, bench, None)
    assert all(ours)
    assert converse(page, bench, f"{server.url('well')}#tiny") == [SAID] * 3


def test_the_same_conversation_with_llama_cpp_s_own_server(page: Page, bench: Workbench, smollm: Path) -> None:
    with llama_server(smollm) as url:
        theirs = converse(page, bench, f"{url}#smollm")
    assert all(theirs)
    finished = bench.newest(page).finished
    assert finished is not None and finished.timings.server["predicted_n"] == 8
