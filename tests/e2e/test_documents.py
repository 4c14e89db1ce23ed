"""One's documents in a real browser: a PDF is dropped, becomes ready, is cut otherwise, survives a reload."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chatting import Watch, Workbench
from tests.rag import making

pytestmark = [pytest.mark.e2e, pytest.mark.model]


def test_a_pdf_that_is_dropped_becomes_ready(page: Page, watch: Watch, bench: Workbench, tmp_path: Path) -> None:
    page.goto(f"{bench.server.address}rag?view=collections&collection=new")
    page.get_by_label("Name of the collection").fill("The island")
    page.get_by_label("Name of the collection").press("Enter")
    files = [making.pdf(tmp_path / "island.pdf", titles=("Light", "Plants", "Parliament")), tmp_path / "picture.pdf"]
    files[1].write_bytes(making.image_bytes())
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text("ready · 3 pages")).to_be_visible()
    expect(page.get_by_text("Files of this kind (PNG) are not read.")).to_be_visible()
    expect(page.get_by_role("heading", name="The island")).to_be_visible()
    page.get_by_text("How documents are cut into passages").click()
    page.get_by_role("radio", name="Headings").or_(page.get_by_role("button", name="Headings")).first.click()
    expect(page.get_by_text("3 passages, half of them")).to_be_visible()
    page.get_by_role("button", name="Cut the whole collection so").click()
    expect(page.get_by_text("ready · 3 pages · 3 passages")).to_be_visible()
    page.reload()
    expect(page.get_by_text("ready · 3 pages · 3 passages")).to_be_visible()
