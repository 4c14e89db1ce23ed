"""A long conversation on the Chat page beside a short one, in Chromium: opening it, and asking in it.

Both hold questions and answers of some 70 words, and are opened in turns by a click in the list. One is open when its
newest message is drawn and the page has come to rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.chat_page import INPUT, MESSAGE, chromium
from benchmarks.figure import Figure, Plan
from benchmarks.metronome import Metronome, name, serving
from benchmarks.remote_page import IDLE
from benchmarks.server import workbench
from core.store.database import Database
from core.store.restoring import Restoring, WholeConversation
from core.transfer.imported import message
from pages.ui.owner import PERSON

if TYPE_CHECKING:
    from playwright.sync_api import Page

SHORT, LONG = 20, 500
TURNS = 3
"""Openings of each, for each repetition that is planned."""

PARAGRAPH = "A lighthouse stands where the land ends, and its keeper counts the ships that pass in the night. " * 4
NEWEST = "The newest message of the conversation of {length}."


def measure(plan: Plan) -> list[Figure]:
    """Seconds until the long one is open, to the short one; and until a question asked in it has left, likewise."""
    metronome = Metronome(1, rate=1.0, letters="t")
    with serving(metronome) as address, chromium() as page, workbench(plan) as server:
        page.goto(server.address)  # the database is there when the page is
        page.wait_for_selector(INPUT, state="visible")
        ids = _fill(server.home, f"{address}#{name('t')}")
        page.reload()
        page.wait_for_selector(IDLE, state="attached")
        opened: dict[int, list[float]] = {SHORT: [], LONG: []}
        asked: dict[int, list[float]] = {SHORT: [], LONG: []}
        for _ in range(TURNS * plan.repeat + 1):
            for length in (SHORT, LONG):
                opened[length].append(_open(page, length))
        for _ in range(TURNS * plan.repeat + 1):
            for length in (SHORT, LONG):
                page.goto(f"{server.address}?c={ids[length]}")
                page.locator(MESSAGE).first.wait_for()
                page.wait_for_selector(IDLE, state="attached")
                asked[length].append(_ask(page, metronome))
    return [
        *_figures("open", "opening a conversation", opened, 1.5),
        *_figures("ask", "from Enter to the request, in a conversation", asked, 0.1),
    ]


def _figures(name: str, what: str, took: dict[int, list[float]], bound: float | None = None) -> Iterator[Figure]:
    short, long = (median(took[length][1:]) for length in (SHORT, LONG))  # the first of each warms up
    yield Figure(
        name=f"opening.{name}",
        what=f"{what} of {LONG} messages",
        value=long,
        unit="s",
        target=None if bound is None else ("≤", bound),
        details={"runs": took[LONG][1:]},
    )
    # What is sent is the whole conversation, so that asking has a bound of its own and none to the short one.
    yield Figure(
        name=f"opening.{name}_ratio",
        what=f"{what} of {LONG} messages, to one of {SHORT}",
        value=long / short,
        unit="×",
        target=("≤", 1.2) if name == "open" else None,
        details={"short": took[SHORT][1:]},
    )


def _open(page: Page, length: int) -> float:
    """From the click in the list to the page at rest with the newest message on it."""
    row = page.locator("button.open", has_text=f"Conversation of {length}")
    began = time.perf_counter()
    row.click()
    page.locator(MESSAGE, has_text=NEWEST.format(length=length)).wait_for()
    page.wait_for_selector(IDLE, state="attached")
    return time.perf_counter() - began


def _ask(page: Page, metronome: Metronome) -> float:
    """From Enter to the request arriving at the endpoint."""
    field = page.locator(INPUT)
    field.fill("Tick.")
    before = len(metronome.arrived)
    pressed = time.time()
    field.press("Enter")
    while len(metronome.arrived) == before:
        time.sleep(0.002)
    page.get_by_role("button", name="Regenerate").wait_for()
    page.wait_for_selector(IDLE, state="attached")
    return metronome.arrived[before] - pressed


def _fill(home: Path, model_id: str) -> dict[int, str]:
    """The ids of the two, by length."""
    database = Database(home / "workbench.db")
    try:
        with Restoring(database).writing(PERSON) as writing:
            return {length: writing.add(_conversation(length, model_id)) for length in (SHORT, LONG)}
    finally:
        database.close()


def _conversation(length: int, model_id: str) -> WholeConversation:
    texts = [PARAGRAPH] * (length - 1) + [NEWEST.format(length=length)]
    messages = tuple(
        message(
            "assistant" if n % 2 else "user", text, id=str(n), parent_id=str(n - 1) if n else None, created_at=float(n)
        )
        for n, text in enumerate(texts)
    )
    return WholeConversation(
        title=f"Conversation of {length} messages",
        created_at=0.0,
        updated_at=0.0,
        model_id=model_id,
        leaf_id=messages[-1].id,
        messages=messages,
    )
