"""Writing a question in a real browser: the count while typing, files, the beginning of the answer, the keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, Page, Request, expect

from tests.e2e.chatting import STORY, Workbench, ask, begins, conversation_in, drawn, grown, said
from tests.e2e.serving import until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

NOTES: FilePayload = {
    "name": "notes.md",
    "mimeType": "text/markdown",
    "buffer": b"# Rivers\nThe Loire is long.\n" * 8,
}
REPORT: FilePayload = {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 Hello"}


def attach(page: Page, *files: FilePayload) -> None:
    """Attaches them, and waits until the server has them: before that, Enter sends nothing."""
    coming = len(files)

    def last(request: Request) -> bool:
        nonlocal coming
        coming -= request.method == "PUT"
        return coming == 0

    with page.expect_event("requestfinished", last):
        page.locator('[data-testid="stChatInput"] input[type=file]').set_input_files(list(files))


def figure(page: Page) -> str:
    """What is shown of the question's size."""
    return page.locator(".count .figure").inner_text()


def exactly(page: Page) -> int:
    """The tokens counted, once they are no estimate."""
    expect(page.locator(".count .figure")).to_have_text(re.compile(r"^[\d,]+ of 4,096 tokens$"))
    return int(figure(page).split(" ")[0].replace(",", ""))


def test_the_count_while_typing_is_that_of_the_answer(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared(max_tokens=4))
    entry = page.get_by_test_id("stChatInputTextArea")
    entry.press_sequentially("What is a river?")
    # Estimated as long as the model is not in memory, which another test may have seen to.
    expect(page.locator(".count .figure")).to_have_text(re.compile(r"^(≈\s)?\d+ of 4,096 tokens$"))
    entry.press("Enter")
    drawn(page)
    first = bench.newest(page)
    before = exactly(page)
    entry.fill("Where does the longest river of France end? 🌊")  # all at once: half of it has a count too
    until(lambda: exactly(page) > before)
    counted = exactly(page)
    page.locator(".count summary").click()
    expect(page.locator(".count .legend")).to_contain_text("history")
    entry.press("Enter")
    until(lambda: bench.newest(page).id != first.id and bench.newest(page).finished is not None)
    finished = bench.newest(page).finished
    assert finished is not None and finished.usage.prompt_tokens == counted


def test_files_are_counted_before_they_are_sent_and_then_asked(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared(max_tokens=4))
    ask(page, "Hello")
    drawn(page)
    first = bench.newest(page)
    page.get_by_test_id("stChatInputTextArea").fill("What do they say?")
    until(lambda: exactly(page) > 0)
    without = exactly(page)
    attach(page, NOTES)
    until(lambda: exactly(page) > without + 40)
    counted = exactly(page)
    page.locator(".count summary").click()
    expect(page.locator(".count .legend")).to_contain_text("attached files")
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    until(lambda: bench.newest(page).id != first.id and bench.newest(page).finished is not None)
    finished = bench.newest(page).finished
    assert finished is not None and finished.usage.prompt_tokens == counted
    question = bench.conversations.messages("person", conversation_in(page))[-2]
    assert [file.name for file in question.attachments] == ["notes.md"] and question.content == "What do they say?"


def test_a_document_is_refused_before_and_after_it_is_sent(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared(max_tokens=4))
    entry = page.get_by_test_id("stChatInputTextArea")
    entry.fill("What does it say?")
    attach(page, REPORT, NOTES)
    expect(page.locator(".count + .notice, .count .notice")).to_contain_text("belong on the RAG page")
    entry.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("report.pdf is not a text file")
    expect(entry).to_have_value("What does it say?")
    expect(page.get_by_role("button", name=re.compile("notes.md"))).to_be_visible()
    entry.press("Enter")
    drawn(page)
    question = bench.conversations.messages("person", conversation_in(page))[-2]
    assert [file.name for file in question.attachments] == ["notes.md"]
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_what_would_be_left_out_is_said(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared(max_tokens=4))
    page.get_by_test_id("stChatInputTextArea").fill("What does it say?")
    attach(page, {"name": "book.txt", "mimeType": "text/plain", "buffer": b"The river flows past the bridge. " * 2000})
    notice = page.locator(".count .notice")
    expect(notice).to_contain_text("Too long: the context holds 4,096 tokens.")
    expect(notice).to_contain_text("RAG page")
    page.get_by_test_id("stFileChipDeleteBtn").get_by_role("button").click()
    expect(notice).to_be_empty()


def test_the_answer_begins_as_it_was_told(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared(max_tokens=8))
    page.get_by_role("button", name="More for this question").click()
    begin = page.get_by_role("textbox", name="Begin the answer with…")
    begin.fill("Dear pupils, a river is")
    begin.press("Control+Enter")
    page.keyboard.press("Escape")
    ask(page, "What is a river?")
    drawn(page)
    assert begins(said(page), "Dear pupils, a river is") and len(said(page)) > len("Dear pupils, a river is")
    page.get_by_role("button", name="More for this question").click()
    expect(begin).to_have_value("")


def test_the_keyboard_is_listed_and_works(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared(max_tokens=4))
    ask(page, "First question")
    drawn(page)
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Ask a model on this machine")).to_be_visible()
    page.keyboard.press("/")
    entry = page.get_by_test_id("stChatInputTextArea")
    expect(entry).to_be_focused()
    page.keyboard.type("n?/")
    expect(entry).to_have_value("n?/")
    listed = page.get_by_role("dialog", name="Keyboard")
    expect(listed).to_have_count(0)
    page.keyboard.press("Control+/")
    expect(listed).to_contain_text("New conversation")
    page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    page.keyboard.press("Escape")
    expect(entry).not_to_be_focused()
    page.keyboard.press("?")
    expect(listed).to_contain_text("Search the conversations")
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    expect(page.get_by_test_id("stChatMessage").first).to_contain_text("First question")
    page.keyboard.press("s")
    expect(page.locator(".st-key-library-search input")).to_be_focused()


def test_escape_leaves_the_text_first_and_then_stops_the_answer(page: Page, bench: Workbench) -> None:
    page.goto(bench.prepared())
    ask(page, STORY)
    seen = grown(page)
    page.get_by_test_id("stChatInputTextArea").fill("Wait")
    page.keyboard.press("Escape")
    seen = grown(page, seen, characters=40)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    seen = grown(page, seen, characters=40)
    page.keyboard.press("Escape")
    drawn(page)
    assert begins(said(page), seen.strip().split("\n")[0])
    first = bench.newest(page)
    page.keyboard.press("g")
    until(lambda: bench.newest(page).id != first.id)
