"""Processes that are killed in mid-answer, as a person at the Chat page meets it: what had come is kept, the cure is
said, and the next question works."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chatting import (
    STORY,
    Workbench,
    ask,
    begins,
    drawn,
    first_line,
    grown,
    said,
    stop,
    watched,
    workbench,
)
from tests.e2e.serving import until

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.faults]


def kill_the_model(bench: Workbench, page: Page) -> str:
    """Kills the model's process in mid-answer; what had come by then."""
    seen = grown(page, characters=20)
    (worker,) = bench.server.workers()
    worker.kill()
    return seen


def test_a_killed_model_costs_one_answer_and_three_in_a_row_set_it_aside(browser: Browser, tmp_path: Path) -> None:
    with workbench(tmp_path) as bench, watched(browser) as (context, _):
        page = context.new_page()
        page.goto(bench.prepared())
        ask(page, STORY)
        seen = kill_the_model(bench, page)
        expect(page.get_by_text("What had come is kept. Ask again")).to_be_visible()
        kept = bench.newest(page)
        assert kept.status == "failed" and begins(kept.content, seen) and begins(said(page), first_line(kept.content))

        page.get_by_role("button", name="Regenerate").click()
        assert begins(grown(page, seen), first_line(seen)), "the same model again"
        stop(page)
        expect(page.get_by_text("stopped: on request")).to_be_visible()
        assert len(bench.server.workers()) == 1 and bench.newest(page).id != kept.id

        page.goto(bench.prepared(max_tokens=2))
        ask(page, "Hello?")
        drawn(page)
        page.goto(bench.prepared())
        ask(page, STORY)
        for death in range(3):
            if death:
                page.get_by_role("button", name="Regenerate").click()
            kill_the_model(bench, page)
            expect(page.get_by_text("What had come is kept. Ask again")).to_be_visible()
        page.get_by_role("button", name="Regenerate").click()
        expect(page.get_by_text("has crashed three times in a row")).to_be_visible()
        expect(page.get_by_text("Choose another model, or load this one with other settings.")).to_be_visible()
        assert bench.server.workers() == []


def test_a_killed_server_leaves_no_process_and_its_answer_goes_on_after_a_restart(
    browser: Browser, tmp_path: Path
) -> None:
    with watched(browser) as (context, watch):
        page = context.new_page()
        with workbench(tmp_path) as bench:
            page.goto(bench.prepared(max_tokens=2000))
            ask(page, STORY)
            seen = grown(page, characters=40)
            until(lambda: begins(bench.newest(page).content, seen))
            workers = bench.server.workers()
            watch.lost = True
            bench.server.process.kill()
            until(lambda: not any(worker.is_running() for worker in workers))
            assert len(workers) == 1
        with workbench(tmp_path, port=bench.server.port) as bench:
            expect(page.get_by_text("This answer was cut.")).to_be_visible()
            kept = bench.newest(page)
            assert kept.status == "cut" and begins(kept.content, seen) and begins(said(page), first_line(kept.content))
            page.get_by_role("button", name="Continue").click()
            whole = grown(page, kept.content, characters=20)
            assert begins(whole, kept.content)
            stop(page)
            assert bench.newest(page).id == kept.id and begins(bench.newest(page).content, whole)
