"""The Compare page in Chromium: six fast endpoints at once, and two local models one after another.

Six streams of 100 tokens/s each come from one loopback server (benchmarks/metronome.py), which notes when each token
left; the page notes when it could be seen, and is counted again when the answers are drawn for good. The local model is
the embedded one, twice, on the Chat page and in two panes in turns: the same question, greedy, the decode rate that
each answer was kept with. Comparisons are made in the store; asked they are on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from benchmarks.chat_page import ANSWER_LIMIT_S, INPUT, ChatPage, chromium
from benchmarks.figure import Figure, Plan, Unmeasurable
from benchmarks.metronome import Metronome, lag, name, serving, until, watch
from benchmarks.page import QUESTION
from benchmarks.processor import browser_processes, cores_while, server_processes
from benchmarks.remote_page import IDLE
from benchmarks.server import Server
from benchmarks.server import workbench as started
from core.arena.comparing import Timing
from core.chat import Asking
from core.messages import Sampling
from core.metrics import percentile
from core.settings import Settings
from core.workbench import Workbench, beside
from pages.ui.owner import PERSON

if TYPE_CHECKING:
    from playwright.sync_api import Page

LETTERS = "abcdef"
RATE = 100.0
TIMES = 4
"""Tokens of a remote answer, in those that the comparison with llama-bench writes: 10 s."""


def measure(plan: Plan) -> list[Figure]:
    """What six streams lose, how late they are, what they take; the speed of two panes to that of the Chat page."""
    return [*_remote(plan), *_local(plan)]


def _remote(plan: Plan) -> list[Figure]:
    metronome = Metronome(plan.generate * TIMES, rate=RATE, letters=LETTERS)
    runs: list[dict[str, Any]] = []
    with serving(metronome) as address, _pages(plan) as (page, server, mine):
        panes = [Asking(model_id=f"{address}#{name(letter)}") for letter in LETTERS]
        for _ in range(plan.repeat + 1):
            runs.append(_six(page, server, mine, metronome, panes))
    runs = runs[1:]  # the first has imported and compiled what the others find ready
    lags = [each for run in runs for each in run["lags"]]
    six = f"{len(LETTERS)} streams of {RATE:.0f} tokens/s side by side"
    return [
        Figure(
            name="compare.lost",
            what=f"{six}: tokens that are not kept, or not on the page",
            value=sum(run["lost"] for run in runs),
            unit="tokens",
            target=("≤", 0),
            details={"tokens": len(runs) * len(LETTERS) * metronome.tokens},
        ),
        Figure(
            name="compare.lag",
            what=f"{six}: from a token leaving the endpoint to its being seen, 95th percentile",
            value=percentile(sorted(lags), 0.95),
            unit="s",
            target=("≤", 0.3),
            details={"median": median(lags), "longest": max(lags), "tokens": len(lags)},
        ),
        Figure.of_runs(
            "compare.server", f"{six}: cores of the server", [run["server"] for run in runs], "cores", ("≤", 1)
        ),
        Figure.of_runs("compare.browser", f"{six}: cores of Chromium", [run["browser"] for run in runs], "cores"),
    ]


def _local(plan: Plan) -> list[Figure]:
    asking = Asking(sampling=Sampling(temperature=0.0), max_tokens=plan.generate)
    alone: list[float] = []
    panes: list[list[float]] = []
    with _pages(plan) as (page, server, mine):
        chat = ChatPage(page, server.address)

        def on_chat() -> float:
            chat.open()
            chat.set(max_tokens=plan.generate)
            chat.ask(QUESTION)
            return _rate(mine, mine.library.list(PERSON, limit=1)[0].id)

        on_chat()  # warms up
        _two(page, server, mine, asking)
        alone.append(on_chat())
        for _ in range(plan.repeat):
            panes.append(_two(page, server, mine, asking))
            alone.append(on_chat())
    # A machine's own speed drifts by more than what is looked for: each run has its yardstick just before and after it.
    beside_it = [mean(pair) for pair in pairwise(alone)]
    return [
        Figure(
            name=f"compare.{place}",
            what=f"tokens/s of a local model in the {place} of two panes, one after another, to the Chat page",
            value=median(each[number] / yard for each, yard in zip(panes, beside_it, strict=True)),
            unit="×",
            target=("≥", 0.95),
            details={"pane": [each[number] for each in panes], "Chat page": alone},
        )
        for number, place in enumerate(("first", "second"))
    ]


@contextmanager
def _pages(plan: Plan) -> Iterator[tuple[Page, Server, Workbench]]:
    """An open page, the server it is of, and a workbench of our own over its data."""
    with chromium() as page, started(plan) as server:
        ChatPage(page, server.address).open()  # the database is there when the page is
        mine = beside(Settings(home=server.home))
        try:
            yield page, server, mine
        finally:
            mine.close()


def _six(page: Page, server: Server, mine: Workbench, metronome: Metronome, panes: Sequence[Asking]) -> dict[str, Any]:
    """One question to all of them."""
    id = _open(page, server, mine, panes, "together")
    page.evaluate(watch(len(panes)))
    asked = len(metronome.arrived)
    for letter in metronome.letters:
        metronome.sent[letter] = []
    _ask(page, "Tick.")
    until(lambda: len(metronome.arrived) == asked + len(panes))
    taken = cores_while(lambda: until(metronome.finished), server_processes(server.pid), browser_processes())
    _await_end(page, len(panes))
    seen = page.evaluate("window.benchmarkNoted")["seen"]
    if missing := [letter for letter in LETTERS if not seen.get(letter)]:
        raise Unmeasurable(f"answers were not seen to grow: {', '.join(missing)}")
    wanted = {token for letter in LETTERS for token in metronome.text(letter).split()}
    panes_kept = [pane.conversation.id for pane in mine.comparing.get(PERSON, id).panes]
    kept = {word for one in panes_kept for word in mine.conversations.messages(PERSON, one)[-1].content.split()}
    drawn = set(re.findall(r"[a-z]\d{6}", page.locator('[data-testid="stMain"]').inner_text()))
    return {
        "lost": len(wanted - kept) + len(wanted - drawn),
        "lags": [late for letter in LETTERS for late in lag(metronome.sent[letter], seen[letter])],
        "server": taken[0],
        "browser": taken[1],
    }


def _two(page: Page, server: Server, mine: Workbench, asking: Asking) -> list[float]:
    """Decode rates of two panes, asked one after another."""
    id = _open(page, server, mine, [asking, asking], "alone")
    _ask(page, QUESTION)
    _await_end(page, 2)
    return [_rate(mine, pane.conversation.id) for pane in mine.comparing.get(PERSON, id).panes]


def _open(page: Page, server: Server, mine: Workbench, askings: Sequence[Asking], timing: Timing) -> str:
    """Makes a comparison and opens its page; its id."""
    made = mine.comparing.create(PERSON, askings, timing=timing)
    page.goto(f"{server.address}compare?comparison={made.id}")
    page.locator(INPUT).wait_for()
    page.wait_for_selector(IDLE, state="attached")
    return made.id


def _ask(page: Page, question: str) -> None:
    field = page.locator(INPUT)
    field.fill(question)
    field.press("Enter")


def _await_end(page: Page, panes: int) -> None:
    """Waits until every pane's answer is drawn for good."""
    page.get_by_role("button", name="Regenerate").nth(panes - 1).wait_for(timeout=ANSWER_LIMIT_S * 1000)
    page.wait_for_selector(IDLE, state="attached")


def _rate(mine: Workbench, conversation_id: str) -> float:
    """The decode rate with which a conversation's newest answer was kept."""
    (newest,) = mine.conversations.messages(PERSON, conversation_id, last=1)
    if newest.finished is None or newest.finished.timings.decode_rate is None:
        raise Unmeasurable("an answer was kept without its speed")
    return newest.finished.timings.decode_rate
