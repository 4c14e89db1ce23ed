"""The tree of a conversation: paths, variants, titles, the list."""

from __future__ import annotations

import msgspec
import pytest

from core.errors import NotThere
from core.messages import ChatRequest, Message
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.records import StoredMessage

ANA = "ana"


def answer(conversations: Conversations, question: StoredMessage, text: str) -> StoredMessage:
    message = conversations.begin_answer(
        ANA,
        question.conversation_id,
        parent_id=question.id,
        model_id="m.gguf",
        model_name="M",
        request=ChatRequest(messages=(Message("system", "Be brief."), Message("user", question.content))),
        answer_id="a1",
    )
    conversations.append(message.id, text)
    return message


def path(conversations: Conversations, id: str) -> list[str]:
    return [message.content for message in conversations.messages(ANA, id)]


def test_a_new_conversation_is_given_back_as_made(conversations: Conversations) -> None:
    made = conversations.create(ANA, model_id="m.gguf", system_prompt="Be brief.", settings={"temperature": 0.5})
    assert conversations.get(ANA, made.id) == made
    assert (made.owner, made.model_id, made.system_prompt) == (ANA, "m.gguf", "Be brief.")
    assert made.settings == {"temperature": 0.5}
    assert made.leaf_id is None
    assert conversations.messages(ANA, made.id) == []


def test_the_path_runs_from_the_first_question_to_the_newest_message(conversations: Conversations) -> None:
    id = conversations.create(ANA).id
    first = conversations.add_question(ANA, id, "one", parent_id=None)
    reply = answer(conversations, first, "two")
    conversations.add_question(ANA, id, "three", parent_id=reply.id)
    assert path(conversations, id) == ["one", "two", "three"]
    assert [m.content for m in conversations.messages(ANA, id, last=2)] == ["two", "three"]
    assert conversations.messages(ANA, id, last=0) == []
    assert [m.parent_id for m in conversations.messages(ANA, id)] == [None, first.id, reply.id]


def test_an_answer_keeps_what_it_was_made_from(conversations: Conversations) -> None:
    id = conversations.create(ANA).id
    question = conversations.add_question(ANA, id, "one", parent_id=None)
    stored = conversations.message(ANA, answer(conversations, question, "two").id)
    assert (stored.role, stored.status, stored.answer_id) == ("assistant", "streaming", "a1")
    assert (stored.model_id, stored.model_name) == ("m.gguf", "M")
    assert stored.request == ChatRequest(messages=(Message("system", "Be brief."),))


def test_regenerating_adds_a_sibling_and_select_goes_back(conversations: Conversations) -> None:
    id = conversations.create(ANA).id
    question = conversations.add_question(ANA, id, "q", parent_id=None)
    first = answer(conversations, question, "first")
    follow_up = conversations.add_question(ANA, id, "and then?", parent_id=first.id)
    second = answer(conversations, question, "second")
    assert path(conversations, id) == ["q", "second"]
    assert conversations.siblings(ANA, first.id) == [first.id, second.id]
    assert conversations.siblings(ANA, second.id) == [first.id, second.id]

    conversations.select(ANA, first.id)
    assert path(conversations, id) == ["q", "first", "and then?"]
    assert conversations.get(ANA, id).leaf_id == follow_up.id
    conversations.select(ANA, second.id)
    assert path(conversations, id) == ["q", "second"]


def test_selecting_goes_to_where_that_branch_last_went_on(conversations: Conversations) -> None:
    id = conversations.create(ANA).id
    question = conversations.add_question(ANA, id, "q", parent_id=None)
    old = answer(conversations, question, "old")
    answer(conversations, question, "newer variant")
    conversations.add_question(ANA, id, "yet I went on here", parent_id=old.id)
    other = conversations.add_question(ANA, id, "another start", parent_id=None)
    assert path(conversations, id) == ["another start"]
    assert conversations.siblings(ANA, question.id) == [question.id, other.id]
    conversations.select(ANA, question.id)
    assert path(conversations, id) == ["q", "old", "yet I went on here"]


def test_roots_of_other_conversations_are_no_siblings(conversations: Conversations) -> None:
    here, elsewhere = conversations.create(ANA).id, conversations.create(ANA).id
    question = conversations.add_question(ANA, here, "q", parent_id=None)
    conversations.add_question(ANA, elsewhere, "q", parent_id=None)
    assert conversations.siblings(ANA, question.id) == [question.id]


def test_a_parent_must_be_in_the_same_conversation(conversations: Conversations) -> None:
    here, elsewhere = conversations.create(ANA).id, conversations.create(ANA).id
    stranger = conversations.add_question(ANA, elsewhere, "q", parent_id=None)
    with pytest.raises(NotThere):
        conversations.add_question(ANA, here, "q", parent_id=stranger.id)
    with pytest.raises(NotThere):
        answer(conversations, msgspec.structs.replace(stranger, conversation_id=here), "a")
    assert conversations.messages(ANA, here) == []


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("  Why\n\tis\x00 it so?  ", "Why is it so?"),
        ("word " * 12, ("word " * 12).strip()),
        ("word " * 40, ("word " * 12).strip() + "…"),
        ("letters " * 40, ("letters " * 7).strip() + "…"),
        ("x" * 61, "x" * 59 + "…"),
        ("x" * 60, "x" * 60),
        ("\x00", ""),
        ("héron " + "漢" * 80, "héron…"),
        ("\ud800 alone", "\ufffd alone"),
    ],
)
def test_the_first_question_gives_the_title(conversations: Conversations, question: str, title: str) -> None:
    id = conversations.create(ANA).id
    conversations.add_question(ANA, id, question, parent_id=None)
    assert conversations.get(ANA, id).title == title
    assert len(title) <= 60


def test_a_title_once_given_stays_until_it_is_emptied(conversations: Conversations) -> None:
    id = conversations.create(ANA).id
    first = conversations.add_question(ANA, id, "first", parent_id=None)
    conversations.add_question(ANA, id, "second", parent_id=first.id)
    assert conversations.get(ANA, id).title == "first"
    conversations.update(ANA, id, title="")
    conversations.add_question(ANA, id, "third", parent_id=first.id)
    assert conversations.get(ANA, id).title == "third"


def test_update_changes_only_what_is_given(conversations: Conversations) -> None:
    id = conversations.create(ANA, model_id="m", system_prompt="p", settings={"a": 1}).id
    before = conversations.get(ANA, id)
    conversations.update(ANA, id)
    assert conversations.get(ANA, id) == before
    conversations.update(ANA, id, model_id=None, settings={"a": [1, None, "é"]})
    after = conversations.get(ANA, id)
    assert (after.model_id, after.settings) == (None, {"a": [1, None, "é"]})
    assert (after.title, after.system_prompt, after.updated_at) == (before.title, "p", before.updated_at)


def test_deleting_takes_its_messages_and_no_others(conversations: Conversations, db: Database) -> None:
    gone, kept = conversations.create(ANA).id, conversations.create(ANA).id
    for id in (gone, kept):
        question = conversations.add_question(ANA, id, "q", parent_id=None)
        running = answer(conversations, question, "a")
        if id == gone:
            gone_answer = running
    conversations.delete(ANA, gone)
    with pytest.raises(NotThere):
        conversations.get(ANA, gone)
    with pytest.raises(NotThere):
        conversations.append(gone_answer.id, "still coming")
    with db.reading() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 2
    assert path(conversations, kept) == ["q", "a"]


def test_a_chain_of_thousands_can_be_read_and_deleted(conversations: Conversations, db: Database) -> None:
    id = conversations.create(ANA).id
    fill(db, id, 3000)
    assert len(conversations.messages(ANA, id)) == 3000
    conversations.delete(ANA, id)
    with db.reading() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 0


def test_the_list_is_newest_first_page_by_page(conversations: Conversations) -> None:
    ids = [conversations.create(ANA).id for _ in range(5)]
    conversations.add_question(ANA, ids[1], "moves to the top", parent_id=None)
    conversations.update(ANA, ids[0], title="a new title moves nothing")
    wanted = [ids[1], ids[4], ids[3], ids[2], ids[0]]
    assert [summary.id for summary in conversations.list(ANA)] == wanted
    first = conversations.list(ANA, limit=2)
    conversations.delete(ANA, first[-1].id)
    rest = conversations.list(ANA, limit=10, before=first[-1])
    assert [summary.id for summary in [*first, *rest]] == wanted


def test_conversations_of_the_same_instant_are_all_listed(conversations: Conversations, db: Database) -> None:
    made = {conversations.create(ANA).id for _ in range(5)}
    with db.transaction() as connection:
        connection.execute("UPDATE conversations SET updated_at = 1")
    seen, before = [], None
    while page := conversations.list(ANA, limit=2, before=before):
        seen += [summary.id for summary in page]
        before = page[-1]
    assert sorted(seen) == sorted(made)


def fill(db: Database, conversation_id: str, count: int) -> None:
    """Straight into the tables, for what would take too long one by one."""
    rows = [
        (f"{conversation_id}-{n}", conversation_id, f"{conversation_id}-{n - 1}" if n else None, "text " * 100)
        for n in range(count)
    ]
    with db.transaction() as connection:
        connection.executemany(
            "INSERT INTO messages (id, conversation_id, parent_id, role, status, created_at, content) "
            "VALUES (?, ?, ?, 'user', 'complete', 0, ?)",
            rows,
        )
        connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (rows[-1][0], conversation_id))


class Steps:
    """Counts the instructions of SQLite's virtual machine, which do not depend on the computer."""

    def __init__(self, db: Database) -> None:
        self.count = 0
        with db.reading() as connection:
            connection.set_progress_handler(self._step, 1)

    def _step(self) -> None:
        self.count += 1

    def taken(self) -> int:
        count, self.count = self.count, 0
        assert count, "the connection watched is not the one that was used"
        return count


def test_the_newest_messages_cost_the_same_in_a_long_conversation(conversations: Conversations, db: Database) -> None:
    short, long = conversations.create(ANA).id, conversations.create(ANA).id
    fill(db, short, 20)
    fill(db, long, 500)
    steps = Steps(db)
    assert len(conversations.messages(ANA, short, last=20)) == 20
    for_short = steps.taken()
    assert [m.id for m in conversations.messages(ANA, long, last=20)] == [f"{long}-{n}" for n in range(480, 500)]
    for_long = steps.taken()
    assert for_long <= for_short * 1.05


def test_adding_to_a_long_conversation_costs_the_same(conversations: Conversations, db: Database) -> None:
    short, long = conversations.create(ANA).id, conversations.create(ANA).id
    fill(db, short, 20)
    fill(db, long, 500)
    steps, costs = Steps(db), []
    for id, leaf in ((short, f"{short}-19"), (long, f"{long}-499")):
        question = conversations.add_question(ANA, id, "q", parent_id=leaf)
        answer(conversations, question, "a")
        conversations.siblings(ANA, question.id)
        conversations.select(ANA, question.id)
        costs.append(steps.taken())
    assert costs[1] <= costs[0] * 1.05


def test_a_page_of_the_list_costs_the_same_among_ten_thousand(conversations: Conversations, db: Database) -> None:
    def add(owner: str, count: int) -> None:
        rows = [(f"{owner}-{n}", owner, float(n)) for n in range(count)]
        with db.transaction() as connection:
            connection.executemany(
                "INSERT INTO conversations (id, owner, title, created_at, updated_at, settings, system_prompt) "
                "VALUES (?, ?, '', 0, ?, '{}', '')",
                rows,
            )

    add("few", 200)
    add("many", 10_000)
    steps = Steps(db)
    conversations.list("few", limit=50, before=conversations.list("few", limit=50)[-1])
    for_few = steps.taken()
    second = conversations.list("many", limit=50, before=conversations.list("many", limit=50)[-1])
    assert [summary.id for summary in second] == [f"many-{n}" for n in range(9949, 9899, -1)]
    assert steps.taken() <= for_few * 1.05


def test_starting_up_does_not_read_all_messages(conversations: Conversations, db: Database) -> None:
    steps = Steps(db)
    conversations.recover()
    before = steps.taken()
    id = conversations.create(ANA).id
    fill(db, id, 1000)
    steps.taken()
    assert conversations.recover() == 0
    assert steps.taken() <= before * 1.05
