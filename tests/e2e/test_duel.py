"""A blind duel in a real browser: started, voted on with the keyboard, explained, revealed; and nothing that is sent to
the browser before the vote says who answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, WebSocket, expect

from core.settings import Settings
from core.store.votes import Votes
from core.workbench import beside
from pages.ui.owner import PERSON
from tests.arena.speaking import Speaking
from tests.e2e.chatting import Watch, Workbench, watched
from tests.e2e.serving import until

pytestmark = pytest.mark.e2e

QUESTION = "Where is the treasure?"
ONE, OTHER = "parrot-7b-q4_0", "parrot-7b-q8_0"
SAID = {
    ONE: "Under the third palm tree. " + "Dig where the shadow ends at noon, says the map, and dig deep. " * 3,
    OTHER: "I have it already. " + "It glitters so much that nobody looks at me any more, which is a pity. " * 2,
}
META = {ONE: {"n_params": 7_000_000_000, "ftype": "Q4_0"}, OTHER: {"n_params": 7_000_000_000, "ftype": "Q8_0"}}
SECRET = ("parrot", "q4_0", "q8_0", "Q4_0", "Q8_0")


@pytest.fixture(scope="module")
def server() -> Iterator[Speaking]:
    with Speaking(**SAID) as running:
        running.meta.update(META)
        yield running


@pytest.fixture
def endpoint(bench: Workbench, server: Speaking) -> Iterator[str]:
    """The endpoint is connected while the test runs; its address."""
    opened = beside(Settings(home=bench.home))
    opened.connections.connect(PERSON, server.base_url)
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright has an event loop in this thread, and only one fits
        elsewhere.submit(opened.connections.models, PERSON, server.base_url).result()
    yield server.base_url
    opened.connections.disconnect(PERSON, server.base_url)
    opened.close()


class Received:
    """All that a browser is sent: frames, pages, addresses."""

    def __init__(self, context: BrowserContext) -> None:
        self._texts: list[str] = []
        context.on("page", lambda page: page.on("websocket", self._listen))
        context.on("response", self._note)

    def said(self, *words: str) -> list[str]:
        """Which of these words were in it."""
        everything = "\n".join(self._texts)
        return [word for word in words if word in everything]

    def figures(self) -> list[str]:
        """Speeds and counts in the frames of what is followed live."""
        return re.findall(r'"(?:rate|tokens|thinking_s)":\s*[1-9][\d.]*', "\n".join(self._texts))

    def _listen(self, socket: WebSocket) -> None:
        self._texts.append(socket.url)
        socket.on("framereceived", self._frame)

    def _frame(self, payload: str | bytes) -> None:
        self._texts.append(payload if isinstance(payload, str) else payload.decode("utf-8", "replace"))

    def _note(self, response: Response) -> None:
        self._texts.append(response.url)
        if response.request.resource_type in ("document", "xhr", "fetch") and response.ok:
            self._texts.append(response.text())


@contextmanager
def listening(browser: Browser) -> Iterator[tuple[Page, Received]]:
    with watched(browser) as (context, watch):
        received = Received(context)
        yield context.new_page(), received
        forgive(watch)


def forgive(watch: Watch) -> None:
    """Streamlit asks below a page's own address whether the server is well, before it asks at the root."""
    watch.complaints = [complaint for complaint in watch.complaints if "/compare/_stcore/" not in complaint]


def start(page: Page, watch: Watch, bench: Workbench) -> None:
    """Starts a duel of the two of the server."""
    page.goto(f"{bench.server.address}compare?view=duel")
    page.get_by_text("Quantization against quantization").click()
    expect(page.get_by_text("1 pair is possible.")).to_be_visible()
    page.get_by_label("The question to both").fill(QUESTION)
    page.get_by_role("button", name="Start the duel").click()
    page.wait_for_url("**duel=*")
    forgive(watch)


def votes(bench: Workbench) -> Votes:
    return Votes(bench.database)


def choice(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def test_a_duel_from_the_question_to_the_reveal(
    browser: Browser, page: Page, watch: Watch, bench: Workbench, server: Speaking, endpoint: str
) -> None:
    server.held.clear()
    start(page, watch, bench)
    expect(page.get_by_text("Both are writing…")).to_be_visible()
    with listening(browser) as (beside, received):
        beside.goto(page.url)
        expect(beside.get_by_text("Both are writing…")).to_be_visible()
        server.held.set()
        expect(beside.locator(".live-answer .text").first).to_be_visible()
        expect(choice(beside, "A is better")).to_be_visible()
        for text in SAID.values():
            expect(beside.get_by_text(text[:18])).to_be_visible()
        assert received.said(QUESTION, "I have it already.") == [QUESTION, "I have it already."]
        assert received.said(*SECRET, endpoint) == [] and received.figures() == []
        assert votes(bench).count(PERSON) == 0
        beside.keyboard.press("1")
        expect(beside.get_by_role("heading", name="You found")).to_be_visible()
        (vote,) = votes(bench).list(PERSON)
        assert vote.choice == "a" and {vote.a.model_name, vote.b.model_name} == set(SAID)
        expect(beside.get_by_text("Answer A: ")).to_be_visible()
        beside.wait_for_function("() => true")  # what has been received is told while something is asked
        assert received.said(*SAID) == list(SAID)
        beside.get_by_role("button", name="Clear").first.click()
        beside.get_by_role("button", name="Wrong").last.click()
        expect(beside.get_by_text("Kept with your vote.")).to_be_visible()
        until(lambda: votes(bench).get(PERSON, vote.id).a.reasons == ("clear",))
        until(lambda: votes(bench).get(PERSON, vote.id).b.reasons == ("wrong",))
    page.reload()
    expect(page.get_by_role("heading", name="You found")).to_be_visible()


def test_both_can_be_shown_at_once_and_a_reload_shows_them_still(
    page: Page, watch: Watch, bench: Workbench, server: Speaking, endpoint: str
) -> None:
    start(page, watch, bench)
    page.get_by_role("button", name="Show both at once").click()
    expect(choice(page, "Both are bad")).to_be_visible()
    page.reload()
    for name in ("A is better", "B is better", "Tie", "Both are bad"):
        expect(choice(page, name)).to_be_visible()
    for text in SAID.values():
        expect(page.get_by_text(text.strip()[-40:])).to_be_visible()


def test_one_that_fails_is_not_named(
    browser: Browser, page: Page, watch: Watch, bench: Workbench, server: Speaking, endpoint: str
) -> None:
    server.failing.add(OTHER)
    start(page, watch, bench)
    expect(page.get_by_text("One of the two could not answer.")).to_be_visible()
    with listening(browser) as (beside, received):
        beside.goto(page.url)
        expect(beside.get_by_text("One of the two could not answer.")).to_be_visible()
        assert received.said(*SECRET, "does not like this", endpoint) == []
        server.failing.clear()
        beside.get_by_role("button", name="Try again").click()
        expect(choice(beside, "Tie")).to_be_visible()
        assert received.said(*SECRET, endpoint) == []
