"""A fast endpoint on the Chat page: what server and browser take of the processor, how late the text is, how soon a
question leaves.

The endpoint is benchmarks/metronome.py on loopback, and is connected in the sidebar, as a person does it. What it takes
itself, in this process, is not counted.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.chat_page import ANSWER_LIMIT_S, INPUT, ChatPage, chromium
from benchmarks.figure import Figure, Plan, Unmeasurable
from benchmarks.metronome import Metronome, lag, name, serving, until, watch
from benchmarks.processor import browser_processes, cores_while, server_processes
from benchmarks.server import workbench
from core.metrics import percentile

if TYPE_CHECKING:
    from playwright.sync_api import Page

RATE = 300.0
LETTER = "t"
TIMES = 6
"""Tokens of an answer, in those that the comparison with llama-bench writes: 5 s."""

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def measure(plan: Plan) -> list[Figure]:
    """Cores in use, seconds until a token is seen, seconds until a question has left."""
    metronome = Metronome(plan.generate * TIMES, rate=RATE, letters=LETTER)
    cores: list[float] = []
    lags: list[float] = []
    leaving: list[float] = []
    with serving(metronome) as address, chromium() as page, workbench(plan) as server:
        chat = ChatPage(page, server.address)
        chat.open()
        connect(page, address)
        for number in range(plan.repeat + 1):
            before, noted = len(metronome.arrived), _ask(page, metronome, server.pid)
            if number == 0:  # it has imported and compiled what the others find ready
                continue
            cores.append(noted["cores"])
            lags += lag(metronome.sent[LETTER], noted["seen"])
            leaving.append(metronome.arrived[before] - noted["pressed"])
    return [
        Figure.of_runs(
            "remote_page.cores",
            f"cores that server and browser together take of a stream of {RATE:.0f} tokens/s",
            cores,
            "cores",
            ("≤", 1.0),
        ),
        Figure(
            name="remote_page.lag",
            what="from a token leaving the endpoint to its being seen in Chromium, 95th percentile",
            value=percentile(sorted(lags), 0.95),
            unit="s",
            target=("≤", 0.3),
            details={"median": median(lags), "longest": max(lags), "tokens": len(lags)},
        ),
        Figure.of_runs(
            "remote_page.enter", "from Enter to the request arriving at the endpoint", leaving, "s", ("≤", 0.1)
        ),
    ]


def connect(page: Page, address: str) -> None:
    """Connects the endpoint and picks its model."""
    page.wait_for_selector(IDLE, state="attached")
    page.get_by_text("Connect a model").click()
    page.get_by_role("textbox", name="Base URL").fill(address)
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Disconnect").wait_for()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=name(LETTER)).first.click()
    page.wait_for_selector(IDLE, state="attached")


def _ask(page: Page, metronome: Metronome, pid: int) -> dict[str, Any]:
    """Asks once; what the page noted, and the cores that were in use while the answer came."""
    page.evaluate(watch())
    field = page.locator(INPUT)
    field.fill("Tick.")
    asked = len(metronome.arrived)
    metronome.sent[LETTER] = []
    field.press("Enter")
    until(lambda: len(metronome.arrived) > asked)
    (cores,) = cores_while(lambda: until(metronome.finished), [*server_processes(pid), *browser_processes()])
    page.get_by_role("button", name="Regenerate").wait_for(timeout=ANSWER_LIMIT_S * 1000)
    page.locator(".live-answer").wait_for(state="detached")
    noted: dict[str, Any] = page.evaluate("window.benchmarkNoted")
    if noted["pressed"] is None or not noted["seen"].get(LETTER):
        raise Unmeasurable("the answer was not seen to grow")
    return {"pressed": noted["pressed"], "seen": noted["seen"][LETTER], "cores": cores}
