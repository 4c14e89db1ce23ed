"""What browser tests share: one browser a module (Playwright's loop must not outlive the tests that need it), and one
server with the whole workbench for all of them. Tests look at conversations of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.chatting import Watch, Workbench, watched, workbench
from tests.e2e.serving import PATIENCE_S, chromium

expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with workbench(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails says which answers of its workbench had failed, and how: the page alone may not."""
    report = yield
    bench = getattr(item, "funcargs", {}).get("bench")
    if report.when == "call" and report.failed and isinstance(bench, Workbench):
        with sqlite3.connect(bench.home / "workbench.db") as connection:
            sql = "SELECT model_id, error FROM messages WHERE error IS NOT NULL ORDER BY number DESC LIMIT 5"
            report.sections.append(
                ("errors of the newest answers that failed", str(connection.execute(sql).fetchall()))
            )
    return report


@pytest.fixture
def opened(browser: Browser, bench: Workbench) -> Iterator[tuple[BrowserContext, Watch]]:
    """A browser that knows nothing, and what is noted of it. Answers that it leaves behind are stopped."""
    with watched(browser) as context_and_watch:
        yield context_and_watch
        bench.hush()


@pytest.fixture
def page(opened: tuple[BrowserContext, Watch]) -> Page:
    return opened[0].new_page()


@pytest.fixture
def watch(opened: tuple[BrowserContext, Watch]) -> Watch:
    return opened[1]
