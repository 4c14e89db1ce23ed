"""Words for browser tests of the Chat page: a real workbench on a server, browsers that are watched, what one does.

What is kept is read from the server's own database, beside it.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from core.chat import Asking, asking_to_settings
from core.messages import Sampling
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.records import StoredMessage
from pages.ui.owner import PERSON
from tests.e2e.serving import PATIENCE_S, Server, serve, until

PATIENCE_MS = PATIENCE_S * 1000
STORY = "Write a very long story about a lighthouse keeper."
"""At temperature 0 the embedded model goes on with it for thousands of tokens."""


@dataclass(frozen=True)
class Workbench:
    """A running workbench with a data folder of its own."""

    server: Server
    home: Path
    database: Database

    @property
    def conversations(self) -> Conversations:
        return Conversations(self.database)

    def prepared(self, *, max_tokens: int = 100_000) -> str:
        """The address of a conversation without messages that is asked greedily."""
        asking = Asking(sampling=Sampling(temperature=0.0), max_tokens=max_tokens)
        kept = self.conversations.create(PERSON, settings=asking_to_settings(asking))
        return f"{self.server.address}?c={kept.id}"

    def newest(self, page: Page) -> StoredMessage:
        """The last message of the conversation that a page shows, as it is kept."""
        return self.conversations.messages(PERSON, conversation_in(page))[-1]

    def hush(self) -> None:
        """Stops every answer."""
        sql = "SELECT answer_id FROM messages WHERE status = 'streaming' AND answer_id IS NOT NULL"
        with self.database.reading() as connection:
            running = [row["answer_id"] for row in connection.execute(sql)]
        for id in running:
            address = f"{self.server.address}workbench/answers/{id}/stop"
            with suppress(urllib.error.HTTPError):  # it has ended meanwhile
                urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=PATIENCE_S).close()


_LOOKED_FOR = ("/_stcore/health", "/_stcore/host-config")


class Watch:
    """What a browser asked for and complained about. `lost` allows for a server that goes away."""

    def __init__(self, context: BrowserContext) -> None:
        self.lost = False
        self.asked: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self.asked.append(socket.url)))
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def check(self) -> None:
        hosts = {urlsplit(url).hostname for url in self.asked if not url.startswith(("data:", "blob:"))}
        assert hosts <= {"127.0.0.1", "localhost"}
        assert self.lost or self.complaints == [], self.complaints

    def followed(self) -> int:
        """How many connections have followed an answer."""
        return sum(url.startswith("ws") and "/workbench/answers/" in url for url in self.asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            url = str(message.location.get("url", ""))
            # Opened at a page's own address, Streamlit first asks below it, and finds its base by being told 404.
            if not ("status of 404" in message.text and url.endswith(_LOOKED_FOR)):
                self.complaints.append(f"{message.text} {url}".strip())


@contextmanager
def workbench(home: Path, *, owners: str = "person", port: int | None = None) -> Iterator[Workbench]:
    """The workbench over a data folder, as `streamlit run app.py` serves it."""
    environ = {"WORKBENCH_HOME": str(home), "WORKBENCH_OWNERS": owners, "WORKBENCH_MODELS": ""}
    with serve("app.py", port=port, environ=environ) as server:
        database = Database(home / "workbench.db")
        yield Workbench(server, home, database)
        database.close()


@contextmanager
def watched(browser: Browser, locale: str = "en-GB") -> Iterator[tuple[BrowserContext, Watch]]:
    """A browser of its own: no cookies, nothing remembered. Nothing leaves this machine, nothing goes wrong in it."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch(context)
    yield context, watch
    complaints = list(watch.complaints)  # what is lost by closing it is nobody's fault
    context.close()
    watch.complaints = complaints
    watch.check()


def ask(page: Page, question: str) -> None:
    """Types a question and sends it."""
    entry = page.get_by_test_id("stChatInputTextArea")
    entry.fill(question)
    entry.press("Enter")


def live(page: Page) -> Locator:
    """The text of the answer that is coming."""
    return page.locator(".live-answer .text")


def grown(page: Page, than: str = "", characters: int = 1) -> str:
    """Waits until the answer that is coming is longer than `than` by so many characters; all there is of it."""
    until(lambda: len(live(page).inner_text()) >= len(than) + characters)
    return live(page).inner_text()


def stop(page: Page) -> None:
    """Stops the answer and waits until it is drawn for good."""
    page.get_by_role("button", name="Stop").click()
    drawn(page)


def drawn(page: Page) -> None:
    """Waits until the newest answer is drawn for good."""
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()


def begins(whole: str, part: str) -> bool:
    """Whether a text begins with another, however either is laid out."""
    return "".join(whole.split()).startswith("".join(part.split()))


def said(page: Page) -> str:
    """The text of the newest answer, drawn for good."""
    return page.get_by_test_id("stChatMessage").last.get_by_test_id("stMarkdown").first.inner_text()


def first_line(text: str) -> str:
    """Where a text has no formatting yet."""
    return text.strip().split("\n")[0]


def conversation_in(page: Page) -> str:
    """The id of the conversation in a page's address."""
    until(lambda: "c=" in urlsplit(page.url).query)
    return next(part[2:] for part in urlsplit(page.url).query.split("&") if part.startswith("c="))
