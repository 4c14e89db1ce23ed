"""Models side by side in a real browser: panes that stream beside each other, one that fails, a reload in mid-run."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from core.chat import Asking, asking_to_settings
from core.messages import Sampling
from core.store.comparisons import Comparisons, NewPane
from core.store.records import StoredMessage
from pages.ui.owner import PERSON
from tests.arena.pacing import Pace, Pacing
from tests.e2e.chatting import Workbench, ask
from tests.e2e.serving import until

pytestmark = pytest.mark.e2e

QUESTION = "Who is the quickest of you?"


@pytest.fixture
def server() -> Iterator[Pacing]:
    paces = {"hare": Pace(words=12), "tortoise": Pace(words=3000, gap_s=0.03), "snail": Pace(words=3000, gap_s=0.1)}
    with Pacing(**paces) as running:
        yield running


@pytest.fixture
def opened(page: Page, bench: Workbench) -> Iterator[Page]:
    """The Compare page, come to through the front page; nothing is left of it."""
    page.goto(bench.server.address)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("button", name="Add a model")).to_be_visible()
    yield page
    bench.hush()
    comparisons = Comparisons(bench.database)
    for summary in comparisons.list(PERSON):
        comparisons.delete(PERSON, summary.id)


def comparing(page: Page, bench: Workbench, *models: str, together: bool = True) -> Page:
    """A comparison of these models that has not been asked anything yet, opened from the list."""
    settings = asking_to_settings(Asking(sampling=Sampling(temperature=0.0)))
    panes = [NewPane(model_id=model, settings=settings) for model in models]
    Comparisons(bench.database).create(PERSON, panes, timing="together" if together else "alone")
    page.reload()
    page.get_by_role("button", name="Untitled", exact=True).click()
    expect(page).to_have_url(re.compile("comparison="))
    expect(pane_settings(page)).to_have_count(len(models))
    return page


def pane_settings(page: Page) -> Locator:
    return page.locator("[class*='st-key-setup-']")


def cell(page: Page, place: int) -> Locator:
    """Of the newest question."""
    return page.locator(f"[class*='st-key-cell-'][class$='-{place}'], [class*='st-key-cell-'][class*='-{place} ']").last


def live(page: Page, place: int) -> Locator:
    return cell(page, place).locator(".live-answer .text")


def newest(bench: Workbench) -> list[StoredMessage]:
    """Of each pane of the newest comparison."""
    comparisons = Comparisons(bench.database)
    panes = comparisons.get(PERSON, comparisons.list(PERSON)[0].id).panes
    return [bench.conversations.messages(PERSON, pane.id, last=1)[0] for pane in panes]


def growing(page: Page, place: int, than: int) -> int:
    until(lambda: len(live(page, place).inner_text()) > than)
    return len(live(page, place).inner_text())


def test_panes_stream_side_by_side_one_fails_one_is_stopped_and_a_reload_loses_nothing(
    opened: Page, bench: Workbench, server: Pacing
) -> None:
    server.failing.add("hare")
    page = comparing(opened, bench, server.id("hare"), server.id("tortoise"), server.id("snail"))
    ask(page, QUESTION)
    expect(cell(page, 0).get_by_test_id("stAlert")).to_contain_text("hare has fallen")
    before = [growing(page, place, 0) for place in (1, 2)]
    expect(page.locator(".race polyline")).to_have_count(2)
    expect(page.locator(".race li").nth(1)).to_contain_text(re.compile("Btortoise≈ [\\d,]+ tokens"))
    page.reload()
    for place, length in zip((1, 2), before, strict=True):
        growing(page, place, length)
    expect(page.locator(".race polyline")).to_have_count(2)
    cell(page, 1).get_by_role("button", name="Stop").click()
    expect(cell(page, 1).get_by_role("button", name="Regenerate")).to_be_visible()
    growing(page, 2, len(live(page, 2).inner_text()))
    page.get_by_role("button", name="Stop all").click()
    expect(cell(page, 2).get_by_role("button", name="Regenerate")).to_be_visible()
    server.failing.clear()
    cell(page, 0).get_by_role("button", name="Try again").click()
    expect(cell(page, 0)).to_contain_text("hare0 hare1")
    expect(cell(page, 0).get_by_role("button", name="Regenerate")).to_be_visible()
    expect(page.locator(".race")).to_have_count(0)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert [message.status for message in newest(bench)] == ["complete", "cut", "cut"]
    hare, tortoise, snail = newest(bench)
    assert hare.content == server.text("hare")
    assert server.text("tortoise").startswith(tortoise.content) and server.text("snail").startswith(snail.content)
    assert tortoise.content and snail.content


def test_one_after_another_the_second_waits_for_the_first(opened: Page, bench: Workbench, server: Pacing) -> None:
    page = comparing(opened, bench, server.id("tortoise"), server.id("hare"), together=False)
    ask(page, QUESTION)
    growing(page, 0, 0)
    expect(cell(page, 1)).to_contain_text("Place 1 in the queue")
    assert [body["model"] for body in server.bodies] == ["tortoise"]
    cell(page, 0).get_by_role("button", name="Stop").click()
    expect(cell(page, 1)).to_contain_text("hare11")
    assert [body["model"] for body in server.bodies] == ["tortoise", "hare"]


def test_what_only_one_says_is_marked(opened: Page, bench: Workbench, server: Pacing) -> None:
    page = comparing(opened, bench, server.id("hare"), server.id("hare"))
    ask(page, QUESTION)
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)
    page.get_by_text("Differences").click()
    expect(page.get_by_text("Both say the same, word for word.")).to_be_visible()
    expect(page.locator(".sides section")).to_have_count(2)
    expect(page.locator(".sides mark")).to_have_count(0)


def test_words_of_a_model_are_never_the_pages_own(opened: Page, bench: Workbench, server: Pacing) -> None:
    name = "<img src=x onerror=document.title='taken'>"
    server.paces[name] = Pace(words=3)
    server.paces["hare"] = Pace(words=4000, gap_s=0.02)
    page = comparing(opened, bench, server.id(name), server.id("hare"))
    ask(page, QUESTION)
    growing(page, 1, 0)
    expect(page.locator(".race li").first).to_contain_text("<img")
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)
    page.get_by_text("Differences").click()
    expect(page.locator(".sides section").first).to_contain_text("onerror=document.title='taken'>0")
    assert page.title() == "Workbench"


def test_the_page_fits_a_phone(opened: Page, bench: Workbench, server: Pacing) -> None:
    page = comparing(opened, bench, server.id("hare"), server.id("hare"))
    page.set_viewport_size({"width": 400, "height": 800})
    ask(page, QUESTION)
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)
    first, second = (cell(page, place).bounding_box() for place in (0, 1))
    assert first is not None and second is not None
    assert second["y"] > first["y"] + first["height"] - 1, "stacked"
    assert first["x"] >= 0 and first["x"] + first["width"] <= 400
