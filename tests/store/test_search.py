"""Search: what is found, that any text may be looked for, and that the index stays true."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.messages import ChatRequest
from core.store import migrations, search
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.library import Found, Library
from tests.store.test_library import ANA, DONE, add


@pytest.fixture
def library(db: Database) -> Library:
    return Library(db)


def check_index(db: Database) -> None:
    """FTS5 compares the whole index with the tables, and raises when they differ."""
    with db.transaction() as connection:
        for index in ("messages_index", "titles_index"):
            connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")


def shown(found: Found) -> str:
    return "".join(f"[{text}]" if matched else text for text, matched in found.parts)


@pytest.mark.parametrize(
    ("text", "query", "excerpt"),
    [
        ("Un élève attentif", "eleve", "Un [élève] attentif"),
        ("Un e\u0301le\u0300ve attentif", "élève", "Un [e\u0301le\u0300ve] attentif"),
        ("L'ŒUVRE complète", "complete œuvre", "L'[ŒUVRE] [complète]"),
        ("The derivative of x", "deriv", "The [deriv]ative of x"),
        ("The derivative of x", "DERIVATIVE the", "[The] [derivative] of x"),
        ("I like C++ most", "c++", "I like [C++] most"),
        ("100 % sûr", "100 %", "[100] [%] sûr"),
        ("a_b and a-b", "a_b", "[a_b] and a-b"),
        ("print('héllo')", "hello')", "print('[héllo]')"),
        ("漢字を書く", "字", "漢[字]を書く"),
        ("한국어입니다", "국어", "한[국어]입니다"),
        ("Bravo 🎉 !", "🎉", "Bravo [🎉] !"),
        ("well ==> done", "==>", "well [==>] done"),
        ("before\x00after", "after", "before [after]"),
        ("lone \ud800 half", "half", "lone \ufffd [half]"),
        ("Γειά σου Κόσμε", "ΚΌΣΜΕ", "Γειά σου [Κόσμε]"),
        ("Привет, мир", "мир", "Привет, [мир]"),
    ],
)
def test_what_is_found(conversations: Conversations, library: Library, text: str, query: str, excerpt: str) -> None:
    add(conversations, "something else", "nothing of it")
    id = add(conversations, "the question", text)
    (found,) = library.search(ANA, query)
    assert (found.conversation_id, found.title) == (id, "the question")
    assert found.message_id == conversations.messages(ANA, id)[1].id
    assert shown(found) == excerpt


@pytest.mark.parametrize("query", ["", "  \n\x00", "attentifs", "leve", "eleve manque", "c++", "漢", "%", "_", "🎉"])
def test_what_is_not_found(conversations: Conversations, library: Library, query: str) -> None:
    add(conversations, "q", "Un élève attentif, c + d")
    assert library.search(ANA, query) == []


@pytest.mark.parametrize(
    "query",
    ['"', "a AND", "NEAR(a b)", "a*", "^a", "content:a", "a OR NOT b", "-a", "(a", "'; DROP TABLE messages;", "{a}:b"],
)
def test_the_language_of_fts5_is_plain_text(conversations: Conversations, library: Library, query: str) -> None:
    add(conversations, "q", f"it says {query} here")
    assert len(library.search(ANA, query)) == 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=300))
def test_any_text_may_be_looked_for(conversations: Conversations, library: Library, query: str) -> None:
    library.search(ANA, query)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=400), word=st.text(min_size=1, max_size=10))
def test_an_excerpt_is_a_piece_of_the_text(text: str, word: str) -> None:
    query = search.parse(word)
    text = text + word + text
    parts = search.excerpt(text, query) if query else ()
    assert all(part for part, _ in parts)
    joined = "".join(part for part, _ in parts)
    assert search.one_line(joined).strip("…").strip() in search.one_line(text)
    assert len(joined) <= search.EXCERPT_LENGTH + 2


def test_each_conversation_is_found_once_titles_first(conversations: Conversations, library: Library) -> None:
    in_text = add(conversations, "something", "lions and lions and lions")
    in_both = add(conversations, "lions", "lions lions")
    in_title = add(conversations, "empty")
    library.rename(ANA, in_title, "About lions")
    found = {one.conversation_id: one for one in library.search(ANA, "lions")}
    assert set(list(found)[:2]) == {in_both, in_title}
    assert list(found)[2] == in_text
    assert found[in_title].message_id is None
    assert shown(found[in_title]) == "About [lions]"
    assert shown(found[in_both]) == "[lions] [lions]"
    assert len(library.search(ANA, "lions", limit=1)) == 1
    assert library.search(ANA, "lions", limit=0) == []


def test_among_equals_the_newest_is_first(conversations: Conversations, library: Library) -> None:
    made = [add(conversations, "untold", "zebra crossing") for _ in range(4)]
    for query in ("zebra", "☂"):
        if query == "☂":
            made = [add(conversations, "untold", "☂ rain") for _ in range(4)]
        assert [found.conversation_id for found in library.search(ANA, query)] == made[::-1]


def test_an_answer_is_found_when_it_has_ended(conversations: Conversations, library: Library, db: Database) -> None:
    id = conversations.create(ANA).id
    asked = conversations.add_question(ANA, id, "q", parent_id=None)
    request = ChatRequest()
    answer = conversations.begin_answer(ANA, id, parent_id=asked.id, model_id="m", model_name="M", request=request)
    for piece in ("zeb", "ra ", "one"):
        conversations.append(answer.id, piece)
    assert library.search(ANA, "zebra") == []
    conversations.recover()
    assert len(library.search(ANA, "zebra one")) == 1
    check_index(db)

    conversations.begin_answer(
        ANA, id, parent_id=None, model_id="m", model_name="M", request=request, continue_from=answer
    )
    conversations.append(answer.id, " giraffe")
    check_index(db)
    conversations.finish(answer.id, DONE, status="complete")
    assert len(library.search(ANA, "zebra giraffe")) == 1
    conversations.append(answer.id, " and a text that comes after the end")
    assert len(library.search(ANA, "zebra after")) == 1
    check_index(db)


def test_the_index_forgets_what_is_gone(conversations: Conversations, library: Library, db: Database) -> None:
    gone, kept = add(conversations, "zebra", "zebra\x00 two"), add(conversations, "zebra", "zebra")
    streaming = conversations.begin_answer(
        ANA,
        gone,
        parent_id=conversations.messages(ANA, gone)[0].id,
        model_id="m",
        model_name="M",
        request=ChatRequest(),
    )
    conversations.append(streaming.id, "zebra")
    library.rename(ANA, kept, "Giraffe")
    conversations.delete(ANA, gone)
    check_index(db)
    assert [found.conversation_id for found in library.search(ANA, "zebra")] == [kept]
    assert [found.title for found in library.search(ANA, "giraffe")] == ["Giraffe"]
    library.delete(ANA, kept)
    library.purge(older_than_s=-1)
    check_index(db)
    with db.reading() as connection:
        assert not connection.execute("SELECT 1 FROM messages_index WHERE messages_index MATCH 'zebra'").fetchall()
        assert not connection.execute("SELECT 1 FROM titles_index WHERE titles_index MATCH 'giraffe'").fetchall()


def test_the_index_lives_through_a_vacuum(conversations: Conversations, library: Library, db: Database) -> None:
    first, second = add(conversations, "zebra"), add(conversations, "giraffe")
    conversations.delete(ANA, first)
    connection = sqlite3.connect(db.path)
    connection.execute("VACUUM")
    connection.close()
    assert [found.conversation_id for found in library.search(ANA, "giraffe")] == [second]
    check_index(db)


def test_what_was_there_before_the_index_is_found(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    old = sqlite3.connect(path, isolation_level=None)
    old.row_factory = sqlite3.Row
    migrations.apply(old, path, upto=2)
    old.execute(
        "INSERT INTO conversations (id, owner, title, created_at, updated_at, settings, system_prompt) "
        "VALUES ('c1', 'ana', 'Old zebra', 1, 2, '{}', '')"
    )
    for id, status in (("m1", "complete"), ("m2", "streaming"), ("m3", "failed")):
        old.execute(
            "INSERT INTO messages (id, conversation_id, role, status, created_at, content) "
            "VALUES (?, 'c1', 'assistant', ?, 1, 'an élève ' || ?)",
            (id, status, id),
        )
    old.close()
    db = Database(path)
    library = Library(db)
    check_index(db)
    assert [found.title for found in library.search("ana", "zebra")] == ["Old zebra"]
    assert {query: len(library.search("ana", f"eleve {query}")) for query in ("m1", "m2", "m3")} == {
        "m1": 1,
        "m2": 0,
        "m3": 1,
    }
    assert (library.list("ana")[0].pinned, library.count("ana")) == (False, 1)
    Conversations(db).recover()
    assert len(library.search("ana", "m2")) == 1
    check_index(db)
