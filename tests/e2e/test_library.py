"""The conversations in the sidebar, in a real browser: searched, renamed, pinned, deleted, exported, imported."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.store.library import Library
from pages.ui.owner import PERSON
from tests.e2e.chatting import STORY, Workbench, ask, conversation_in, grown, stop, watched, workbench
from tests.e2e.serving import until

pytestmark = pytest.mark.e2e

ROME, POEM, HOSTILE = "What is Rome?", "Un poème sur la mer et les élèves", "<img src=x onerror=alert(1)> *bold*"
DAY_S = 24 * 3600.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with workbench(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, bench: Workbench) -> Iterator[Page]:
    """The page, with three conversations: of today, and two of a month ago."""
    for kept in bench.conversations.list(PERSON):
        bench.conversations.delete(PERSON, kept.id)
    for days, question in ((40, ROME), (30, POEM), (0, HOSTILE)):
        id = bench.conversations.create(PERSON).id
        bench.conversations.add_question(PERSON, id, question, parent_id=None)
        with bench.database.transaction() as connection:
            moved = (time.time() - days * DAY_S, id)
            connection.execute("UPDATE conversations SET updated_at = ? WHERE id = ?", moved)
    with watched(browser) as (context, _):
        page = context.new_page()
        page.goto(bench.server.address)
        expect(row(page, ROME)).to_be_visible()
        yield page
        bench.hush()


def sidebar(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar")


def row(page: Page, title: str) -> Locator:
    """The button that opens a conversation."""
    return sidebar(page).locator("button.open").filter(has_text=title)


def titles(page: Page) -> list[str]:
    return sidebar(page).locator(".open .title").all_inner_texts()


def choose(page: Page, title: str, action: str) -> None:
    """Picks an action in the menu of a conversation."""
    row(page, title).hover()
    sidebar(page).get_by_role("button", name=f"Actions for “{title}”").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def test_it_lists_by_day_and_opens_with_a_click(page: Page) -> None:
    assert titles(page) == [HOSTILE, POEM, ROME]
    assert sidebar(page).locator("h2").all_inner_texts() == ["Today", "Earlier"]
    row(page, POEM).click()
    expect(page.get_by_test_id("stChatMessage")).to_contain_text(POEM)
    expect(row(page, POEM)).to_have_attribute("aria-current", "page")
    sidebar(page).get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="Ask a model on this machine")).to_be_visible()
    expect(sidebar(page).locator(".rows [aria-current]")).to_have_count(0)


def test_search_shows_where_and_is_cleared(page: Page) -> None:
    field = sidebar(page).get_by_role("searchbox", name="Search conversations")
    field.press_sequentially("eleves")
    expect(sidebar(page).locator(".found b")).to_have_text("élèves")
    assert titles(page) == [POEM]
    row(page, POEM).click()
    expect(page.get_by_test_id("stChatMessage")).to_contain_text(POEM)
    field.fill("nowhere")
    expect(sidebar(page).get_by_text("Nothing found for “nowhere”.")).to_be_visible()
    sidebar(page).get_by_role("button", name="Clear").click()
    expect(row(page, ROME)).to_be_visible()


def test_renaming_in_place(page: Page, bench: Workbench) -> None:
    choose(page, ROME, "Rename")
    name = sidebar(page).get_by_label("Title", exact=True)
    expect(name).to_be_focused()
    name.fill("Ancient Rome")
    name.press("Enter")
    expect(row(page, "Ancient Rome")).to_be_focused()
    until(lambda: bench.conversations.list(PERSON)[-1].title == "Ancient Rome")
    choose(page, "Ancient Rome", "Rename")
    name.fill("Something else")
    name.press("Escape")
    expect(row(page, "Ancient Rome")).to_be_visible()
    page.reload()
    expect(row(page, "Ancient Rome")).to_be_visible()
    assert "c=" not in page.url, "renaming opens nothing"


def test_pinning_comes_first(page: Page) -> None:
    choose(page, ROME, "Pin")
    expect(sidebar(page).locator("h2").first).to_have_text("Pinned")
    assert titles(page)[0] == ROME
    choose(page, ROME, "Unpin")
    expect(sidebar(page).locator("h2").first).to_have_text("Today")


def test_deleting_and_undoing(page: Page) -> None:
    row(page, POEM).click()
    expect(page.get_by_test_id("stChatMessage")).to_be_visible()
    choose(page, POEM, "Delete")
    expect(page.get_by_role("heading", name="Ask a model on this machine")).to_be_visible()
    expect(row(page, POEM)).to_have_count(0)
    sidebar(page).get_by_role("button", name="Undo").click()
    expect(row(page, POEM)).to_be_visible()
    expect(sidebar(page).get_by_role("button", name="Undo")).to_have_count(0)


def test_tags_are_given_and_filter(page: Page, bench: Workbench) -> None:
    choose(page, POEM, "Tags…")
    field = page.get_by_role("dialog").get_by_label("New tag")
    field.fill("school")
    field.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    sidebar(page).get_by_text("school", exact=True).click()
    expect(row(page, ROME)).to_have_count(0)
    assert titles(page) == [POEM] and Library(bench.database).tags(PERSON) == {"school": 1}


def test_everything_by_keyboard(page: Page) -> None:
    row(page, HOSTILE).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(row(page, ROME)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(sidebar(page).locator("h2").first).to_have_text("Pinned")
    row(page, ROME).focus()
    page.keyboard.press("Delete")
    expect(row(page, ROME)).to_have_count(0)
    row(page, POEM).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stChatMessage")).to_contain_text(POEM)


def test_a_menu_closes_with_a_second_click(page: Page) -> None:
    tools = sidebar(page).get_by_role("button", name="Import, export, titles")
    tools.click()
    switch = page.get_by_role("menuitemcheckbox", name="Titles by the model")
    expect(switch).to_have_attribute("aria-checked", "true")
    tools.click()
    expect(switch).to_have_count(0)
    tools.click()
    switch.click()
    tools.click()
    expect(switch).to_have_attribute("aria-checked", "false")


def test_what_is_exported_comes_in_again(page: Page, tmp_path: Path) -> None:
    choose(page, POEM, "Export…")
    dialog = page.get_by_role("dialog")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="JSON, whole").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "un-poème-sur-la-mer-et-les-élèves.json"
    assert [kept["title"] for kept in json.loads(file.read_bytes())["conversations"]] == [POEM]
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    choose(page, POEM, "Delete")
    expect(row(page, POEM)).to_have_count(0)
    sidebar(page).get_by_role("button", name="Import, export, titles").click()
    page.get_by_role("menuitem", name="Import…").click()
    dialog.locator("input[type=file]").set_input_files(file)
    expect(dialog.get_by_text("1 conversation came in.")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    expect(row(page, POEM)).to_be_visible()


@pytest.mark.model
def test_a_dialog_outlives_the_end_of_an_answer(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared())
    ask(page, STORY)
    grown(page)
    second = page.context.new_page()
    second.goto(page.url)
    grown(second)
    title = bench.conversations.get(PERSON, conversation_in(page)).title
    choose(page, title, "Export…")
    expect(page.get_by_role("dialog")).to_be_visible()
    stop(second)
    expect(page.get_by_text("stopped: on request")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("button", name="Markdown")).to_be_visible()
