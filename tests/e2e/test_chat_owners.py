"""Whose conversations a browser sees: its own, or those of the one person of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chatting import ask, drawn, said, watched, workbench

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "My cat is called Minou."


def asked(page: Page, address: str) -> None:
    """Asks in a new conversation, and waits for a short answer."""
    page.goto(address)
    page.get_by_role("button", name="Settings").click()
    limit = page.get_by_label("Maximum tokens", exact=True)
    limit.fill("4")
    limit.press("Enter")
    page.keyboard.press("Escape")
    ask(page, QUESTION)
    drawn(page)


def test_with_owners_by_browser_two_browsers_never_see_each_other(browser: Browser, tmp_path: Path) -> None:
    with (
        workbench(tmp_path, owners="browser") as bench,
        watched(browser) as (mine, _),
        watched(browser) as (theirs, __),
    ):
        page, other = mine.new_page(), theirs.new_page()
        asked(page, bench.server.address)
        other.goto(page.url)
        expect(other.get_by_text("There is no such conversation.")).to_be_visible()
        expect(other.get_by_role("heading", name="Ask a model on this machine")).to_be_visible()
        expect(other.get_by_text("Minou")).to_have_count(0)
        names = [cookie for context in (mine, theirs) for cookie in context.cookies() if "owner" in cookie["name"]]
        assert len({cookie["value"] for cookie in names}) == 2 and all(cookie["httpOnly"] for cookie in names)
        again = mine.new_page()
        again.goto(page.url)
        drawn(again)
        assert said(again) == said(page), "another tab of the same browser"
        page.reload()
        drawn(page)
        expect(page.locator("button.open", has_text=QUESTION)).to_be_visible()


def test_with_owners_by_person_two_browsers_see_the_same(browser: Browser, tmp_path: Path) -> None:
    with workbench(tmp_path) as bench, watched(browser) as (desk, _), watched(browser) as (beamer, __):
        page, other = desk.new_page(), beamer.new_page()
        asked(page, bench.server.address)
        other.goto(bench.server.address)
        other.locator("button.open", has_text=QUESTION).click()
        drawn(other)
        assert said(other) == said(page) and other.url == page.url
