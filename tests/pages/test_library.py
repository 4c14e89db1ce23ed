"""The conversations in the sidebar, as a person uses them: found, opened, named, pinned, tagged, deleted, moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.store.library import Library, LibraryEntry
from core.store.restoring import Restoring
from core.transfer import ours
from core.workbench import Workbench
from pages.chat.library.groups import group_of, grouped, zone
from pages.ui.owner import PERSON
from tests.pages.sitting import Sitting

NOW = datetime(2026, 11, 19, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))
"""A Thursday."""


def kept(workbench: Workbench, *questions: str) -> list[str]:
    """Conversations of one question each; the last is the newest."""
    conversations = workbench.conversations
    made = [conversations.create(PERSON).id for _ in questions]
    for id, question in zip(made, questions, strict=True):
        conversations.add_question(PERSON, id, question, parent_id=None)
    return made


def headings(page: Sitting) -> list[str]:
    return [section["name"] for section in page.listed()["sections"]]


def texts(page: Sitting) -> str:
    """All that is said on the page."""
    return "\n".join(str(one.value) for one in [*page.at.markdown, *page.at.caption, *page.at.success])


def entry(at: datetime, **fields: Any) -> LibraryEntry:
    plain: dict[str, Any] = {"id": "a", "title": "", "created_at": 0.0, "model_id": None, "pinned": False, "tags": ()}
    return LibraryEntry(**(plain | {"updated_at": at.timestamp()} | fields))


@pytest.mark.parametrize(
    ("at", "group"),
    [
        (datetime(2026, 11, 19, 0, 0), "today"),
        (datetime(2026, 11, 18, 23, 59), "yesterday"),
        (datetime(2026, 11, 16, 0, 0), "week"),
        (datetime(2026, 11, 15, 23, 59), "earlier"),
        (datetime(2026, 12, 24, 0, 0), "today"),
    ],
)
def test_a_conversation_stands_under_its_day(at: datetime, group: str) -> None:
    at = at.replace(tzinfo=NOW.tzinfo)
    assert group_of(entry(at), NOW) == group
    assert group_of(entry(at, pinned=True), NOW) == "pinned"


def test_the_day_is_the_readers() -> None:
    late = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)
    assert group_of(entry(late), NOW) == "today"
    assert group_of(entry(late), NOW.astimezone(UTC)) == "yesterday"
    assert zone("Europe/Paris") == NOW.tzinfo
    assert zone(None) is zone("nowhere/at-all") is zone("../etc") is zone("\0") is None


def test_headings_come_once_and_in_order() -> None:
    entries = [entry(NOW, pinned=True), entry(NOW), entry(NOW), entry(NOW - timedelta(days=30))]
    assert [(group, len(under)) for group, under in grouped(entries, NOW)] == [
        ("pinned", 1),
        ("today", 2),
        ("earlier", 1),
    ]
    assert grouped([], NOW) == []


def test_an_empty_list_says_so(workbench: Workbench) -> None:
    page = Sitting(workbench)
    assert page.listed()["sections"] == [] and page.listed()["empty"] == "No conversation yet."
    assert not [field for field in page.at.text_input if field.key == "library-search"]


def test_a_click_opens_and_the_opened_one_is_marked(workbench: Workbench) -> None:
    first, second = kept(workbench, "First?", "Second?")
    page = Sitting(workbench)
    assert page.opened() == ["Second?", "First?"] and headings(page) == ["Today"]
    assert page.listed()["opened"] is None
    page.act("open", first)
    assert page.id == first and page.listed()["opened"] == first and page.shown()[0] == "First?"
    page.press("new-conversation")
    assert page.id is None and page.listed()["opened"] is None
    assert second in str(page.listed())


def test_thirty_at_a_time(workbench: Workbench) -> None:
    kept(workbench, *(f"Question {number}?" for number in range(65)))
    page = Sitting(workbench)
    assert page.opened() == [f"Question {number}?" for number in range(64, 34, -1)] and page.listed()["more"]
    page.act("more")
    assert len(page.opened()) == 60 and page.listed()["more"]
    page.act("more")
    assert len(page.opened()) == 65 and not page.listed()["more"]


def test_renaming_lasts_and_pinning_comes_first(workbench: Workbench) -> None:
    first, second = kept(workbench, "First?", "Second?")
    page = Sitting(workbench).act("rename", first, "Rome *and* <b>Carthage</b>")
    assert page.opened() == ["Second?", "Rome *and* <b>Carthage</b>"]
    page.act("pin", first)
    assert headings(page) == ["Pinned", "Today"] and page.opened()[0].startswith("Rome")
    page.act("unpin", first)
    assert headings(page) == ["Today"] and page.opened()[0] == "Second?"
    assert not workbench.library.set_model_title(PERSON, first, "A model's"), "a person's title stays"
    assert workbench.library.set_model_title(PERSON, second, "A model's")


def test_deleting_can_be_undone(workbench: Workbench) -> None:
    first, second = kept(workbench, "First?", "Second?")
    page = Sitting(workbench, c=first).act("delete", second, "Second?")
    assert page.opened() == ["First?"] and page.id == first
    assert page.listed()["deleted"] == {"id": second, "title": "Second?"}
    page.act("undo", second)
    assert page.opened() == ["Second?", "First?"] and page.listed()["deleted"] is None


def test_deleting_the_opened_one_leaves_a_new_one(workbench: Workbench) -> None:
    (only,) = kept(workbench, "Only?")
    page = Sitting(workbench, c=only).act("delete", only, "Only?")
    assert page.id is None and page.shown() == [] and page.errors() == [] and len(page.at.header) == 1
    page.act("undo", only).act("open", only)
    assert page.shown() == ["Only?"]


def test_what_is_gone_or_anothers_is_refused_in_words(workbench: Workbench) -> None:
    theirs = workbench.conversations.create("somebody-else").id
    kept(workbench, "Mine?")
    for do in ("rename", "pin", "delete", "undo"):
        page = Sitting(workbench).act(do, theirs, "Mine now")
        assert page.errors() == ["**It may have been deleted in another window.**\n\nThere is no such conversation."]
        assert page.opened() == ["Mine?"]
        assert page.run().errors() == []
    assert workbench.conversations.get("somebody-else", theirs).title == ""
    assert Sitting(workbench).act("no such thing", theirs).opened() == ["Mine?"]


def test_search_finds_words_and_shows_where(workbench: Workbench) -> None:
    poem, _ = kept(workbench, "Un poème sur les élèves de la mer", "What is Rome?")
    page = Sitting(workbench)
    page.at.text_input(key="library-search").set_value("ELEVES mer")
    page.run()
    ((row,),) = [section["rows"] for section in page.listed()["sections"]]
    assert row["id"] == poem and [piece for piece, matched in row["parts"] if matched] == ["élèves", "mer"]
    page.act("open", poem)
    assert page.id == poem and page.opened() == ["Un poème sur les élèves de la mer"]
    page.at.text_input(key="library-search").set_value("nowhere at all")
    page.run()
    assert page.opened() == [] and page.listed()["empty"] == "Nothing found for “nowhere at all”."
    page.at.text_input(key="library-search").set_value("")
    assert len(page.run().opened()) == 2


@pytest.mark.parametrize("query", ['"', "a AND", "*", "-x", "😀", "\0", "  ", "{title}", "%", "中"])
def test_any_text_can_be_looked_for(workbench: Workbench, query: str) -> None:
    kept(workbench, "First?")
    page = Sitting(workbench)
    page.at.text_input(key="library-search").set_value(query)
    assert page.run().errors() == []


def test_tags_are_given_and_filter_the_list(workbench: Workbench) -> None:
    first, second = kept(workbench, "First?", "Second?")
    workbench.library.tag(PERSON, first, "school")
    page = Sitting(workbench).act("tags", first)
    chosen = page.at.pills(key=f"tags-chosen-{first}")
    assert chosen.value == ["school"]
    chosen.set_value([])
    page.at.text_input(key=f"tags-new-{first}").set_value("new *one*")
    page.press("tags-save")
    assert workbench.library.tags(PERSON) == {"new *one*": 1}
    assert page.listed()["sections"][0]["rows"][1]["note"] == "new *one*"
    page.at.pills(key="library-tag").set_value("new *one*")
    assert page.run().opened() == ["First?"]
    workbench.library.untag(PERSON, first, "new *one*")
    assert page.run().opened() == ["Second?", "First?"], "a tag that is gone hides nothing"
    assert second in str(page.listed())


def test_one_and_all_are_exported_without_reading_before_the_click(workbench: Workbench) -> None:
    first, _ = kept(workbench, "Où est Rome ?", "Second?")
    page = Sitting(workbench).act("export", first)
    assert [button.label for button in page.at.download_button] == ["JSON, whole", "Markdown", "OpenAI messages"]
    page = Sitting(workbench).act("export-all")
    assert len(page.at.download_button) == 1 and "2 conversations with every variant" in texts(page)


def test_what_was_exported_comes_in_again(workbench: Workbench) -> None:
    (first,) = kept(workbench, "Where is Rome?")
    file = ours.export([Restoring(workbench.database).read(PERSON, first)])
    page = Sitting(workbench).act("import")
    page.at.file_uploader(key="import-file").set_value([("rome.json", file, "application/json")])
    page.run()
    assert "1 conversation came in." in texts(page) and page.errors() == []
    assert workbench.library.count(PERSON) == 2, "once, however often the dialog is drawn"
    page.press("import-done")
    assert page.opened() == ["Where is Rome?"] * 2


def test_what_is_left_out_of_an_import_is_said(workbench: Workbench) -> None:
    file = b'[{"role": "user", "content": "Hi"}, {"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]'
    page = Sitting(workbench, lang="fr").act("import")
    page.at.file_uploader(key="import-file").set_value([("chat.json", file, "application/json")])
    assert page.run().errors() == []
    assert "- 1 " in texts(page)


@pytest.mark.parametrize("file", [b"", b"not JSON", b'{"a": 1}', b"[" * 10_000, b"\xff\xfe"])
def test_a_file_that_is_none_is_refused_in_words(workbench: Workbench, file: bytes) -> None:
    page = Sitting(workbench).act("import")
    page.at.file_uploader(key="import-file").set_value([("chat.json", file, "application/json")])
    assert len(page.run().errors()) == 1 and workbench.library.count(PERSON) == 0


def test_titles_by_the_model_are_switched_off_for_this_sitting(workbench: Workbench) -> None:
    page = Sitting(workbench)
    assert [tool["checked"] for tool in page.listed()["tools"]] == [None, None, True]
    page.act("titles")
    assert page.listed()["tools"][2]["checked"] is False
    assert Sitting(workbench).listed()["tools"][2]["checked"] is True


def test_never_more_is_read_than_is_shown(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(workbench, *(f"Question {number}?" for number in range(40)))
    asked: list[int] = []
    listing = Library.list
    monkeypatch.setattr(Library, "list", lambda *a, **k: asked.append(k["limit"]) or listing(*a, **k))
    Sitting(workbench)
    assert max(asked) == 31
