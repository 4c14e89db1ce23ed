"""The line under an answer in a real browser: explained by pointer and by keyboard, running nothing it is given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import serve

pytestmark = pytest.mark.e2e
SCRIPT = """
from core.events import Finished, Usage
from core.metrics import timings
from pages.ui import metrics_strip

usage = Usage(prompt_tokens=40, generated_tokens=50, by_origin={"system": 10, "question": 30}, context_length=200)
finished = Finished("stop", usage, timings([0.3 + 0.01 * number for number in range(50)]))
metrics_strip.show("a", finished, model_name="<img src=x onerror='document.title=`run`'>")
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with one answer's figures on its only page."""
    script = tmp_path_factory.mktemp("strip") / "page.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with serve(str(script)) as server:
        yield server.address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(address)
    expect(page.locator("ul.line li")).to_have_count(5, timeout=30_000)
    yield page
    page.close()


def test_a_figure_explains_itself_under_the_pointer(page: Page) -> None:
    tip = page.get_by_role("tooltip")
    expect(tip).to_have_count(0)
    page.get_by_text("first token 300").hover()
    expect(tip).to_contain_text("From handing over the request to the first token")
    page.mouse.move(0, 0)
    expect(tip).to_have_count(0)


def test_the_figures_are_one_tab_stop_and_the_arrows_go_through_them(page: Page) -> None:
    items, tip = page.locator("ul.line li"), page.get_by_role("tooltip")
    assert [item.get_attribute("tabindex") for item in items.all()] == ["0", "-1", "-1", "-1", "-1"]
    items.first.focus()
    expect(tip).to_contain_text("last token - first token")
    page.keyboard.press("ArrowRight")
    expect(items.nth(1)).to_be_focused()
    expect(tip).to_contain_text("Tokens that the model has written")
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)


def test_the_details_open_with_table_bar_and_chart(page: Page) -> None:
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    page.get_by_text("Details", exact=True).click()
    expect(page.locator("ul.table li")).to_have_count(16)
    expect(page.get_by_role("img", name="90 of 200 tokens of the context are used, 45%.")).to_be_visible()
    expect(page.locator(".legend li")).to_have_text(
        ["system10 (5%)", "question30 (15%)", "answer50 (25%)", "free110 (55%)"]
    )
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=20_000)


def test_a_models_name_is_text_and_never_runs(page: Page) -> None:
    page.locator("ul.line li").first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("<img src=x onerror=")
    assert page.locator("img[src=x]").count() == 0
    assert page.title() != "run"
