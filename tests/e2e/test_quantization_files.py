"""Inspect and Quantize in a real browser: a file's map is drawn; files are made while the page is looked at, a block is
played step by step, and one of the files is opened."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from core.gguf import reader
from tests.e2e.chatting import Workbench
from tests.gguf.making import tiny

pytestmark = [pytest.mark.e2e]


def open_view(page: Page, bench: Workbench, view: str, file: Path | None = None) -> None:
    address = {"view": view} | ({"file": str(file)} if file else {})
    page.goto(f"{bench.server.address}quantization?{urlencode(address)}")


@pytest.mark.model
def test_a_file_is_inspected(page: Page, bench: Workbench) -> None:
    open_view(page, bench, "inspect")
    expect(page.get_by_text("5.74 bits a weight").first).to_be_visible()
    expect(page.get_by_text("Up to 8,192").first).to_be_visible()
    page.get_by_role("radio", name="Tensors").click()
    expect(page.get_by_text("30 layers: each square is a tensor")).to_be_visible()
    assert page.locator(".js-plotly-plot .scatterlayer path.point").count() == 272
    page.get_by_role("radio", name="Chat template").click()
    expect(page.get_by_text("You are a patient teacher.").first).to_be_visible()
    page.get_by_text("Français", exact=True).click()
    expect(page.get_by_role("combobox", name="Fichier")).to_have_value("SmolLM2-135M-Instruct.Q4_1.gguf")
    expect(page.get_by_role("radio", name="Gabarit de conversation")).to_be_checked()


def test_files_are_made_and_a_block_is_seen(page: Page, bench: Workbench, tmp_path: Path) -> None:
    source = tiny(tmp_path / "little.F16.gguf", layers=2, width=256, seed=1, half=True)
    open_view(page, bench, "quantize", source)
    page.get_by_role("button", name="Make 3 files").click()
    expect(page.get_by_role("button", name="Use in Chat")).to_have_count(3)
    for type in ("Q8_0", "Q4_K_M", "Q2_K"):
        made = reader.read(bench.home / "models" / f"little.{type}.gguf")
        assert made.quantization == type
    expect(page.get_by_role("button", name="Make the files")).to_be_disabled()

    page.get_by_text("See a block").click()
    figure = page.locator(".js-plotly-plot").first
    expect(figure.locator(".gtitle")).to_have_text("As it is in the file")
    page.wait_for_load_state("networkidle")
    figure.get_by_text("Play", exact=True).click()
    expect(figure.locator(".gtitle")).to_have_text(re.compile("^Q2_K: 2.625 bits a weight"))
    page.get_by_role("button", name="Inspect").last.click()
    expect(page.get_by_text("bits a weight on average").or_(page.get_by_text("Up to")).first).to_be_visible()
