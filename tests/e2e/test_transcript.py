"""What can be done with every message, in a real browser: edit and switch, edit in place, delete and undo, copy,
another model, the exact request; and that formulas, tables and code are drawn."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from core.chat import Asking, asking_to_settings
from core.events import Finished, Usage
from core.messages import ChatRequest, Message, Sampling
from core.store.records import StoredMessage
from pages.ui.owner import PERSON
from tests.e2e.chatting import STORY, Workbench, ask, drawn, grown
from tests.e2e.serving import until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

END = Finished("stop", Usage(prompt_tokens=10, generated_tokens=5, context_length=4096))
FORMULAS = (
    "The roots of \\(ax^2 + c = 0\\) are\n\n\\[\nx = \\pm\\sqrt{-c/a}\n\\]\n\nThat is $5 and $10, or $y^2$.\n\n"
    "| sign | roots |\n|---|---|\n| $>$ 0 | two |\n\n```python\nprint('$a$ \\(b\\)')\n```\n"
)


def talk(bench: Workbench, *texts: str, max_tokens: int = 4) -> list[StoredMessage]:
    """A conversation of questions and answers in turn, asked greedily and briefly."""
    conversations = bench.conversations
    asking = Asking(sampling=Sampling(temperature=0.0), max_tokens=max_tokens)
    id, path = conversations.create(PERSON, settings=asking_to_settings(asking)).id, list[StoredMessage]()
    for number, text in enumerate(texts):
        above = path[-1].id if path else None
        if number % 2:
            path.append(answer(bench, path[-1], text))
        else:
            path.append(conversations.add_question(PERSON, id, text, parent_id=above))
    return path


def answer(bench: Workbench, question: StoredMessage, text: str) -> StoredMessage:
    message = bench.conversations.begin_answer(
        PERSON,
        question.conversation_id,
        parent_id=question.id,
        model_id="smollm2-135m",
        model_name="SmolLM2",
        request=ChatRequest(messages=(Message("system", "Be brief."),), max_tokens=4),
    )
    bench.conversations.append(message.id, text)
    bench.conversations.finish(message.id, END, status="complete")
    return bench.conversations.message(PERSON, message.id)


def open_at(page: Page, bench: Workbench, message: StoredMessage) -> None:
    page.goto(f"{bench.server.address}?c={message.conversation_id}")
    drawn(page)


def bubble(page: Page, number: int) -> Locator:
    """The message at this place on the page."""
    return page.get_by_test_id("stChatMessage").nth(number)


def pick(page: Page, number: int, action: str) -> None:
    """Picks from the menu of the message at this place."""
    bubble(page, number).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=action).click()


def test_an_edited_question_is_a_branch_to_switch_from(page: Page, bench: Workbench) -> None:
    path = talk(bench, "one", "two", "three", "four")
    open_at(page, bench, path[0])
    bubble(page, 2).get_by_role("button", name="Edit and ask again").click()
    field = page.get_by_role("textbox", name="Question")
    expect(field).to_have_value("three")
    field.fill("What is the capital of France?")
    field.press("Tab")
    page.get_by_role("button", name="Save and ask").click()
    expect(bubble(page, 2)).to_contain_text("What is the capital of France?")
    expect(bubble(page, 2)).to_contain_text("2/2")
    drawn(page)
    bubble(page, 2).get_by_role("button", name="Previous question").click()
    expect(bubble(page, 2)).to_contain_text("three")
    expect(bubble(page, 3)).to_contain_text("four")
    bubble(page, 2).get_by_role("button", name="Next question").click()
    expect(bubble(page, 2)).to_contain_text("What is the capital of France?")


def test_an_answer_is_edited_in_place_and_marked(page: Page, bench: Workbench) -> None:
    path = talk(bench, "one", "two", "three", "four")
    open_at(page, bench, path[0])
    pick(page, 1, "Edit in place")
    field = page.get_by_role("textbox", name="Answer")
    field.fill("**two and a half**")
    field.press("Tab")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(bubble(page, 1).locator("strong")).to_have_text("two and a half")
    expect(bubble(page, 1)).to_contain_text("Edited, ")
    expect(bubble(page, 3)).to_contain_text("four")
    assert bench.conversations.message(PERSON, path[1].id).content == "**two and a half**"


def test_a_branch_is_deleted_and_brought_back(page: Page, bench: Workbench) -> None:
    path = talk(bench, "one", "two", "three", "four")
    open_at(page, bench, path[0])
    pick(page, 2, "Delete from here on")
    expect(page.get_by_text("2 messages deleted.")).to_be_visible()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(bubble(page, 3)).to_contain_text("four")
    expect(page.get_by_text("2 messages deleted.")).to_have_count(0)


def test_a_message_is_copied_as_it_was_written(page: Page, bench: Workbench) -> None:
    path = talk(bench, 'What are "they"?', FORMULAS)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_at(page, bench, path[0])
    for number, text in enumerate(('What are "they"?', FORMULAS)):
        bubble(page, number).get_by_role("button", name="Copy as Markdown").click()
        expect(bubble(page, number).get_by_role("status").filter(has_text="Copied")).to_have_count(1)
        assert page.evaluate("navigator.clipboard.readText()") == text


def test_a_message_is_copied_where_the_browser_keeps_its_clipboard(page: Page, bench: Workbench) -> None:
    path = talk(bench, "one", "**two**")
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined });"
        "document.addEventListener('copy', () => { window.copied = document.activeElement.value; });"
    )
    open_at(page, bench, path[0])
    bubble(page, 1).get_by_role("button", name="Copy as Markdown").click()
    until(lambda: page.evaluate("window.copied") == "**two**")


def test_another_model_answers_beside_the_first(page: Page, bench: Workbench) -> None:
    path = talk(bench, "What is the capital of France?", "Lyon.")
    open_at(page, bench, path[0])
    pick(page, 1, "Ask another model")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Model")).to_have_value("SmolLM2-135M-Instruct · Q4_1")
    dialog.get_by_role("button", name="Ask this model").click()
    expect(dialog).to_have_count(0)
    expect(bubble(page, 1)).to_contain_text("2/2")
    drawn(page)
    assert bench.newest(page).parent_id == path[0].id and bench.newest(page).id != path[1].id


def test_the_exact_request_in_four_languages(page: Page, bench: Workbench) -> None:
    path = talk(bench, 'Say "hello" & <b>bye</b>', "Hello.")
    open_at(page, bench, path[0])
    pick(page, 1, "The exact request")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"POST {bench.server.address}v1/chat/completions")
    body = json.loads(dialog.get_by_test_id("stCode").first.inner_text())
    assert [message["content"] for message in body["messages"]] == ["Be brief.", 'Say "hello" & <b>bye</b>']
    for tab, begins in (("curl", "curl "), ("Python", "from openai"), ("JavaScript", "fetch(")):
        dialog.get_by_role("tab", name=tab).click()
        shown = dialog.get_by_test_id("stCode").filter(visible=True)
        expect(shown).to_contain_text(begins)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_dialog_stays_open_when_the_answer_ends(page: Page, bench: Workbench) -> None:
    path = talk(bench, "one", "two", max_tokens=300)
    open_at(page, bench, path[0])
    ask(page, STORY)
    grown(page)
    pick(page, 1, "The exact request")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("POST ")
    expect(page.locator(".live-answer")).to_have_count(0)
    expect(dialog).to_contain_text("POST ")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_formulas_tables_and_code_are_drawn(page: Page, bench: Workbench) -> None:
    path = talk(bench, "Explain.", FORMULAS)
    open_at(page, bench, path[0])
    drawing = bubble(page, 1)
    expect(drawing.locator(".katex-display")).to_have_count(1)
    expect(drawing.locator(".katex")).to_have_count(4)
    expect(drawing).to_contain_text("That is $5 and $10, or")
    expect(drawing.get_by_role("cell", name="two")).to_be_visible()
    code = drawing.get_by_test_id("stCode")
    expect(code).to_have_text("print('$a$ \\(b\\)')")
    expect(code.locator(".token.string")).to_have_count(1)
    pick(page, 1, "Raw text")
    expect(drawing.locator(".katex")).to_have_count(0)
    assert drawing.get_by_test_id("stCode").first.inner_text().strip() == FORMULAS.strip()
