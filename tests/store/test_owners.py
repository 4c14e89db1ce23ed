"""What is one owner's is not there for another: every method that takes an owner is tried."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from core.errors import NotThere
from core.messages import ChatRequest
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.records import StoredMessage
from core.store.runs import Runs

ANA, BEN = "ana", "ben"
Call = Callable[[Conversations, str, StoredMessage], Any]


def begin(
    conversations: Conversations, owner: str, question: StoredMessage, continue_from: StoredMessage | None = None
) -> StoredMessage:
    return conversations.begin_answer(
        owner,
        question.conversation_id,
        parent_id=question.id,
        model_id="m",
        model_name="M",
        request=ChatRequest(),
        continue_from=continue_from,
    )


CALLS: dict[str, Call] = {
    "get": lambda c, owner, q: c.get(owner, q.conversation_id),
    "update": lambda c, owner, q: c.update(owner, q.conversation_id, title="mine now"),
    "messages": lambda c, owner, q: c.messages(owner, q.conversation_id),
    "message": lambda c, owner, q: c.message(owner, q.id),
    "path_to": lambda c, owner, q: c.path_to(owner, q.id),
    "siblings": lambda c, owner, q: c.siblings(owner, q.id),
    "delete_branch": lambda c, owner, q: c.delete_branch(owner, q.id),
    "select": lambda c, owner, q: c.select(owner, q.id),
    "add_question": lambda c, owner, q: c.add_question(owner, q.conversation_id, "mine", parent_id=q.id),
    "begin_answer": begin,
    "delete": lambda c, owner, q: c.delete(owner, q.conversation_id),
}


def everything(db: Database) -> list[tuple[Any, ...]]:
    with db.reading() as connection:
        return [
            tuple(row)
            for table in ("conversations", "messages")
            for row in connection.execute(f"SELECT * FROM {table}")
        ]


@pytest.mark.parametrize("name", CALLS)
def test_another_owner_reads_and_changes_nothing(conversations: Conversations, db: Database, name: str) -> None:
    id = conversations.create(ANA).id
    question = conversations.add_question(ANA, id, "private", parent_id=None)
    before = everything(db)
    with pytest.raises(NotThere) as refused:
        CALLS[name](conversations, BEN, question)
    assert everything(db) == before
    with pytest.raises(NotThere) as unknown:
        CALLS[name](conversations, "nobody", question)
    assert str(refused.value) == str(unknown.value)
    CALLS[name](conversations, ANA, question)


def test_another_owner_edits_no_answer_and_restores_no_branch(conversations: Conversations, db: Database) -> None:
    question = conversations.add_question(ANA, conversations.create(ANA).id, "private", parent_id=None)
    answer = begin(conversations, ANA, question)
    conversations.recover()
    with pytest.raises(NotThere):
        conversations.edit_answer(BEN, answer.id, "mine")
    assert conversations.variants(BEN, [question.id, answer.id]) == {}
    branch = conversations.delete_branch(ANA, answer.id)
    before = everything(db)
    with pytest.raises(NotThere):
        conversations.restore_branch(BEN, branch)
    assert everything(db) == before


def test_every_method_with_an_owner_is_tried() -> None:
    public = {n: f for n, f in inspect.getmembers(Conversations, inspect.isfunction) if not n.startswith("_")}
    owned = {name for name, function in public.items() if "owner" in inspect.signature(function).parameters}
    assert owned == set(CALLS) | {"create", "list", "variants", "edit_answer", "restore_branch"}
    of_a_running_answer = {"attach", "append", "set_routed", "set_trimmed", "add_tool_call", "finish", "fail"}
    assert set(public) - owned == of_a_running_answer | {"recover"}


def test_each_owner_lists_their_own(conversations: Conversations) -> None:
    of_ana, of_ben = conversations.create(ANA), conversations.create(BEN)
    assert [summary.id for summary in conversations.list(ANA)] == [of_ana.id]
    assert [summary.id for summary in conversations.list(BEN)] == [of_ben.id]
    assert conversations.list("nobody") == []


def test_another_owners_messages_are_no_parents_and_not_continued(conversations: Conversations) -> None:
    theirs = conversations.add_question(ANA, conversations.create(ANA).id, "private", parent_id=None)
    answer = begin(conversations, ANA, theirs)
    conversations.recover()
    mine = conversations.add_question(BEN, conversations.create(BEN).id, "q", parent_id=None)
    with pytest.raises(NotThere):
        conversations.add_question(BEN, mine.conversation_id, "q", parent_id=theirs.id)
    with pytest.raises(NotThere):
        begin(conversations, BEN, mine, continue_from=answer)
    assert conversations.message(ANA, answer.id).status == "cut"


def test_each_owner_has_their_own_runs(db: Database) -> None:
    runs = Runs(db)
    of_ana = runs.add(ANA, kind="chat", model_id="m", figures={})
    runs.add(BEN, kind="chat", model_id="m", figures={})
    assert runs.list(ANA) == [of_ana]
    assert runs.list(ANA, model_id="m", kind="chat") == [of_ana]
    assert runs.list("nobody") == []
