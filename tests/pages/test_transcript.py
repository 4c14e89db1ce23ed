"""What can be done with every message on the Chat page, and what is seen of it. The clipboard: tests/e2e."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator

import pytest

from core.attachments import Attachment
from core.events import Finished, Timings, ToolCall, Usage
from core.messages import ChatRequest, Message
from core.store import rows
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.pages.sitting import Sitting

pytestmark = pytest.mark.model

QUESTION = "What is the capital of France?"
USAGE = Usage(prompt_tokens=10, generated_tokens=5, context_length=100)
END = Finished("stop", USAGE)


def answered(workbench: Workbench, question: StoredMessage, text: str, end: Finished = END) -> StoredMessage:
    """An answer as the embedded model would have given it."""
    conversations = workbench.conversations
    message = conversations.begin_answer(
        PERSON,
        question.conversation_id,
        parent_id=question.id,
        model_id="smollm2-135m",
        model_name="SmolLM2",
        request=ChatRequest(messages=(Message("system", "Be brief."),), max_tokens=4),
    )
    conversations.append(message.id, text)
    conversations.finish(message.id, end, status="complete")
    return conversations.message(PERSON, message.id)


def asked(workbench: Workbench, text: str, parent: StoredMessage | None = None, id: str = "") -> StoredMessage:
    id = id or (parent.conversation_id if parent else workbench.conversations.create(PERSON).id)
    return workbench.conversations.add_question(PERSON, id, text, parent_id=parent and parent.id)


def opened(workbench: Workbench, message: StoredMessage) -> Sitting:
    return Sitting(workbench, c=message.conversation_id).set(temperature=0.0, max_tokens=4)


def pick(page: Sitting, message: StoredMessage, action: str) -> Sitting:
    """Picks from a message's menu."""
    page.at.menu_button(key=f"menu-{message.id}").click(action)
    return page.run()


@pytest.fixture
def talk(workbench: Workbench) -> Iterator[list[StoredMessage]]:
    """Two questions and their answers."""
    first = asked(workbench, "one")
    second = answered(workbench, first, "two")
    third = asked(workbench, "three", second)
    yield [first, second, third, answered(workbench, third, "four")]


def test_a_conversation_of_an_earlier_version_is_drawn_whatever_its_ids(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count()
    monkeypatch.setattr(rows, "new_id", lambda: f"{next(numbers)}__-_old")
    first = asked(workbench, "one")
    answered(workbench, first, "two")
    page = opened(workbench, first)
    assert page.shown() == ["one", "two"] and page.errors() == []


def test_a_question_is_edited_in_place_and_asked_beside_the_old_one(
    workbench: Workbench, talk: list[StoredMessage]
) -> None:
    page = opened(workbench, talk[0])
    page.press(f"edit-question-{talk[2].id}")
    field = page.at.text_area(key=f"edit-{talk[2].id}")
    assert field.value == "three" and page.shown() == ["one", "two", "four"]
    field.set_value(QUESTION)
    page.run().press(f"save-{talk[2].id}").answered()
    assert page.shown()[:3] == ["one", "two", QUESTION] and len(page.shown()) == 4
    assert "2/2" in page.captions()
    page.press(f"variant-1-{page.messages()[2].id}")
    assert page.shown() == ["one", "two", "three", "four"]


def test_an_edit_that_is_left_or_empty_changes_nothing(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = opened(workbench, talk[0]).press(f"edit-question-{talk[0].id}")
    page.at.text_area(key=f"edit-{talk[0].id}").set_value("  ")
    assert page.run().at.button(key=f"save-{talk[0].id}").disabled
    page.press(f"cancel-{talk[0].id}")
    assert page.shown() == ["one", "two", "three", "four"] and "2/2" not in page.captions()


def test_an_edit_that_cannot_be_asked_keeps_what_was_typed(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = opened(workbench, talk[0]).set(model="nowhere.gguf").press(f"edit-question-{talk[2].id}")
    page.at.text_area(key=f"edit-{talk[2].id}").set_value("typed with care")
    page.run().press(f"save-{talk[2].id}")
    assert page.at.text_area(key=f"edit-{talk[2].id}").value == "typed with care"
    assert any("nowhere.gguf" in error for error in page.errors())
    assert [message.content for message in page.messages()] == ["one", "two", "three", "four"]


def test_an_answer_is_edited_in_place_and_marked(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = pick(opened(workbench, talk[0]), talk[1], "edit")
    page.at.text_area(key=f"edit-{talk[1].id}").set_value("too")
    page.run().press(f"save-{talk[1].id}")
    assert page.shown() == ["one", "too", "three", "four"]
    assert [caption for caption in page.captions() if caption.startswith("Edited, ")]
    assert workbench.conversations.message(PERSON, talk[1].id).edited_at is not None


def test_any_answer_is_regenerated_not_only_the_newest(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = pick(opened(workbench, talk[0]), talk[1], "regenerate").answered()
    assert len(page.messages()) == 2 and page.messages()[0].id == talk[0].id
    page.press("variant-1")
    assert page.shown() == ["one", "two", "three", "four"]


def test_another_model_is_picked_among_all_within_reach(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = pick(opened(workbench, talk[0]), talk[1], "another")
    assert page.at.selectbox(key=f"another-{talk[1].id}").value == "smollm2-135m", "begins with the answer's own"


def test_a_branch_is_deleted_and_comes_back(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = pick(opened(workbench, talk[0]), talk[2], "delete")
    assert page.shown() == ["one", "two"] and "2 messages deleted." in page.captions()
    page.press("undo-delete")
    assert page.shown() == ["one", "two", "three", "four"] and "Undo" not in page.labels()


def test_the_way_back_is_gone_when_the_conversation_goes_on(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = pick(opened(workbench, talk[0]), talk[2], "delete").ask("Hello?").answered()
    assert "Undo" not in page.labels() and page.shown()[:3] == ["one", "two", "Hello?"]


def test_a_whole_conversation_is_never_lost_by_deleting_a_message(
    workbench: Workbench, talk: list[StoredMessage]
) -> None:
    page = pick(opened(workbench, talk[0]), talk[0], "delete")
    assert page.shown() == [] and page.id == talk[0].conversation_id and page.errors() == []
    page.press("undo-delete")
    assert page.shown() == ["one", "two", "three", "four"]


def test_a_deleted_answer_leaves_a_question_that_can_be_answered(
    workbench: Workbench, talk: list[StoredMessage]
) -> None:
    page = pick(opened(workbench, talk[0]), talk[3], "delete")
    assert page.shown() == ["one", "two", "three"]
    page.press("answer").answered()
    assert len(page.shown()) == 4 and page.messages()[2].id == talk[2].id


def test_nothing_is_deleted_while_an_answer_below_is_written(workbench: Workbench) -> None:
    page = Sitting(workbench).set(temperature=0.0, max_tokens=2000)
    page.ask("Write a very long story about a lighthouse keeper.")
    running, question = page.answer(), page.messages()[0]
    pick(page, question, "delete")
    assert page.errors() == ["**Stop it first, or wait for its end.**\n\nThis answer is still being written."]
    assert running is not None and not running.ended
    running.stop()
    assert len(page.answered().messages()) == 2


def test_editing_a_question_in_mid_answer_stops_the_answer_and_keeps_it(workbench: Workbench) -> None:
    page = Sitting(workbench).set(temperature=0.0, max_tokens=2000)
    page.ask("Write a very long story about a lighthouse keeper.")
    running, question, story = page.answer(), *page.messages()
    page.press(f"edit-question-{question.id}")
    page.at.text_area(key=f"edit-{question.id}").set_value("Hello?")
    page.run().set(max_tokens=2).press(f"save-{question.id}").answered()
    assert running is not None and running.ended
    assert workbench.conversations.message(PERSON, story.id).status == "cut"
    assert page.messages()[0].content == "Hello?"


def test_the_raw_text_is_shown_as_it_came_and_back(workbench: Workbench) -> None:
    message = answered(workbench, asked(workbench, QUESTION), "**bold** \\(x\\)")
    page = pick(opened(workbench, message), message, "raw")
    assert [code.value for code in page.at.code] == ["**bold** \\(x\\)"] and page.shown() == [QUESTION]
    pick(page, message, "raw")
    assert page.shown() == [QUESTION, "**bold** $x$"] and len(page.at.code) == 0


def test_the_exact_request_is_told_in_four_languages(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = pick(opened(workbench, talk[0]), talk[3], "request")
    body, curl, python, javascript = (code.value for code in page.at.code)
    assert '"max_tokens": 4' in body and '"content": "three"' in body and '"four"' not in body
    assert curl.startswith("curl ") and "from openai import OpenAI" in python and javascript.startswith("fetch(")
    assert not any("edited since" in caption for caption in page.captions())
    workbench.conversations.edit_answer(PERSON, talk[1].id, "too")
    page = pick(opened(workbench, talk[0]), talk[3], "request")
    assert any("edited since" in caption for caption in page.captions())


def test_thinking_and_tool_calls_are_shown(workbench: Workbench) -> None:
    timings = Timings(decode_rate=90.0, ttft_s=0.2, thinking_s=3.2)
    end = Finished("tool_calls", Usage(prompt_tokens=9, generated_tokens=200, thinking_tokens=120), timings)
    question = asked(workbench, QUESTION)
    message = answered(workbench, question, "", end)
    workbench.conversations.append(message.id, "The person asks.", reasoning=True)
    workbench.conversations.add_tool_call(message.id, ToolCall("1", "get_*weather*", '{"city":"Paris"}'))
    page = opened(workbench, message)
    assert page.at.expander[0].label == "Thought for 3.2\u00a0s · 120\u00a0tokens"
    (asks,) = [caption.replace("\\", "") for caption in page.captions() if "asks for the tool" in caption]
    assert asks == ":material/build: The model asks for the tool **get_*weather***:"
    assert [code.value for code in page.at.code] == ['{\n  "city": "Paris"\n}']


def test_a_refusal_is_said(workbench: Workbench) -> None:
    message = answered(workbench, asked(workbench, QUESTION), "I cannot.", Finished("content_filter", USAGE))
    assert "The model refused, or the provider held the rest back." in opened(workbench, message).captions()


def test_the_files_of_a_question_are_chips_with_name_and_size(workbench: Workbench) -> None:
    files = (Attachment("a_b.csv", "x;y\n" * 20, "csv"), Attachment("main.py", "print()\n", "code"))
    id = workbench.conversations.create(PERSON).id
    question = workbench.conversations.add_question(PERSON, id, "Sum?", parent_id=None, attachments=files)
    answered(workbench, question, "1")
    page = opened(workbench, question)
    chips = [block.proto.popover.label for block in page.at.get("popover")]
    assert [chip.replace("\\", "") for chip in chips if "·" in chip] == [
        "a_b.csv · 80\u00a0bytes",
        "main.py · 8\u00a0bytes",
    ]
    page.press(f"edit-question-{question.id}").press(f"save-{question.id}").answered()
    assert page.messages()[0].id != question.id and page.messages()[0].attachments == files


def test_a_window_that_has_not_seen_it_all_makes_a_variant(workbench: Workbench, talk: list[StoredMessage]) -> None:
    one, two = opened(workbench, talk[0]), opened(workbench, talk[0])
    one.ask("From one window").answered()
    two.ask("From the other").answered()
    assert two.shown()[:5] == ["one", "two", "three", "four", "From the other"] and "2/2" in two.captions()
    assert one.run().shown()[4] == "From the other", "the newest path is what everybody sees"


def test_drawing_asks_the_database_the_same_for_many_messages_as_for_few(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_sql: list[str] = []
    short, long = asked(workbench, "0"), asked(workbench, "0")
    answered(workbench, short, "only")
    parent = long
    for number in range(1, 40):
        parent = asked(workbench, str(number), answered(workbench, parent, "yes"))
    database = workbench.database
    take = database._take

    def traced() -> sqlite3.Connection:
        connection = take()
        connection.set_trace_callback(asked_sql.append)
        return connection

    monkeypatch.setattr(database, "_take", traced)
    counts = []
    for message in (short, long):
        page = opened(workbench, message)
        asked_sql.clear()
        page.run()
        counts.append(len(asked_sql))
    assert counts[0] == counts[1] > 0


def test_all_of_it_in_french(workbench: Workbench, talk: list[StoredMessage]) -> None:
    page = Sitting(workbench, lang="fr", c=talk[0].conversation_id)
    for message in talk:
        options = page.at.menu_button(key=f"menu-{message.id}").options
        assert not {"Regenerate", "Raw text", "Edit in place"} & {option.split(": ")[-1] for option in options}
