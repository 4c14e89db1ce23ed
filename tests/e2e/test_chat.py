"""The Chat page in a real browser, on the real server with the real model: watching an answer come, and all that a
person may do meanwhile."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.e2e.chatting import (
    STORY,
    Watch,
    Workbench,
    ask,
    begins,
    drawn,
    first_line,
    grown,
    live,
    said,
    stop,
    watched,
)
from tests.e2e.serving import until

pytestmark = [pytest.mark.e2e, pytest.mark.model]


def test_an_answer_is_watched_as_it_comes_and_stopped(page: Page, bench: Workbench) -> None:
    page.goto(bench.server.address)
    expect(page.get_by_role("heading", name="Ask a model on this machine")).to_be_visible()
    expect(page.locator("[class*=st-key-idea-] button")).to_have_count(4)
    page.goto(bench.prepared())
    ask(page, STORY)
    seen = ""
    for _ in range(3):
        seen_before, seen = seen, grown(page, seen)
        assert begins(seen, seen_before)
    stop(page)
    expect(page.get_by_text("stopped: on request")).to_be_visible()
    expect(page.get_by_text("This answer was cut.")).to_be_visible()
    expect(live(page)).to_have_count(0)
    kept = bench.newest(page)
    assert kept.status == "cut" and begins(kept.content, seen)
    assert begins(said(page), first_line(kept.content))
    expect(page.locator("button.open", has_text="Write a very long story")).to_be_visible()


def test_asking_anew_opens_a_conversation_and_regenerating_a_variant(page: Page, bench: Workbench) -> None:
    page.goto(bench.server.address)
    page.get_by_role("button", name="Settings").click()
    limit = page.get_by_label("Maximum tokens", exact=True)
    limit.fill("6")
    limit.press("Enter")
    page.keyboard.press("Escape")
    ask(page, "What is the capital of France?")
    drawn(page)
    expect(page.get_by_text("6 tokens", exact=True)).to_be_visible()
    first = bench.newest(page)
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2/2")).to_be_visible()
    second = bench.newest(page)
    assert second.id != first.id and second.parent_id == first.parent_id
    page.get_by_role("button", name="Previous answer").click()
    expect(page.get_by_text("1/2")).to_be_visible()
    assert begins(said(page), first_line(first.content))
    page.reload()
    expect(page.get_by_text("1/2")).to_be_visible()


def test_a_reload_and_a_second_tab_show_all_so_far_and_go_on(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared())
    ask(page, STORY)
    before = grown(page, characters=80)
    page.reload()
    after = grown(page, before)
    assert begins(after, before)
    second = page.context.new_page()
    second.goto(page.url)
    there = grown(second, after)
    assert begins(there, after)
    assert begins(grown(page, there), there), "the first goes on too"
    stop(second)
    drawn(page)
    assert said(page) == said(second) and begins(said(page), there)


def test_a_closed_tab_keeps_what_had_come_and_the_answer_goes_on(page: Page, bench: Workbench) -> None:
    address = bench.prepared()
    page.goto(address)
    ask(page, STORY)
    before = grown(page, characters=40)
    context, message = page.context, bench.newest(page)
    page.close()
    reached = len(message.content)
    until(lambda: len(bench.conversations.message("person", message.id).content) > reached + 80)
    again = context.new_page()
    again.goto(address)
    there = grown(again, before, characters=80)
    assert begins(there, before)
    grown(again, there)
    stop(again)


def test_settings_are_free_in_mid_answer_and_the_stream_goes_on(page: Page, bench: Workbench, watch: Watch) -> None:
    page.goto(bench.prepared())
    ask(page, STORY)
    seen = grown(page)
    page.get_by_role("button", name="Settings").click()
    slider = page.get_by_role("slider")
    expect(page.get_by_text("always the most probable token")).to_be_visible()
    slider.press("ArrowRight")
    expect(page.get_by_text("0.05: probable tokens are favoured")).to_be_visible()
    seen = grown(page, seen)
    slider.press("ArrowRight")
    expect(page.get_by_text("0.1: probable tokens are favoured")).to_be_visible()
    page.keyboard.press("Escape")  # closes the settings, and is not meant for the answer
    expect(slider).to_have_count(0)
    grown(page, seen, characters=40)
    assert watch.followed() == 1
    stop(page)
    request = bench.newest(page).request
    assert request is not None and request.sampling.temperature == 0.0, "what is set is for the next answer"


def choose(page: Page, label: str, option: str) -> None:
    """Picks from a list; one that opens while the panel under it still unfolds is closed by that, and opened again."""

    def picked() -> bool:
        page.get_by_label(label).click()
        with suppress(TimeoutError):
            page.get_by_role("option", name=option).click(timeout=2000)
            return True
        return False

    until(picked)


def test_the_language_changes_in_mid_answer_and_stays(page: Page, bench: Workbench, watch: Watch) -> None:
    page.goto(bench.prepared())
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("End of the answer").click()
    choose(page, "When the context is full", "stop and say so")
    page.keyboard.press("Escape")
    ask(page, STORY)
    seen = grown(page)
    page.get_by_text("Français", exact=True).click()
    expect(page.get_by_role("button", name="Arrêter")).to_be_visible()
    assert begins(grown(page, seen), seen) and watch.followed() == 1
    page.get_by_role("button", name="Arrêter").click()
    expect(page.get_by_role("button", name="Régénérer")).to_be_visible()
    expect(page.get_by_text("Cette réponse a été coupée.")).to_be_visible()
    page.get_by_role("button", name="Réglages").click()
    expect(page.get_by_label("Quand le contexte est plein", exact=True)).to_have_value("s’arrêter et le dire")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_role("button", name="Régénérer")).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(0)


def test_the_picked_model_stays_picked_in_another_language(page: Page, bench: Workbench, smollm: Path) -> None:
    folder = bench.home / "models"
    folder.mkdir()
    for name in ("first.gguf", "second.gguf"):
        shutil.copyfile(smollm, folder / name)
    page.goto(bench.server.address)
    picker = page.get_by_role("combobox", name=re.compile("Model|Modèle"))
    picker.click()
    page.get_by_role("option", name="second.gguf").click()
    expect(picker).to_have_value(re.compile(r"second\.gguf$"))
    page.get_by_text("Français", exact=True).click()
    expect(page.get_by_text("sur cette machine · 98,4")).to_be_visible()
    expect(picker).to_have_value(re.compile(r"second\.gguf$"))
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_model_typed_as_a_path_that_leads_nowhere(page: Page, bench: Workbench) -> None:
    page.goto(bench.server.address)
    picker = page.get_by_role("combobox", name="Model")
    picker.fill("nowhere.gguf")
    picker.press("Enter")
    expect(page.get_by_text("Pick a model from the list, or type the path of a GGUF file.")).to_be_visible()
    ask(page, "Are you there?")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_test_id("stChatMessage")).to_contain_text("Are you there?")
    picker.fill("SmolLM2-135M-Instruct · Q4_1")
    picker.press("Enter")
    expect(page.get_by_text("on this machine")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    drawn(page)


def test_a_french_browser_is_answered_in_french(browser: Browser, bench: Workbench) -> None:
    with watched(browser, "fr-FR") as (context, _):
        page = context.new_page()
        page.goto(bench.server.address)
        expect(page.get_by_role("heading", name="Interrogez un modèle sur cette machine")).to_be_visible()
