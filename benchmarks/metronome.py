"""An endpoint that speaks OpenAI's API and sends tokens at a given pace, and when each of them could be seen in a page.

Each of its models writes tokens of its own letter (`a000000 a000001 …`), so that streams can be told apart in a page.
It notes when each token left, and the page when it could be seen first, by the same clock.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.chat_page import ANSWER_LIMIT_S
from benchmarks.figure import Unmeasurable

A_PARAGRAPH = 40

WATCH = """() => {
  const noted = { pressed: null, seen: {} };
  const found = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
    ...(node.matches(".live-answer .text") ? [node] : []), ...(node.shadowRoot ? found(node.shadowRoot) : [])]);
  const clock = () => performance.timeOrigin / 1000 + performance.now() / 1000;
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") noted.pressed ??= clock(); }, true);
  const follow = (text) => {
    const look = () => {
      const [, letter, number] = text.textContent.match(/([a-z])(\\d{6})\\s*$/) ?? [];
      if (!letter) return;
      const seen = (noted.seen[letter] ??= []);
      if (Number(number) > (seen.at(-1)?.[1] ?? -1)) seen.push([clock(), Number(number)]);
    };
    new MutationObserver(look).observe(text, { childList: true, characterData: true, subtree: true });
    look();
  };
  const followed = new WeakSet();
  clearInterval(window.benchmarkTimer);
  window.benchmarkTimer = setInterval(() => {
    for (const text of found(document)) if (!followed.has(text)) { followed.add(text); follow(text); }
    if (followed.size === COUNT) clearInterval(window.benchmarkTimer);
  }, 25);
  window.benchmarkNoted = noted;
}"""
"""Runs in the page before a question: notes when Enter was pressed, and for each letter when which token could be seen
first; seconds since 1970. COUNT: how many answers will come."""


class Metronome:
    """The endpoint: a model for each of `letters`, such as `metronome-a`.

    `arrived`: when each question came; `sent`: when each token of a letter's newest answer left; seconds since 1970.
    """

    def __init__(self, tokens: int, *, rate: float, letters: str) -> None:
        self.tokens = tokens
        self.rate = rate
        self.letters = letters
        self.arrived: list[float] = []
        self.sent: dict[str, list[float]] = {letter: [] for letter in letters}

    def text(self, letter: str) -> str:
        """A whole answer."""
        return "".join(self._token(letter, number) for number in range(self.tokens))

    def answer(self, letter: str) -> Iterator[str]:
        """The texts of an answer, each when its time has come."""
        sent = self.sent[letter] = []
        began = time.monotonic()
        for number in range(self.tokens):
            time.sleep(max(began + number / self.rate - time.monotonic(), 0.0))
            sent.append(time.time())
            yield self._token(letter, number)

    def finished(self) -> bool:
        """Whether every letter's newest answer has left."""
        return all(len(sent) == self.tokens for sent in self.sent.values())

    def _token(self, letter: str, number: int) -> str:
        return f"{letter}{number:06d}" + ("\n\n" if number % A_PARAGRAPH == A_PARAGRAPH - 1 else " ")


def name(letter: str) -> str:
    """What the model is called that writes this letter."""
    return f"metronome-{letter}"


@contextmanager
def serving(metronome: Metronome) -> Iterator[str]:
    """Its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.head("application/json")
            listed = [{"id": name(letter), "object": "model"} for letter in metronome.letters]
            self.wfile.write(json.dumps({"object": "list", "data": listed}).encode())

        def do_POST(self) -> None:
            metronome.arrived.append(time.time())
            letter = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"][-1]
            self.head("text/event-stream")
            with suppress(OSError):  # the page has stopped the answer
                for text in metronome.answer(letter):
                    self.event({"choices": [{"index": 0, "delta": {"content": text}}]})
                self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                usage = {"prompt_tokens": 9, "completion_tokens": metronome.tokens}
                self.event({"choices": [], "usage": usage})
                self.wfile.write(b"data: [DONE]\n\n")

        def head(self, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()

        def event(self, value: Any) -> None:
            self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the terminal is for the figures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def watch(answers: int = 1) -> str:
    """The script `WATCH` for so many answers."""
    return WATCH.replace("COUNT", str(answers))


def lag(sent: list[float], seen: list[tuple[float, int]]) -> list[float]:
    """For each token, seconds from its leaving to the first moment it could be seen.

    seen: (moment, number of the last token that could be seen), both ascending.
    """
    lags, place = [], 0
    for number, left in enumerate(sent):
        while place < len(seen) and seen[place][1] < number:
            place += 1
        if place == len(seen):
            break
        lags.append(seen[place][0] - left)
    return lags


def until(condition: Callable[[], bool]) -> None:
    """Waits for it. Raises `Unmeasurable` after the time that an answer may take."""
    deadline = time.monotonic() + ANSWER_LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise Unmeasurable("the question did not reach the endpoint, or the answer did not end")
        time.sleep(0.01)
