"""Editing and resending, two windows on one conversation, beginning the answer, files, and the request as it was."""

from __future__ import annotations

import msgspec
import pytest

from core.attachments import Attachment, composed
from core.chat import Asking, Chat, asking_of
from core.errors import EmptyPrompt, NotThere
from core.messages import Message, Sampling
from core.models.local.model_settings import ModelSettings
from core.workbench import Workbench
from tests.asking import GREEDY, QUESTION
from tests.chat.talking import ANA, BEN, ended, running

pytestmark = pytest.mark.model

SHORT = Asking(sampling=GREEDY, max_tokens=4)


@pytest.fixture
def chat(workbench: Workbench) -> Chat:
    return workbench.chat


def path(workbench: Workbench, id: str) -> list[str]:
    return [message.id for message in workbench.conversations.messages(ANA, id)]


def test_an_edited_question_is_a_branch_and_the_old_one_stays(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    second = ended(workbench, chat.ask(ANA, first.conversation_id, "And of Spain?", SHORT))
    edited = ended(workbench, chat.ask(ANA, first.conversation_id, "And of Peru?", SHORT, parent_id=first.id))
    assert second.parent_id is not None and edited.parent_id is not None
    assert workbench.conversations.siblings(ANA, edited.parent_id) == [second.parent_id, edited.parent_id]
    assert path(workbench, first.conversation_id)[-2:] == [edited.parent_id, edited.id]
    workbench.conversations.select(ANA, second.parent_id)
    assert path(workbench, first.conversation_id)[-2:] == [second.parent_id, second.id]


def test_a_first_question_is_edited_too(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    edited = ended(workbench, chat.ask(ANA, first.conversation_id, "Hello?", SHORT, parent_id=None))
    assert path(workbench, first.conversation_id) == [edited.parent_id, edited.id]
    assert first.parent_id is not None and edited.parent_id is not None
    assert workbench.conversations.siblings(ANA, first.parent_id) == [first.parent_id, edited.parent_id]


def test_a_second_window_asks_below_what_it_has_seen(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    id = first.conversation_id
    one = chat.ask(ANA, id, "From one window", SHORT, parent_id=first.id)
    two = chat.ask(ANA, id, "From the other", SHORT, parent_id=first.id)
    assert [m.content for m in running(chat, two).request.messages] == [QUESTION, first.content, "From the other"]
    one, two = ended(workbench, one), ended(workbench, two)
    assert one.parent_id is not None and two.parent_id is not None
    assert workbench.conversations.siblings(ANA, one.parent_id) == [one.parent_id, two.parent_id]
    assert one.content and two.content


def test_a_question_cannot_follow_what_is_not_there(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    theirs = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    before = path(workbench, first.conversation_id)
    for parent in ("no such id", theirs.id):
        with pytest.raises(NotThere):
            chat.ask(ANA, first.conversation_id, "Hello?", SHORT, parent_id=parent)
    assert path(workbench, first.conversation_id) == before


def test_the_answer_begins_as_the_person_wrote(workbench: Workbench, chat: Chat) -> None:
    message = chat.ask(ANA, None, QUESTION, SHORT, begin_with="The capital of France is")
    request = running(chat, message).request
    assert request.continue_last and request.messages[-1] == Message("assistant", "The capital of France is")
    answer = ended(workbench, message)
    assert answer.content.startswith("The capital of France is") and "Paris" in answer.content
    assert answer.content == running(chat, message).text and answer.status == "complete"
    assert chat.request_of(ANA, answer.id) == request


def test_files_are_sent_with_the_question_and_kept_beside_it(workbench: Workbench, chat: Chat) -> None:
    files = (Attachment("capitals.csv", "France,Paris\n", "csv"),)
    message = chat.ask(ANA, None, QUESTION, SHORT, attachments=files)
    assert running(chat, message).request.messages == (Message("user", composed(QUESTION, files)),)
    answer = ended(workbench, message)
    assert answer.parent_id is not None
    question = workbench.conversations.message(ANA, answer.parent_id)
    assert (question.content, question.attachments) == (QUESTION, files)
    again = chat.regenerate(ANA, answer.id, SHORT)
    assert running(chat, again).request.messages == (Message("user", composed(QUESTION, files)),)
    ended(workbench, again)
    only = ended(workbench, chat.ask(ANA, None, " ", SHORT, attachments=files))
    assert only.status == "complete"
    with pytest.raises(EmptyPrompt):
        chat.ask(ANA, None, " ", SHORT)


def test_a_question_whose_answer_was_deleted_is_answered(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    workbench.conversations.delete_branch(ANA, first.id)
    assert first.parent_id is not None
    assert path(workbench, first.conversation_id) == [first.parent_id]
    again = ended(workbench, chat.answer(ANA, first.parent_id, SHORT))
    assert path(workbench, first.conversation_id) == [first.parent_id, again.id] and again.content == first.content
    with pytest.raises(NotThere):
        chat.answer(ANA, again.id, SHORT)
    with pytest.raises(NotThere):
        chat.answer(BEN, first.parent_id, SHORT)


def test_the_request_of_an_answer_is_told_whole(workbench: Workbench, chat: Chat) -> None:
    asking = msgspec.structs.replace(SHORT, system_prompt="Be brief.")
    first = ended(workbench, chat.ask(ANA, None, QUESTION, asking))
    second = chat.ask(ANA, first.conversation_id, "And of Spain?", asking)
    asked = running(chat, second).request
    ended(workbench, second)
    ended(workbench, chat.ask(ANA, first.conversation_id, "And of Peru?", asking))
    assert chat.request_of(ANA, second.id) == asked
    workbench.conversations.edit_answer(ANA, first.id, "Lyon, of course.")
    assert Message("assistant", "Lyon, of course.") in chat.request_of(ANA, second.id).messages
    for owner, id in ((BEN, second.id), (ANA, second.parent_id)):
        assert id is not None
        with pytest.raises(NotThere):
            chat.request_of(owner, id)


def test_an_edited_answer_is_what_the_model_is_given_next(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    workbench.conversations.edit_answer(ANA, first.id, "It is Lyon, and")
    on = chat.go_on(ANA, first.id, SHORT)
    assert running(chat, on).request.messages[-1] == Message("assistant", "It is Lyon, and")
    whole = ended(workbench, on)
    assert whole.content.startswith("It is Lyon, and") and whole.edited_at is not None


def test_all_that_decides_an_answer_is_sent_and_kept(workbench: Workbench, chat: Chat) -> None:
    asking = Asking(
        sampling=Sampling(temperature=0.0),
        max_tokens=4,
        stop=("\n\n", "###"),
        json_schema={"type": "object", "properties": {"city": {"type": "string"}}},
        settings=ModelSettings(context_length=512, kv_type="f16"),
    )
    message = ended(workbench, chat.ask(ANA, None, QUESTION, asking))
    assert message.request is not None and message.content.startswith("{")
    assert (message.request.stop, message.request.json_schema) == (asking.stop, asking.json_schema)
    assert asking_of(workbench.conversations.get(ANA, message.conversation_id)) == asking
    ruled = msgspec.structs.replace(asking, json_schema=None, grammar='root ::= "yes" | "no"')
    answer = ended(workbench, chat.ask(ANA, message.conversation_id, "Is it?", ruled))
    assert answer.content in ("yes", "no")
    assert asking_of(workbench.conversations.get(ANA, message.conversation_id)) == ruled
