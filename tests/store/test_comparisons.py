"""Comparisons as they are kept: their panes are conversations that no list, no search and no bin has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from core.attachments import Attachment
from core.errors import NotThere, ProviderTimedOut
from core.messages import ChatRequest
from core.store.comparisons import Comparisons, KeptComparison, NewPane
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.library import Library
from core.store.records import StoredMessage
from core.store.tally import Tally

ANA, BEN = "ana", "ben"
A, B = NewPane(model_id="a", system_prompt="Rhyme.", settings={"max_tokens": 3}), NewPane(model_id=None)
Call = Callable[[Comparisons, str, str], Any]

CALLS: dict[str, Call] = {
    "get": lambda c, owner, id: c.get(owner, id),
    "update": lambda c, owner, id: c.update(owner, id, timing="together", spec={"mine": 1}),
    "note_together": lambda c, owner, id: c.note_together(owner, id, ["m"]),
    "add_pane": lambda c, owner, id: c.add_pane(owner, id, A),
    "remove_pane": lambda c, owner, id: c.remove_pane(owner, id, 1),
    "add_questions": lambda c, owner, id: c.add_questions(owner, id, "mine"),
    "delete": lambda c, owner, id: c.delete(owner, id),
}


@pytest.fixture
def comparisons(db: Database) -> Comparisons:
    return Comparisons(db)


def rows(db: Database, *tables: str) -> list[tuple[Any, ...]]:
    with db.reading() as connection:
        return [tuple(row) for table in tables for row in connection.execute(f"SELECT * FROM {table}")]


def everything(db: Database) -> list[tuple[Any, ...]]:
    return rows(db, "comparisons", "conversations", "messages")


def answered(conversations: Conversations, owner: str, question: StoredMessage, text: str) -> StoredMessage:
    answer = conversations.begin_answer(
        owner,
        question.conversation_id,
        parent_id=question.id,
        model_id="m",
        model_name="M",
        request=ChatRequest(),
        begin_with=text,
    )
    conversations.fail(answer.id, ProviderTimedOut(provider="m", seconds=1))
    return conversations.message(owner, answer.id)


def asked(comparisons: Comparisons, conversations: Conversations, question: str) -> KeptComparison:
    """A comparison of two, asked and answered."""
    id = comparisons.create(ANA, [A, B]).id
    for each in comparisons.add_questions(ANA, id, question):
        answered(conversations, ANA, each, "An answer about zebras.")
    return comparisons.get(ANA, id)


def test_it_comes_back_as_it_was_made(comparisons: Comparisons) -> None:
    made = comparisons.create(ANA, [A, B], kind="duel", timing="together", spec={"order": [2, 1]})
    assert comparisons.get(ANA, made.id) == made
    assert (made.kind, made.timing, made.spec, made.title, made.together) == (
        "duel",
        "together",
        {"order": [2, 1]},
        "",
        frozenset(),
    )
    first, second = made.panes
    assert (first.pane, first.model_id, first.system_prompt, first.settings) == (1, "a", "Rhyme.", {"max_tokens": 3})
    assert (second.pane, second.model_id, second.leaf_id) == (2, None, None)
    assert first.comparison_id == second.comparison_id == made.id


def test_a_question_goes_to_every_pane_and_gives_the_title(
    comparisons: Comparisons, conversations: Conversations
) -> None:
    made = comparisons.create(ANA, [A, B])
    file = Attachment("notes.md", "# Notes")
    first = comparisons.add_questions(ANA, made.id, "What is a zebra?", attachments=[file])
    assert [(m.role, m.content, m.attachments, m.parent_id) for m in first] == [
        ("user", "What is a zebra?", (file,), None)
    ] * 2
    now = comparisons.get(ANA, made.id)
    assert now.title == "What is a zebra?" and now.updated_at > made.updated_at
    assert [pane.leaf_id for pane in now.panes] == [m.id for m in first]
    second = comparisons.add_questions(ANA, made.id, "And a horse?")
    assert [m.parent_id for m in second] == [m.id for m in first]
    assert comparisons.get(ANA, made.id).title == "What is a zebra?"


def test_a_pane_may_begin_with_a_conversation(comparisons: Comparisons, conversations: Conversations) -> None:
    chat = conversations.create(ANA)
    question = conversations.add_question(ANA, chat.id, "Who?", parent_id=None)
    answer = answered(conversations, ANA, question, "Me.")
    made = comparisons.create(
        ANA, [NewPane(model_id="m", said=(question, answer)), NewPane(model_id="n", said=(question,))]
    )
    assert made.title == "Who?"
    first, second = (conversations.messages(ANA, pane.id) for pane in made.panes)
    assert [(m.content, m.status) for m in first] == [("Who?", "complete"), ("Me.", "failed")]
    assert first[1].error == answer.error and first[1].parent_id == first[0].id and first[1].id != answer.id
    assert [m.content for m in second] == ["Who?"]
    assert [m.id for m in conversations.messages(ANA, chat.id)] == [question.id, answer.id], "they are copies"


def test_what_is_changed_leaves_the_rest(comparisons: Comparisons) -> None:
    id = comparisons.create(ANA, [A, B], spec={"a": 1}).id
    comparisons.update(ANA, id, timing="together")
    comparisons.note_together(ANA, id, ["x", "y"])
    comparisons.note_together(ANA, id, ["y", "z"])
    comparisons.update(ANA, id, spec={"b": [1.5, None]})
    now = comparisons.get(ANA, id)
    assert (now.timing, now.spec, now.together) == ("together", {"b": [1.5, None]}, frozenset("xyz"))


def test_panes_keep_their_numbers_and_a_new_one_has_the_smallest_free(comparisons: Comparisons) -> None:
    id = comparisons.create(ANA, [A, B, A]).id
    comparisons.remove_pane(ANA, id, 2)
    assert [pane.pane for pane in comparisons.get(ANA, id).panes] == [1, 3]
    with pytest.raises(NotThere):
        comparisons.remove_pane(ANA, id, 2)
    assert comparisons.add_pane(ANA, id, B) == 2
    assert comparisons.add_pane(ANA, id, B) == 4
    assert [pane.pane for pane in comparisons.get(ANA, id).panes] == [1, 2, 3, 4]


def test_the_list_is_by_kind_and_newest_first(comparisons: Comparisons) -> None:
    old, new = comparisons.create(ANA, [A, B]).id, comparisons.create(ANA, [A, B, B]).id
    duel = comparisons.create(ANA, [A, B], kind="duel").id
    comparisons.create(BEN, [A, B])
    assert [(one.id, one.panes) for one in comparisons.list(ANA)] == [(new, 3), (old, 2)]
    comparisons.add_questions(ANA, old, "Again?")
    assert [(one.id, one.title) for one in comparisons.list(ANA)] == [(old, "Again?"), (new, "")]
    assert [one.id for one in comparisons.list(ANA, limit=1)] == [old]
    assert [one.id for one in comparisons.list(ANA, kind="duel")] == [duel]
    assert comparisons.list("nobody") == []


@pytest.mark.parametrize("name", CALLS)
def test_another_owner_reads_and_changes_nothing(comparisons: Comparisons, db: Database, name: str) -> None:
    id = comparisons.create(ANA, [A, B]).id
    before = everything(db)
    with pytest.raises(NotThere) as refused:
        CALLS[name](comparisons, BEN, id)
    assert everything(db) == before
    with pytest.raises(NotThere) as unknown:
        CALLS[name](comparisons, ANA, "no such id \udcff")
    assert str(refused.value) == str(unknown.value)
    CALLS[name](comparisons, ANA, id)


def test_every_method_with_an_owner_is_tried() -> None:
    public = {n: f for n, f in inspect.getmembers(Comparisons, inspect.isfunction) if not n.startswith("_")}
    assert all("owner" in inspect.signature(function).parameters for function in public.values())
    assert set(public) == set(CALLS) | {"create", "list"}


def test_panes_are_in_no_list_no_search_and_no_count(
    comparisons: Comparisons, conversations: Conversations, db: Database
) -> None:
    library = Library(db)
    chat = conversations.create(ANA)
    conversations.add_question(ANA, chat.id, "Do zebras sleep?", parent_id=None)
    asked(comparisons, conversations, "What are zebras, 縞馬?")
    assert [one.id for one in conversations.list(ANA)] == [chat.id]
    assert [one.id for one in library.list(ANA)] == [chat.id]
    assert [one.id for one in library.list(ANA, pinned_first=False)] == [chat.id]
    assert library.count(ANA) == 1 and library.untitled(ANA) == []
    assert [one.conversation_id for one in library.search(ANA, "zebras")] == [chat.id]
    assert library.search(ANA, "縞馬") == [], "nor where the index is of no help"


def test_the_library_does_nothing_to_a_pane(
    comparisons: Comparisons, conversations: Conversations, db: Database
) -> None:
    library, pane = Library(db), asked(comparisons, conversations, "Zebras?").panes[0]
    before = [*everything(db), *rows(db, "library", "tags")]
    for call in (
        lambda: library.delete(ANA, pane.id),
        lambda: library.rename(ANA, pane.id, "Mine"),
        lambda: library.pin(ANA, pane.id, True),
        lambda: library.tag(ANA, pane.id, "x"),
        lambda: library.set_model_title(ANA, pane.id, "Zebras"),
    ):
        with pytest.raises(NotThere):
            call()
    assert [*everything(db), *rows(db, "library", "tags")] == before


def test_a_deleted_comparison_leaves_nothing(
    comparisons: Comparisons, conversations: Conversations, db: Database
) -> None:
    kept = asked(comparisons, conversations, "Do horses sleep?")
    comparisons.delete(ANA, asked(comparisons, conversations, "What are zebras?").id)
    assert [one.id for one in comparisons.list(ANA)] == [kept.id]
    assert len(rows(db, "conversations")) == len(rows(db, "library")) == 2
    assert len(rows(db, "messages")) == 4
    with db.transaction() as connection:
        for index in ("titles_index", "messages_index"):
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('integrity-check')")
    comparisons.remove_pane(ANA, kept.id, 1)
    assert len(rows(db, "messages")) == 2


def test_a_panes_failures_are_not_those_of_conversations(
    comparisons: Comparisons, conversations: Conversations, db: Database
) -> None:
    """Their successes are in runs of another kind: a model compared often would else look unreliable."""
    asked(comparisons, conversations, "Zebras?")
    assert Tally(db).failures(ANA) == {}
    chat = conversations.create(ANA)
    answered(conversations, ANA, conversations.add_question(ANA, chat.id, "q", parent_id=None), "")
    assert Tally(db).failures(ANA) == {"m": 1}


def test_what_another_version_wrote_is_no_reason_not_to_open(comparisons: Comparisons, db: Database) -> None:
    id = comparisons.create(ANA, [A, B], timing="together").id
    with db.transaction() as connection:
        connection.execute('UPDATE comparisons SET spec = \'{"timing": "by moonlight"}\' WHERE id = ?', (id,))
    assert comparisons.get(ANA, id).timing == "alone"
