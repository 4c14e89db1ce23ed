"""A click is not lost when the run that it began is broken off by another, as by the end of an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import Server, serve

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve("tests/e2e/press_demo.py") as running:
        yield running


@pytest.fixture
def slow(browser: Browser, server: Server) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(server.address)
    expect(page.get_by_text("counted 0")).to_be_visible()
    yield page
    page.close()


def again(page: Page) -> None:
    page.get_by_role("button", name="Again").click()


def test_a_click_outlives_the_run_it_began(slow: Page) -> None:
    slow.get_by_role("button", name="Count").click()
    again(slow)
    expect(slow.get_by_text("counted 1")).to_be_visible()


def test_what_was_picked_outlives_it_too(slow: Page) -> None:
    slow.get_by_role("button", name="Pick").click()
    slow.get_by_role("menuitem", name="Two").click()
    again(slow)
    expect(slow.get_by_text("picked ['two']")).to_be_visible()


def test_a_click_acts_once(slow: Page) -> None:
    slow.get_by_role("button", name="Count").click()
    expect(slow.get_by_text("counted 1")).to_be_visible()
    again(slow)
    slow.get_by_role("button", name="Pick").click()
    slow.get_by_role("menuitem", name="One").click()
    expect(slow.get_by_text("counted 1 · picked ['one']")).to_be_visible()
