"""Editing an answer in place, taking a branch out of a tree and putting it back, variants in one query."""

from __future__ import annotations

from typing import Any

import pytest

from core.attachments import Attachment
from core.errors import AnswerRunning, NotThere
from core.events import Finished, ToolCall, Usage
from core.messages import ChatRequest, Message
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.records import StoredMessage

ANA = "ana"
END = Finished("stop", Usage(prompt_tokens=1, generated_tokens=1))


def ask(conversations: Conversations, id: str, text: str, parent: StoredMessage | None = None) -> StoredMessage:
    return conversations.add_question(ANA, id, text, parent_id=parent and parent.id)


def begin(conversations: Conversations, question: StoredMessage, text: str = "") -> StoredMessage:
    message = conversations.begin_answer(
        ANA,
        question.conversation_id,
        parent_id=question.id,
        model_id="m",
        model_name="M",
        request=ChatRequest(),
    )
    conversations.append(message.id, text)
    return message


def answer(conversations: Conversations, question: StoredMessage, text: str) -> StoredMessage:
    message = begin(conversations, question, text)
    conversations.finish(message.id, END, status="complete")
    return conversations.message(ANA, message.id)


def path(conversations: Conversations, id: str) -> list[str]:
    return [message.content for message in conversations.messages(ANA, id)]


def rows(db: Database) -> list[dict[str, Any]]:
    with db.reading() as connection:
        return [dict(row) for row in connection.execute("SELECT * FROM messages ORDER BY number")]


@pytest.fixture
def id(conversations: Conversations) -> str:
    return conversations.create(ANA).id


def test_an_answer_is_edited_in_place_and_marked(conversations: Conversations, id: str) -> None:
    before = answer(conversations, ask(conversations, id, "q"), "wrong")
    assert before.edited_at is None
    conversations.edit_answer(ANA, before.id, "right \ud800")
    after = conversations.message(ANA, before.id)
    assert (after.content, after.status, after.finished) == ("right \ufffd", "complete", END)
    assert after.edited_at is not None and after.edited_at >= before.created_at


def test_neither_a_question_nor_an_answer_still_written_is_edited(conversations: Conversations, id: str) -> None:
    question = ask(conversations, id, "q")
    with pytest.raises(NotThere):
        conversations.edit_answer(ANA, question.id, "another")
    running = begin(conversations, question, "half")
    with pytest.raises(AnswerRunning):
        conversations.edit_answer(ANA, running.id, "mine")
    assert conversations.message(ANA, running.id).content == "half"


def test_a_branch_is_taken_out_and_put_back_as_it_was(conversations: Conversations, db: Database, id: str) -> None:
    first = answer(conversations, ask(conversations, id, "one"), "two")
    question = ask(conversations, id, "three", first)
    leaf = answer(conversations, question, "four")
    before, opened = rows(db), conversations.get(ANA, id)
    branch = conversations.delete_branch(ANA, question.id)
    assert path(conversations, id) == ["one", "two"]
    assert len(branch.rows) == 2 and branch.leaf_id == leaf.id
    conversations.restore_branch(ANA, branch)
    assert rows(db) == before and conversations.get(ANA, id) == opened
    conversations.restore_branch(ANA, branch)
    assert rows(db) == before, "the second time it is there already"


def test_the_path_leads_to_the_variant_before_it_then_after_it_then_above(
    conversations: Conversations, id: str
) -> None:
    question = ask(conversations, id, "q")
    one, two, three = (answer(conversations, question, text) for text in ("1", "2", "3"))
    below_one = answer(conversations, ask(conversations, id, "more", one), "deep")
    conversations.select(ANA, two.id)
    conversations.delete_branch(ANA, two.id)
    assert conversations.get(ANA, id).leaf_id == below_one.id, "to the end of that branch"
    conversations.delete_branch(ANA, one.id)
    assert path(conversations, id) == ["q", "3"]
    conversations.delete_branch(ANA, three.id)
    assert path(conversations, id) == ["q"]
    conversations.delete_branch(ANA, question.id)
    assert conversations.get(ANA, id).leaf_id is None and path(conversations, id) == []


def test_a_branch_beside_the_path_goes_without_moving_it(conversations: Conversations, id: str) -> None:
    question = ask(conversations, id, "q")
    one, two = answer(conversations, question, "1"), answer(conversations, question, "2")
    branch = conversations.delete_branch(ANA, one.id)
    assert path(conversations, id) == ["q", "2"]
    conversations.restore_branch(ANA, branch)
    assert path(conversations, id) == ["q", "2"]
    assert conversations.siblings(ANA, two.id) == [one.id, two.id]


def test_nothing_is_deleted_while_an_answer_below_is_written(
    conversations: Conversations, db: Database, id: str
) -> None:
    question = ask(conversations, id, "q")
    running = begin(conversations, question, "half")
    before = rows(db)
    for message in (question, running):
        with pytest.raises(AnswerRunning):
            conversations.delete_branch(ANA, message.id)
    assert rows(db) == before


def test_a_branch_whose_numbers_were_given_away_is_put_back_as_the_newest(
    conversations: Conversations, id: str
) -> None:
    question = ask(conversations, id, "q")
    first, second = answer(conversations, question, "1"), answer(conversations, question, "2")
    branch = conversations.delete_branch(ANA, second.id)
    third = answer(conversations, question, "3")
    conversations.restore_branch(ANA, branch)
    assert conversations.siblings(ANA, first.id) == [first.id, third.id, second.id]
    assert path(conversations, id) == ["q", "2"]


def test_a_branch_is_not_put_back_where_nothing_is_left(conversations: Conversations, id: str) -> None:
    question = ask(conversations, id, "q")
    branch = conversations.delete_branch(ANA, answer(conversations, question, "1").id)
    conversations.delete_branch(ANA, question.id)
    with pytest.raises(NotThere):
        conversations.restore_branch(ANA, branch)
    assert path(conversations, id) == []


def test_the_variants_of_many_messages_come_at_once(conversations: Conversations, id: str) -> None:
    one, two = ask(conversations, id, "one"), ask(conversations, id, "another")
    replies = [answer(conversations, two, text).id for text in ("a", "b", "c")]
    found = conversations.variants(ANA, [one.id, replies[1], "no such id"])
    assert found == {one.id: [one.id, two.id], replies[1]: replies}
    assert conversations.variants(ANA, []) == {}


def test_files_and_tool_calls_are_kept_with_their_message(conversations: Conversations, id: str) -> None:
    files = (Attachment("a.csv", "x;y\n1;\ud800\n", "csv"), Attachment("b.txt", "é\0", "text"))
    question = conversations.add_question(ANA, id, "", parent_id=None, attachments=files)
    kept = conversations.message(ANA, question.id).attachments
    assert kept == (Attachment("a.csv", "x;y\n1;\ufffd\n", "csv"), files[1])
    assert conversations.get(ANA, id).title == "a.csv"
    message = begin(conversations, question)
    calls = (ToolCall("1", "add", '{"a": 1}'), ToolCall("2", "sub", "no json"))
    for call in calls:
        conversations.add_tool_call(message.id, call)
    assert conversations.message(ANA, message.id).tool_calls == calls
    with pytest.raises(NotThere):
        conversations.add_tool_call("no such id", calls[0])


def test_what_an_answer_already_said_is_kept_with_its_request(conversations: Conversations, id: str) -> None:
    question = ask(conversations, id, "q")
    asked = (Message("system", "Be brief."), Message("user", "q"), Message("assistant", "Well, "))
    stored = conversations.begin_answer(
        ANA,
        id,
        parent_id=question.id,
        model_id="m",
        model_name="M",
        request=ChatRequest(messages=asked, continue_last=True),
        begin_with="Well, ",
    )
    assert stored.content == "Well, " and stored.request is not None
    assert stored.request.messages == (asked[0], asked[2])
