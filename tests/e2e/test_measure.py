"""The one button of the Measure view in a real browser: pressed, left and come back to, read, saved, put away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from core.gguf.study_run import FOLDER
from core.store.measurements import Measurements
from pages.ui.owner import PERSON
from tests.e2e.chatting import Workbench

pytestmark = pytest.mark.e2e


@pytest.fixture
def measure(page: Page, bench: Workbench) -> Iterator[Page]:
    """The view, come to through the front page; nothing is left of what is measured in it."""
    page.goto(bench.server.address)
    page.get_by_role("link", name="Quantization").click()
    expect(page.get_by_role("heading", name="What does a quantization cost?")).to_be_visible()
    yield page
    kept = Measurements(bench.database)
    for study in kept.studies(PERSON):
        kept.delete(PERSON, study.id)
    shutil.rmtree(bench.home / "models" / FOLDER, ignore_errors=True)


def choose(page: Page, name: str, value: str) -> None:
    """Types a number."""
    field = page.get_by_label(name, exact=True)
    field.fill(value)
    field.press("Enter")
    expect(field).to_have_value(value)


def test_one_button_to_the_verdict(measure: Page) -> None:
    page = measure
    page.get_by_text("Another model, text, types or effort").click()
    types = page.locator(".st-key-study-types")
    types.get_by_role("button", name="Clear").click()
    for name in ("Q8_0", "Q2_K"):
        field = types.get_by_role("combobox")
        field.fill(name)
        field.press("Enter")
        expect(types.get_by_text(name, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    choose(page, "Chunks of text", "1")
    choose(page, "Context", "128")
    choose(page, "Repeats of each timing", "0")
    page.get_by_role("button", name="Quantize to 2 types, measure all, draw").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.reload()  # it goes on without the page
    expect(page.get_by_text("Q2_K: ")).to_be_visible()
    expect(page.get_by_role("button", name="Measure again")).to_be_visible()
    expect(page.get_by_text("% same next token").first).to_be_visible()
    expect(page.get_by_text("Which one is closest to the reference cannot be said.")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(3)  # speed was not timed
    with page.expect_download() as saved:
        page.locator(".st-key-study-csv").get_by_role("button").click()
    assert "Q2_K" in saved.value.path().read_text(encoding="utf-8-sig")
    page.get_by_text("Where in the text it shows").click()
    expect(page.locator("[role=group] span.other").first).to_be_visible()
