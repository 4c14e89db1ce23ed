"""The list of conversations: pages, titles, pins, tags, deleting and undoing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from core.errors import NotThere
from core.events import Finished, Usage
from core.messages import ChatRequest
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.library import Library

ANA, BEN = "ana", "ben"
DONE = Finished("stop", Usage(prompt_tokens=1, generated_tokens=1))


@pytest.fixture
def library(db: Database) -> Library:
    return Library(db)


def add(conversations: Conversations, question: str = "q", reply: str | None = None, owner: str = ANA) -> str:
    id = conversations.create(owner).id
    asked = conversations.add_question(owner, id, question, parent_id=None)
    if reply is not None:
        answer = conversations.begin_answer(
            owner, id, parent_id=asked.id, model_id="m", model_name="M", request=ChatRequest()
        )
        conversations.append(answer.id, reply)
        conversations.finish(answer.id, DONE, status="complete")
    return id


def ids(library: Library, **which: Any) -> list[str]:
    return [entry.id for entry in library.list(ANA, **which)]


def test_pinned_ones_come_first_and_each_part_newest_first(conversations: Conversations, library: Library) -> None:
    a, b, c, d = (add(conversations) for _ in range(4))
    library.pin(ANA, a, True)
    library.pin(ANA, c, True)
    assert ids(library) == [c, a, d, b]
    assert [entry.pinned for entry in library.list(ANA)] == [True, True, False, False]
    assert ids(library, pinned_first=False) == [d, c, b, a]
    library.pin(ANA, c, False)
    assert ids(library) == [a, d, c, b]


@pytest.mark.parametrize("pinned_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_the_list_page_by_page_is_the_whole_list(
    conversations: Conversations, library: Library, db: Database, limit: int, pinned_first: bool
) -> None:
    made = [add(conversations) for _ in range(7)]
    with db.transaction() as connection:
        connection.execute("UPDATE conversations SET updated_at = 1")
    for id in made[::3]:
        library.pin(ANA, id, True)
    seen, before = [], None
    while page := library.list(ANA, limit=limit, before=before, pinned_first=pinned_first):
        assert len(page) <= limit
        seen += page
        before = page[-1]
    assert sorted(entry.id for entry in seen) == sorted(made)
    if pinned_first:
        assert [entry.pinned for entry in seen] == [True] * 3 + [False] * 4


def test_tags_are_listed_counted_and_filtered_by(conversations: Conversations, library: Library) -> None:
    a, b, c = (add(conversations) for _ in range(3))
    for id, tag in ((a, "maths"), (b, "maths"), (b, "  2nde\n B "), (c, "")):
        library.tag(ANA, id, tag)
    library.tag(ANA, a, "maths")
    assert library.tags(ANA) == {"2nde B": 1, "maths": 2}
    assert {entry.id: entry.tags for entry in library.list(ANA)} == {a: ("maths",), b: ("2nde B", "maths"), c: ()}
    assert ids(library, tag="maths") == [b, a]
    library.pin(ANA, a, True)
    assert ids(library, tag="maths", limit=1) == [a]
    library.untag(ANA, b, "maths")
    library.untag(ANA, b, "never given")
    assert ids(library, tag="maths") == [a]
    assert library.tags(BEN) == {}


def test_a_deleted_conversation_is_nowhere_until_restored(conversations: Conversations, library: Library) -> None:
    kept, gone = add(conversations, "kept"), add(conversations, "gone", "an answer")
    question, answer = conversations.messages(ANA, gone)
    library.pin(ANA, gone, True)
    library.tag(ANA, gone, "t")
    before = (library.list(ANA), conversations.get(ANA, gone), library.search(ANA, "answer"))

    library.delete(ANA, gone)
    assert ids(library) == [kept]
    assert [summary.id for summary in conversations.list(ANA)] == [kept]
    assert (library.count(ANA), library.tags(ANA), library.search(ANA, "answer")) == (1, {}, [])
    for call in (
        lambda: conversations.get(ANA, gone),
        lambda: conversations.message(ANA, question.id),
        lambda: conversations.select(ANA, answer.id),
        lambda: conversations.add_question(ANA, gone, "more", parent_id=answer.id),
        lambda: library.delete(ANA, gone),
        lambda: library.restore(BEN, gone),
    ):
        with pytest.raises(NotThere):
            call()

    library.restore(ANA, gone)
    assert (library.list(ANA), conversations.get(ANA, gone), library.search(ANA, "answer")) == before
    with pytest.raises(NotThere):
        library.restore(ANA, gone)


def test_an_answer_goes_on_in_a_deleted_conversation(conversations: Conversations, library: Library) -> None:
    id = conversations.create(ANA).id
    asked = conversations.add_question(ANA, id, "q", parent_id=None)
    answer = conversations.begin_answer(
        ANA, id, parent_id=asked.id, model_id="m", model_name="M", request=ChatRequest()
    )
    library.delete(ANA, id)
    conversations.append(answer.id, "still coming")
    conversations.finish(answer.id, DONE, status="complete")
    library.restore(ANA, id)
    assert conversations.message(ANA, answer.id).content == "still coming"
    assert [found.message_id for found in library.search(ANA, "coming")] == [answer.id]


def test_several_are_deleted_together_or_not_at_all(conversations: Conversations, library: Library) -> None:
    a, b, c = (add(conversations) for _ in range(3))
    with pytest.raises(NotThere):
        library.delete_many(ANA, [a, "nothing", b])
    assert library.count(ANA) == 3
    library.delete_many(ANA, [a, b])
    assert ids(library) == [c]


def test_purging_deletes_for_good_what_was_deleted_long_ago(
    conversations: Conversations, library: Library, db: Database
) -> None:
    old, new, kept = (add(conversations, "text") for _ in range(3))
    library.delete_many(ANA, [old, new])
    with db.transaction() as connection:
        connection.execute("UPDATE library SET deleted_at = deleted_at - 100 WHERE conversation_id = ?", (old,))
    assert library.purge(older_than_s=50) == 1
    assert library.purge(older_than_s=50) == 0
    with pytest.raises(NotThere):
        library.restore(ANA, old)
    library.restore(ANA, new)
    assert ids(library) == [kept, new] or ids(library) == [new, kept]
    with db.reading() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 2
        assert connection.execute("SELECT count(*) FROM library").fetchone()[0] == 2


def test_a_model_titles_only_what_still_has_its_first_words(conversations: Conversations, library: Library) -> None:
    fresh, unanswered, renamed = add(conversations, "one", "a"), add(conversations, "two"), add(conversations, "3", "a")
    library.rename(ANA, renamed, "  Mine\n own ")
    assert [entry.id for entry in library.untitled(ANA)] == [fresh]
    assert library.set_model_title(ANA, renamed, "A model's") is False
    assert library.set_model_title(ANA, fresh, "A model's") is True
    assert library.set_model_title(ANA, fresh, "Once more") is False
    assert library.untitled(ANA) == []
    titles = {entry.id: entry.title for entry in library.list(ANA)}
    assert titles == {fresh: "A model's", unanswered: "two", renamed: "Mine own"}


def test_an_emptied_title_is_given_by_the_next_question(conversations: Conversations, library: Library) -> None:
    id = add(conversations, "first", "a")
    library.rename(ANA, id, "Mine")
    library.rename(ANA, id, " ")
    conversations.add_question(ANA, id, "second", parent_id=None)
    assert conversations.get(ANA, id).title == "second"
    assert [entry.id for entry in library.untitled(ANA)] == [id]


Call = Callable[[Library, str, str], Any]
CALLS: dict[str, Call] = {
    "rename": lambda library, owner, id: library.rename(owner, id, "mine"),
    "set_model_title": lambda library, owner, id: library.set_model_title(owner, id, "mine"),
    "pin": lambda library, owner, id: library.pin(owner, id, True),
    "tag": lambda library, owner, id: library.tag(owner, id, "t"),
    "untag": lambda library, owner, id: library.untag(owner, id, "theirs"),
    "delete": lambda library, owner, id: library.delete(owner, id),
    "delete_many": lambda library, owner, id: library.delete_many(owner, [id]),
}


@pytest.mark.parametrize("name", CALLS)
def test_another_owner_changes_nothing(conversations: Conversations, library: Library, db: Database, name: str) -> None:
    def everything() -> list[tuple[Any, ...]]:
        with db.reading() as connection:
            tables = ("conversations", "library", "tags", "messages")
            return [tuple(row) for table in tables for row in connection.execute(f"SELECT * FROM {table}")]

    id = add(conversations)
    library.tag(ANA, id, "theirs")
    before = everything()
    for owner in (BEN, ""):
        with pytest.raises(NotThere):
            CALLS[name](library, owner, id)
    assert everything() == before
    CALLS[name](library, ANA, id)
    assert everything() != before


def test_every_method_with_an_owner_is_tried() -> None:
    public = {n: f for n, f in inspect.getmembers(Library, inspect.isfunction) if not n.startswith("_")}
    with_id = {name for name, function in public.items() if {"id", "ids"} & set(inspect.signature(function).parameters)}
    assert with_id == set(CALLS) | {"restore"}
    assert set(public) - with_id == {"list", "search", "count", "untitled", "tags", "purge"}


def test_each_owner_sees_their_own(conversations: Conversations, library: Library) -> None:
    mine, theirs = add(conversations, "common words", "a"), add(conversations, "common words", "a", BEN)
    library.tag(BEN, theirs, "t")
    library.pin(BEN, theirs, True)
    assert ids(library) == [mine]
    assert [found.conversation_id for found in library.search(ANA, "common")] == [mine]
    assert [entry.id for entry in library.untitled(BEN)] == [theirs]
    assert (library.count(ANA), library.count(BEN), library.count("nobody")) == (1, 1, 0)
    assert library.tags(ANA) == {}
