"""Files that are not what they should be: each refused with the reason, none of them kept in part."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ImportInvalid, ImportTooLarge, ImportUnknown, NotThere, StoreUnavailable, TransferError
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.library import Library
from core.store.restoring import Restoring
from core.transfer import detect, importing, ours
from core.transfer.imported import Imported
from tests.transfer.files import chatgpt, chatgpt_node, data, webui, webui_message

ANA = "ana"
DEEP = 200_000


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf \n", "it is empty"),
        (b"hello", "it is not JSON"),
        (b"PK\x03\x04 a zip archive", "it is not JSON"),
        (b"<html>", "it is not JSON"),
        (b'[{"role": "user", "content": "cut', "it is not JSON"),
        (b'[{"role": "user", "content": "x"}] and more', "it is not JSON"),
        ('[{"role": "user", "content": "é"}]'.encode("latin-1"), "not written in UTF-8"),
        ('[{"role": "user", "content": "é"}]'.encode("utf-16"), "not written in UTF-8"),
        (b"[]", "no conversation"),
        (b'{"format": "inference-workbench.conversations", "version": 1, "conversations": []}', "no conversation"),
        (b"[" * DEEP, "nested too deeply"),
        (b"[" * DEEP + b"]" * DEEP, "nested too deeply"),
        (b'[{"mapping":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}]", "nested too deeply"),
        (b"[" + b"1," * (detect.LIMIT_VALUES + 1) + b"1]", "too many values"),
    ],
    ids=str,
)
def test_what_cannot_be_read_says_why(file: bytes, reason: str) -> None:
    with pytest.raises(ImportInvalid, match=reason) as refused:
        detect.read(file)
    assert refused.value.advice()


@pytest.mark.parametrize("plain", [5, "text", None, True, {}, {"a": 1}, [1, 2], [[]], [{"a": 1}], [None]])
def test_json_of_another_kind_says_what_is_known(plain: Any) -> None:
    with pytest.raises(ImportUnknown) as refused:
        detect.read(data(plain))
    assert "ChatGPT" in refused.value.advice()


def test_a_file_above_the_limit_is_refused_with_the_limit() -> None:
    with pytest.raises(ImportTooLarge) as refused:
        detect.read(bytes(detect.LIMIT_BYTES + 1))
    assert refused.value.values == {"size_mb": 200, "limit_mb": 200}


def test_a_large_file_is_read_in_memory_for_one_conversation() -> None:
    """60 MB of 1,500 conversations, in a process that may take little more than the file itself."""
    program = """
import json, resource
from core.transfer import detect
from tests.transfer.files import data, webui, webui_message
element = data(webui(webui_message("a", None, "user", "text " * 4000)))
file = b"[" + b",".join([element] * 1500) + b"]"
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read = detect.read(file)
assert all(one.conversation.title == "From Open WebUI" for one in read)
print(len(file), len(read), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    size, count, grown = map(int, done.stdout.split())
    assert (size > 55e6, count) == (True, 1500)
    assert grown < size / 4


@pytest.mark.parametrize(
    "plain",
    [
        [chatgpt(chatgpt_node("a", "root", "user", "x"))],
        chatgpt(chatgpt_node("a", "root", "user", "x")),
        [webui(webui_message("a", None, "user", "x"))],
        webui(webui_message("a", None, "user", "x")),
        webui(webui_message("a", None, "user", "x"))["chat"],
        [{"role": "user", "content": "x"}],
        {"messages": [{"role": "user", "content": "x"}], "model": "gpt"},
        [{"messages": [{"role": "user", "content": "x"}]}],
        {"format": ours.FORMAT, "version": 1, "conversations": [
            {"title": "", "created_at": 1, "updated_at": 1, "messages": [
                {"id": "a", "role": "user", "content": "x", "reasoning": "", "created_at": 1, "status": "complete"}]}]},
    ],
)  # fmt: skip
def test_each_format_is_recognised(plain: Any) -> None:
    for file in (data(plain), b"\xef\xbb\xbf\n" + json.dumps(plain, ensure_ascii=False, indent=2).encode() + b"\n\n"):
        (one,) = detect.read(file)
        assert one.conversation is not None
        assert [message.content for message in one.conversation.messages] == ["x"]


def test_half_a_character_does_not_spoil_a_file() -> None:
    text = '[{"role": "user", "content": "lone \\ud83d, pair \\ud83c\\udf89, escaped \\\\ud83d, both \\\\\\udf89 end"}]'
    (one,) = detect.read(text.encode())
    assert one.conversation is not None
    assert one.conversation.messages[0].content == "lone \ufffd, pair 🎉, escaped \\ud83d, both \\\ufffd end"


def test_a_hundred_thousand_messages_are_kept(conversations: Conversations, library: Library, db: Database) -> None:
    nodes = [chatgpt_node("n0", "root", "user", "q0")]
    nodes += [chatgpt_node(f"n{n}", f"n{n - 1}", "user", f"q{n}") for n in range(1, 100_000)]
    report = importing.write(db, ANA, detect.read(data([chatgpt(*nodes)])))
    assert (len(report.ids), report.messages, report.left_out) == (1, 100_000, ())
    assert [m.content for m in conversations.messages(ANA, report.ids[0], last=2)] == ["q99998", "q99999"]
    assert [found.conversation_id for found in library.search(ANA, "q54321")] == list(report.ids)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_chain_in_any_order(backwards: bool) -> None:
    nodes = [chatgpt_node(f"n{n}", f"n{n - 1}" if n else "root", "user", str(n)) for n in range(5000)]
    (one,) = detect.read(data([chatgpt(*(nodes[::-1] if backwards else nodes), current="n4999")]))
    assert one.conversation is not None
    assert [int(message.content) for message in one.conversation.messages] == list(range(5000))
    assert one.conversation.leaf_id == "n4999"


def test_a_fault_in_the_middle_leaves_nothing(conversations: Conversations, library: Library, db: Database) -> None:
    whole = detect.read(data([{"role": "user", "content": "zebra"}]))

    def cut() -> Any:
        yield from whole
        assert library.search(ANA, "zebra") == []
        assert conversations.list(ANA) == []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.write(db, ANA, cut())
    with db.reading() as connection:
        for table in ("conversations", "messages", "library"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


def test_what_a_killed_process_was_importing_is_never_seen(library: Library, db: Database) -> None:
    (one,) = detect.read(data([{"role": "user", "content": "zebra"}]))
    assert one.conversation is not None
    begun = Restoring(db).writing(ANA)
    id = begun.__enter__().add(one.conversation)
    assert (library.count(ANA), library.search(ANA, "zebra")) == (0, [])
    assert library.purge(older_than_s=-1) == 1
    with pytest.raises(NotThere):
        library.restore(ANA, id)


def test_a_full_disk_leaves_nothing(conversations: Conversations, db: Database) -> None:
    conversations.create(ANA)
    large = [
        Imported(conversation=one.conversation)
        for one in detect.read(data([{"role": "user", "content": "x" * 50_000}]))
    ]
    with db.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 30}")
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        importing.write(db, ANA, large * 10)
    assert len(conversations.list(ANA)) == 1
    with db.reading() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 0


# Values of every kind where each format expects something of its own.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.data())
def test_a_value_of_any_kind_in_any_place_is_borne(drawn: st.DataObject, db: Database) -> None:
    plain = drawn.draw(
        st.sampled_from(
            [
                [chatgpt(chatgpt_node("a", "root", "user", "x"), chatgpt_node("b", "a", "assistant", "y"))],
                [webui(webui_message("a", None, "user", "x"), webui_message("b", "a", "assistant", "y"))],
                [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "tool_calls": []}],
                {"format": ours.FORMAT, "version": 1, "conversations": [
                    {"title": "t", "created_at": 1, "updated_at": 1, "settings": {}, "tags": ["t"], "messages": [
                        {"id": "a", "role": "user", "content": "x", "reasoning": "", "created_at": 1,
                         "status": "complete", "finished": {}, "request": {}, "tool_calls": []}]}]},
            ]
        )
    )  # fmt: skip
    plain = json.loads(json.dumps(plain))
    place: Any = plain
    while True:
        key = drawn.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or drawn.draw(st.booleans()):
            break
        place = place[key]
    place[key] = drawn.draw(ANYTHING)
    try:
        report = importing.write(db, ANA, detect.read(data(plain)))
    except TransferError:
        return
    library, conversations = Library(db), Conversations(db)
    for id in report.ids:
        conversations.messages(ANA, id)
    assert {entry.id for entry in library.list(ANA)} == set(report.ids)
    library.delete_many(ANA, report.ids)
    library.purge(older_than_s=-1)
