"""Our own format: what goes out comes in again, whole."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from core.errors import ImportFromFuture, ImportUnknown, ModelDied, NotThere
from core.events import Finished, Timings, ToolCall, Trimmed, Usage
from core.messages import ChatRequest, Message, Sampling
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.library import Library
from core.store.restoring import Restoring
from core.transfer import detect, importing, ours
from core.transfer.imported import LOOSE, UNREADABLE, UNREADABLE_MESSAGE, LeftOut

ANA, BEN = "ana", "ben"


def full(conversations: Conversations, library: Library) -> str:
    """A conversation with everything in it: variants, a failed, a cut and a running answer, every figure."""
    settings = {"temperature": 0.5, "words": ["é", None], "no end": float("inf")}
    id = conversations.create(ANA, model_id="/models/m.gguf", system_prompt="Sois bref.", settings=settings).id
    asked = conversations.add_question(ANA, id, "Pourquoi ?\x00 🎉", parent_id=None)
    request = ChatRequest(
        messages=(Message("system", "Sois bref."),),
        sampling=Sampling(temperature=0.25, logit_bias={7: float("-inf"), 8: 1.5}),
        stop=("\n\n",),
        json_schema={"type": "object"},
    )
    answers = [
        conversations.begin_answer(
            ANA, id, parent_id=asked.id, model_id="/models/m.gguf", model_name="M", request=request, answer_id="a"
        )
        for _ in range(4)
    ]
    complete, failed, cut, _ = (answer.id for answer in answers)
    conversations.append(complete, "Parce que. ")
    conversations.append(complete, "Hmm…", reasoning=True)
    conversations.set_trimmed(complete, Trimmed("rolling", 2, 300))
    usage = Usage(prompt_tokens=9, generated_tokens=3, by_origin={"question": 9}, context_length=2048)
    finished = Finished("stop", usage, Timings(ttft_s=0.1, at=(0.1, 0.2), decode_rate=10.0, server={"n": 1.0}))
    conversations.finish(complete, finished, status="complete")
    conversations.add_tool_call(complete, ToolCall("t", "look_up", '{"a": 1}'))
    conversations.edit_answer(ANA, complete, "Parce que, vraiment.")
    conversations.fail(failed, ModelDied(model="M", detail="signal 9"))
    conversations.append(cut, "half")
    conversations.finish(cut, finished, status="cut")
    conversations.add_question(ANA, id, "another start", parent_id=None)
    conversations.select(ANA, complete)
    library.rename(ANA, id, "Mon titre")
    library.pin(ANA, id, True)
    library.tag(ANA, id, "physique")
    library.tag(ANA, id, "2nde")
    return id


def numbered(file: bytes) -> Any:
    """The file's JSON with ids replaced by numbers in order of appearance, a streaming answer taken as cut."""
    plain = json.loads(file)
    for conversation in plain["conversations"]:
        ids = {message["id"]: number for number, message in enumerate(conversation["messages"])}
        conversation["leaf_id"] = ids[conversation["leaf_id"]]
        for message in conversation["messages"]:
            message["id"] = ids[message["id"]]
            message["parent_id"] = ids.get(message.get("parent_id"))
            message["status"] = message["status"].replace("streaming", "cut")
    return plain


def test_what_goes_out_comes_in_again(
    conversations: Conversations, library: Library, restoring: Restoring, db: Database
) -> None:
    whole = restoring.read(ANA, full(conversations, library))
    file = ours.export([whole])
    report = importing.write(db, BEN, detect.read(file))
    assert (len(report.ids), report.messages, report.left_out) == (1, 6, ())
    back = restoring.read(BEN, report.ids[0])
    assert numbered(ours.export([back])) == numbered(file)

    assert (back.title, back.title_by, back.pinned, back.tags) == ("Mon titre", "person", True, ("2nde", "physique"))
    assert [message.status for message in back.messages] == ["complete", "complete", "failed", "cut", "cut", "complete"]
    for before, after in zip(whole.messages, back.messages, strict=True):
        same = {"id": "", "conversation_id": "", "parent_id": None, "answer_id": None, "status": "complete"}
        assert msgspec.structs.replace(after, **same) == msgspec.structs.replace(before, **same)
    kept = conversations.get(BEN, report.ids[0])
    assert (kept.settings["no end"], kept.created_at, kept.updated_at) == (
        "Infinity",
        whole.created_at,
        whole.updated_at,
    )
    assert [m.content for m in conversations.messages(BEN, kept.id)] == ["Pourquoi ?\x00 🎉", "Parce que, vraiment."]
    assert len(library.search(BEN, "vraiment")) == 1


def test_nothing_of_this_place_goes_out(conversations: Conversations, library: Library, restoring: Restoring) -> None:
    id = full(conversations, library)
    text = ours.export([restoring.read(ANA, id)]).decode()
    assert id not in text
    assert "answer_id" not in text
    assert ANA not in json.loads(text)["conversations"][0].values()


def test_several_and_empty_conversations(conversations: Conversations, restoring: Restoring, db: Database) -> None:
    made = [conversations.create(ANA, system_prompt=f"p{n}").id for n in range(3)]
    file = ours.export(restoring.read(ANA, id) for id in made)
    report = importing.write(db, ANA, detect.read(file))
    assert [conversations.get(ANA, id).system_prompt for id in report.ids] == ["p0", "p1", "p2"]


def test_only_the_owner_exports(conversations: Conversations, restoring: Restoring) -> None:
    with pytest.raises(NotThere):
        restoring.read(BEN, conversations.create(ANA).id)


def file(*wholes: Any, **more: Any) -> bytes:
    return json.dumps({"format": ours.FORMAT, "version": 1, "conversations": list(wholes), **more}).encode()


def one(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "t", "created_at": 1.5, "updated_at": 2.5, "messages": list(messages), **more}


def said(id: str, parent: str | None, content: str = "text", **more: Any) -> dict[str, Any]:
    plain = {"id": id, "parent_id": parent, "role": "user", "content": content, "reasoning": "", "created_at": 1.0}
    return {**plain, "status": "complete", **more}


def test_a_file_from_the_future_says_so() -> None:
    with pytest.raises(ImportFromFuture) as refused:
        detect.read(file(one(said("a", None)), version=2, something="new"))
    assert refused.value.values == {"version": 2, "known": 1}


def test_a_new_field_that_can_be_left_out_is(db: Database) -> None:
    report = importing.write(db, ANA, detect.read(file(one(said("a", None, mood="good"), colour="red"), place="here")))
    assert (len(report.ids), report.left_out) == (1, ())


@pytest.mark.parametrize("more", [{"version": "x"}, {"version": None}, {"conversations": None}])
def test_ours_without_what_it_must_have(more: dict[str, Any]) -> None:
    with pytest.raises(ImportUnknown):
        detect.read(file(**more))


def test_one_bad_conversation_does_not_spoil_the_others(conversations: Conversations, db: Database) -> None:
    bad: list[Any] = [{}, 5, None, {"title": 5, "created_at": "x", "updated_at": 1}, one(messages="none"), []]
    report = importing.write(db, ANA, detect.read(file(one(said("a", None)), *bad)))
    assert (len(report.ids), report.left_out) == (1, (LeftOut(UNREADABLE, len(bad)),))


def test_circles_and_missing_parents_are_mended(conversations: Conversations, db: Database) -> None:
    messages = [
        said("a", "c", "a"), said("b", "a", "b"), said("c", "b", "c"), said("self", "self", "self"),
        said("lost", "nowhere", "lost"), said("under", "late", "under"), said("late", None, "late"),
        said("bad", "late", role="wizard"), said("below bad", "bad", "below"), {"content": "no id"},
    ]  # fmt: skip
    report = importing.write(db, ANA, detect.read(file(one(*messages, leaf_id="below bad"))))
    assert report.left_out == (LeftOut(UNREADABLE_MESSAGE, 2), LeftOut(LOOSE, 3))
    assert [m.content for m in conversations.messages(ANA, report.ids[0])] == ["late", "below"]
    with db.reading() as connection:
        sql = "SELECT m.content, up.content FROM messages m LEFT JOIN messages up ON up.id = m.parent_id"
        above = dict(tuple(row) for row in connection.execute(sql))
    assert above == {
        "b": None, "c": "b", "a": "c", "self": None, "lost": None, "late": None, "under": "late", "below": "late"
    }  # fmt: skip


def test_odd_names_and_times(conversations: Conversations, db: Database) -> None:
    odd = one(
        said("a\x00b", None, created_at="Infinity"),
        title="NUL\x00 and \ud800 " + "x" * 10_000,
        created_at=1e300,
        tags=["\x00", "a\x00b", "y" * 500],
        leaf_id=None,
    )
    report = importing.write(db, ANA, detect.read(file(odd)))
    kept = conversations.get(ANA, report.ids[0])
    assert kept.title.startswith("NUL and \ufffd xxx")
    assert len(kept.title) == ours.TITLE_LENGTH
    assert 1.6e9 < kept.created_at < 1e11
    assert 1.6e9 < conversations.messages(ANA, kept.id)[0].created_at < 1e11
    assert list(Library(db).tags(ANA)) == ["a b", "y" * 40]
