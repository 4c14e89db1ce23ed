"""The Chat page in a real Chromium, used as a person uses it, and what could be seen of an answer while it came.

Finds things by what a person reads (English) and by Streamlit's own test ids; the live answer by the class names of
pages/ui/live_answer/component.js.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.figure import Unmeasurable
from scripts.browser import executable

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE_S = 30
ANSWER_LIMIT_S = 120
ATTEMPTS, ATTEMPT_MS = 3, 5000
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

INPUT = '[data-testid="stChatInput"] textarea:enabled'
MESSAGE = '[data-testid="stChatMessage"]'

WATCH = """(limit_ms) => {
  const seen = { updates: [], figures: "" };
  const find = (root) => {
    const here = root.querySelector(".live-answer");
    if (here) return here;
    for (const node of root.querySelectorAll("*")) {
      const inside = node.shadowRoot && find(node.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  const follow = (answer, ended) => {
    const text = answer.querySelector(".text"), figures = answer.querySelector(".figures");
    let length = 0;
    const look = () => {
      const now = text.textContent.length;
      if (now !== length) seen.updates.push([performance.now() / 1000, (length = now)]);
      seen.figures = figures.textContent || seen.figures;
    };
    new MutationObserver(look).observe(answer, { childList: true, characterData: true, subtree: true });
    look();
    setInterval(() => answer.isConnected || ended(seen), 200);
  };
  window.benchmarkEnded = new Promise((ended) => {
    setTimeout(() => ended(seen), limit_ms);
    const timer = setInterval(() => {
      const answer = find(document);
      if (answer) { clearInterval(timer); follow(answer, ended); }
    }, 25);
  });
}"""
"""Runs in the page before a question: notes when the live answer's text changes (seconds), and its length then.

What was noted is the value of a promise, so that nobody has to ask the page while the answer comes."""


@dataclass(frozen=True)
class Seen:
    """What was seen of one answer: (seconds, characters) of each change, and the tokens it had at the end."""

    updates: tuple[tuple[float, int], ...]
    tokens: int

    @property
    def rate(self) -> float:
        """Tokens a second from the first visible change to the last; the first one's tokens, by their share of the
        characters, are not counted."""
        (began, first), (ended, whole) = self.updates[0], self.updates[-1]
        return self.tokens * (1 - first / whole) / (ended - began)

    @property
    def updates_a_second(self) -> float:
        """Visible changes a second."""
        return (len(self.updates) - 1) / (self.updates[-1][0] - self.updates[0][0])


@contextmanager
def chromium() -> Iterator[Page]:
    """An empty page of an English-speaking person. Raises `Unmeasurable` where there is no Chromium."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        except Error as error:
            raise Unmeasurable(f"Chromium does not start: {error.message.splitlines()[0]}") from error
        try:
            page = browser.new_page(locale="en-GB", viewport={"width": 1100, "height": 800})
            page.set_default_timeout(PATIENCE_S * 1000)
            yield page
        finally:
            browser.close()


class ChatPage:
    """The Chat page at an address."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._address = address

    def open(self) -> None:
        """A new conversation; returns when a question can be typed."""
        self._page.goto(self._address)
        self._page.wait_for_selector(INPUT, state="visible")

    def set(self, *, max_tokens: int) -> None:
        """Greedy, and at most so many tokens, for the conversation that is about to begin."""
        from playwright.sync_api import TimeoutError

        self._page.get_by_role("button", name="Settings").first.click()
        greedy = self._page.get_by_text("always the most probable token")
        for _ in range(ATTEMPTS):  # a key that comes while the settings are still being drawn is lost
            self._page.get_by_role("slider", name="Temperature").press("Home")
            with contextlib.suppress(TimeoutError):
                greedy.wait_for(timeout=ATTEMPT_MS)
                break
        field = self._page.get_by_role("spinbutton", name="Maximum tokens")
        field.fill(str(max_tokens))
        field.press("Enter")
        greedy.wait_for()
        self._page.keyboard.press("Escape")
        self._idle()

    def ask(self, question: str) -> None:
        """Asks, and returns when the answer is there for good."""
        before = self._page.locator(MESSAGE).count()
        self._send(question)
        self._page.locator(MESSAGE).nth(before + 1).wait_for()
        self._page.get_by_role("button", name="Regenerate").wait_for(timeout=ANSWER_LIMIT_S * 1000)
        self._page.locator(".live-answer").wait_for(state="detached")

    def watch(self, question: str, *, tokens: int) -> Seen:
        """Asks, and notes what can be seen of the answer, which has `tokens` tokens when it is not said otherwise."""
        self._page.evaluate(WATCH, ANSWER_LIMIT_S * 1000)
        self._send(question)
        noted = self._page.evaluate("window.benchmarkEnded")
        updates = tuple((float(at), int(length)) for at, length in noted["updates"])
        if len(updates) < 2 or updates[-1][0] <= updates[0][0]:
            raise Unmeasurable(f"the answer was not seen to grow: {len(updates)} changes")
        counted = "".join(c for c in str(noted["figures"]).split(" tokens")[0] if c.isdigit())
        return Seen(updates, int(counted) if counted else tokens)

    def _send(self, question: str) -> None:
        field = self._page.locator(INPUT)
        field.fill(question)
        field.press("Enter")

    def _idle(self) -> None:
        """Waits until the script has run for what was changed."""
        self._page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', state="attached")
        time.sleep(0.2)
