"""What Streamlit writes in fields by itself, in English only: in French it is French."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.chatting import Workbench

pytestmark = [pytest.mark.e2e]


def test_a_field_for_files_and_one_being_typed_in(page: Page, bench: Workbench) -> None:
    page.goto(f"{bench.server.address}rag?view=collections&collection=new&lang=fr")
    choose = page.get_by_test_id("stFileUploaderDropzone").locator("button p")
    expect(choose).to_be_visible()
    assert seen(choose) == "Choisir"
    limit = seen(page.get_by_test_id("stFileUploaderDropzoneInstructions").locator("span"))
    assert limit == "jusqu’à 200\u202fMo par fichier"
    page.get_by_role("textbox", name="Nom de la collection").fill("Cours")
    hint = page.get_by_test_id("InputInstructions").locator("span")
    expect(hint).to_have_count(2)
    assert seen(hint.first) == "Entrée pour valider"
    assert hint.last.inner_text() == "5/100"
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_text("Drop documents here")).to_be_visible()
    assert seen(choose) == "Choose"


def seen(text: Locator) -> str:
    """What is drawn in place of the text, which is drawn in no size."""
    assert text.evaluate("each => getComputedStyle(each).fontSize") == "0px"
    return str(text.evaluate("each => getComputedStyle(each, '::after').content")).strip('"')
