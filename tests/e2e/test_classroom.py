"""A class votes in real browsers: three phones, one of which changes its mind and one without scripts; the teacher sees
three."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.classroom.addresses import LOOPBACK
from core.settings import Settings
from core.store.votes import Votes
from core.workbench import beside
from pages.ui.owner import PERSON
from tests.answering import until
from tests.arena.speaking import Speaking
from tests.classroom.phones import reachable
from tests.e2e.chatting import Workbench, watched

pytestmark = pytest.mark.e2e

SAID = {"parrot": "Paris, <i>I</i> believe.", "magpie": "Lyon.\n" * 80}
QUESTION = "Which city is the capital of France, please?"
PHONE = {"width": 320, "height": 568}


@pytest.fixture
def duel(bench: Workbench) -> Iterator[str]:
    """A duel whose two answers are there, before the page that shows it is opened."""
    with Speaking(**SAID) as server:
        workbench = beside(Settings(home=bench.home))
        ids = server.connected(workbench)
        id = workbench.duels.start(PERSON, QUESTION, among=ids, even_pace=False).id
        until(lambda: not workbench.comparing.running(PERSON, id))
        workbench.close()
        yield id


@pytest.fixture
def phones(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Three: one as they are, a French one in the dark, and one without scripts."""
    kinds = ({}, {"locale": "fr-FR", "color_scheme": "dark"}, {"java_script_enabled": False})
    with ExitStack() as stack:
        made = [browser.new_context(viewport=PHONE, **kind) for kind in kinds]  # type: ignore[arg-type]
        for context in made:
            stack.callback(context.close)
        yield made


def test_a_class_votes(bench: Workbench, browser: Browser, duel: str, phones: list[BrowserContext]) -> None:
    with watched(browser) as (context, _):
        teacher = context.new_page()
        url = opened(teacher, bench)
        scripted, french, plain = (paper(phone, url) for phone in phones)
        expect(french.get_by_role("heading", name="Réponse A")).to_be_visible()

        scripted.get_by_role("button", name="A is better").click()
        expect(scripted.get_by_text("Thank you, your vote is counted.")).to_be_visible()
        french.get_by_role("button").first.click()
        expect(french.get_by_role("button", pressed=True)).to_have_count(1)
        expect(teacher.get_by_text("2 votes so far")).to_be_visible()
        plain.get_by_role("button", name="Tie").click()
        scripted.get_by_role("button", name="Both are bad").click()
        expect(scripted.get_by_role("button", name="Both are bad", pressed=True)).to_be_visible()
        scripted.get_by_text("Say why").click()
        scripted.get_by_role("group", name="Answer B").get_by_label("Superficial").check()
        scripted.get_by_role("button", name="Send the reasons").click()
        expect(scripted.get_by_label("Superficial").nth(1)).to_be_checked()
        expect(teacher.get_by_text("3 votes so far")).to_be_visible()
        for name in SAID:
            assert name not in scripted.content() + french.content() + plain.content()

        teacher.get_by_role("button", name="Close the vote").click()
        expect(teacher.get_by_text("3 votes of the class")).to_be_visible()
        expect(scripted.get_by_text("The vote is closed. Thank you!")).to_be_visible()
        expect(scripted.get_by_text("magpie")).to_be_visible()
        expect(scripted.get_by_role("button")).to_have_count(0)
        expect(french.get_by_text("Le vote est clos")).to_be_visible()
        assert not reachable(url)

    cast = [vote for vote in Votes(bench.database).list(PERSON) if vote.duel_id == duel]
    assert sorted(vote.choice for vote in cast) == ["a", "both_bad", "tie"]
    assert len({vote.voter for vote in cast}) == 3
    assert [vote.b.reasons for vote in cast if vote.choice == "both_bad"] == [("superficial",)]


def opened(page: Page, bench: Workbench) -> str:
    """Opens the vote on this machine; the link that is on the screen."""
    page.goto(bench.server.address)
    page.get_by_role("link", name="Compare").click()
    page.get_by_text("Blind duel").click()
    page.get_by_text("Earlier duels").click()
    page.get_by_role("button", name=QUESTION).click()
    page.get_by_role("button", name="Where and how long").click()
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name="This machine only").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Other devices cannot reach it")).to_be_visible()
    page.get_by_role("button", name="Open a vote of the class").click()
    code = page.get_by_role("img", name=f"QR code of http://{LOOPBACK}")
    expect(code).to_be_visible()
    url = (code.get_attribute("alt") or "").split()[-1]
    expect(page.get_by_role("heading", name=url.rpartition("/")[2])).to_be_visible()
    return url


def paper(phone: BrowserContext, url: str) -> Page:
    """The page of a phone: as text, no wider than the phone, and nothing from elsewhere."""
    page = phone.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    expect(page.get_by_text("Paris, <i>I</i> believe.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert all(one.startswith((url.rpartition("/")[0], "data:")) for one in asked)
    return page
