"""A real collection, embedded by the default model: searched, calibrated, asked in conversations, measured."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from core import settings
from core.chat import Asking, Chat
from core.errors import EmptyPrompt, NothingToSearch, NotThere
from core.jobs import Jobs
from core.rag import trial
from core.rag.asking import DocumentChat, kept_of
from core.rag.calibrate import Calibration
from core.rag.finding import Finding
from core.rag.grounding import Grounding, How
from core.rag.question_sets import Expected, Question
from core.rag.retrieve import Options
from core.rag.trial import Way
from core.store.groundings import Groundings
from core.store.runs import Runs
from core.workbench import Workbench, open_workbench
from tests.e2e.serving import until
from tests.rag.corpora import ENGLISH, FRENCH
from tests.rag.shelves import ANA, BEN, SETTLED_S, Shelf, filled
from tests.rag.test_answer import Scripted

QUESTION = "Where do bees find flowers?"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        opened = open_workbench(settings.from_environment())
        yield filled(opened)
        opened.close()


@pytest.fixture(scope="module")
def workbench(shelf: Shelf) -> Workbench:
    return shelf.workbench


def document_chat(workbench: Workbench, model: Scripted) -> DocumentChat:
    chat = Chat(workbench.conversations, Runs(workbench.database), workbench.answers, lambda *_: model, kind="rag")
    return DocumentChat(workbench.conversations, chat, workbench.finding, Groundings(workbench.database))


def ended(workbench: Workbench, message_id: str) -> str:
    message = workbench.conversations.message(ANA, message_id)
    answer = workbench.chat.running(message)
    assert answer is not None and answer.wait(SETTLED_S)
    assert answer.error is None
    return answer.text


def test_passages_are_found_in_both_languages(shelf: Shelf) -> None:
    searcher = shelf.workbench.finding.searcher(ANA, shelf.id)
    assert searcher.search(QUESTION)[0].chunk.text == ENGLISH[1]
    assert searcher.search("Comment le boulanger fait-il le pain ?")[0].chunk.text == FRENCH[5]
    assert shelf.workbench.finding.searcher(ANA, shelf.id) is searcher  # kept for the next question
    assert searcher.search(f"{QUESTION} \udc80")[0].chunk.text == ENGLISH[1]  # bytes that are no characters


def test_a_collection_is_made_ready_before_it_is_asked(shelf: Shelf) -> None:
    finding = shelf.workbench.finding
    finding._kept.clear()
    job = finding.prepare(ANA, shelf.id)
    assert job is not None and job.wait(SETTLED_S) and (job.state, job.result) == ("done", 12)
    assert finding.prepare(ANA, shelf.id) is None
    with pytest.raises(NotThere):
        finding.prepare(BEN, shelf.id)


def test_a_collection_calibrates_itself_in_the_background(shelf: Shelf) -> None:
    finding = shelf.workbench.finding
    job = finding.calibrate_if_changed(ANA, shelf.id) or finding.calibrate(ANA, shelf.id)
    assert job.wait(SETTLED_S) and job.state == "done"
    found = finding.calibration(ANA, shelf.id)
    assert isinstance(found, Calibration) and found.known
    assert finding.searcher(ANA, shelf.id).weight == found.weight
    assert finding.calibrate_if_changed(ANA, shelf.id) is None  # nothing has changed since


def test_what_failed_is_not_begun_again_by_itself(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(shelf.workbench.collections, Jobs())
    monkeypatch.setattr(finding, "searcher", lambda *_: (_ for _ in ()).throw(NothingToSearch()))
    monkeypatch.setattr(finding, "calibration", lambda *_: None)
    for begin in (finding.prepare, finding.calibrate_if_changed):
        job = begin(ANA, shelf.id)
        assert job is not None and job.wait(SETTLED_S) and job.state == "failed"
        assert begin(ANA, shelf.id) is None


def test_a_collection_is_its_owners_and_an_empty_one_is_said(shelf: Shelf) -> None:
    with pytest.raises(NotThere):
        shelf.workbench.finding.searcher(BEN, shelf.id)
    empty = shelf.workbench.collections.create(ANA, "Nothing yet", size=64, overlap=0)
    with pytest.raises(NothingToSearch):
        shelf.workbench.finding.searcher(ANA, empty.id)
    assert shelf.workbench.finding.calibrate_if_changed(ANA, empty.id) is None


def test_an_answer_is_kept_with_what_it_was_given(shelf: Shelf, workbench: Workbench) -> None:
    chat = document_chat(workbench, Scripted("By a dance [1].", "By the sun [1].", "Once more [1]."))
    how = How(options=Options(limit=3))
    first = chat.ask(ANA, None, QUESTION, Asking(), collection_id=shelf.id, how=how)
    assert ended(workbench, first.id) == "By a dance [1]."
    grounding = chat.grounding(ANA, first.id)
    assert grounding.passages[0].chunk.text == ENGLISH[1] and len(grounding.passages) == 3
    assert msgspec.json.decode(msgspec.json.encode(grounding), type=Grounding) == grounding
    conversation = workbench.conversations.get(ANA, first.conversation_id)
    kept = kept_of(conversation)
    assert kept is not None and (kept.collection_id, kept.how) == (shelf.id, how)
    # The conversation goes on, and what was said is history, without its passages.
    second = chat.ask(ANA, conversation.id, "And what else?", Asking(), collection_id=shelf.id, how=how)
    ended(workbench, second.id)
    messages = workbench.conversations.messages(ANA, conversation.id)
    assert [m.content for m in messages] == [QUESTION, "By a dance [1].", "And what else?", "By the sun [1]."]
    again = chat.regenerate(ANA, second.id, Asking(), collection_id=shelf.id, how=How(mode="none"))
    ended(workbench, again.id)
    assert chat.grounding(ANA, again.id).passages == ()
    assert set(chat.groundings.some(ANA, [first.id, second.id, again.id])) == {first.id, second.id, again.id}
    assert chat.groundings.conversations(ANA)[0][0] == conversation.id


def test_an_answer_that_was_cut_goes_on_with_its_passages(shelf: Shelf, workbench: Workbench) -> None:
    model = Scripted("By a dance", " in the sun [1].")
    chat = document_chat(workbench, model)
    message = chat.ask(ANA, None, QUESTION, Asking(), collection_id=shelf.id, how=How())
    ended(workbench, message.id)
    on = chat.go_on(ANA, message.id, Asking(), collection_id=shelf.id, how=How())
    assert on.id == message.id
    assert ended(workbench, message.id) == "By a dance in the sun [1]."
    asked = model.asked[1]
    assert asked.continue_last and asked.messages[-1].content == "By a dance"
    assert ENGLISH[1] in asked.messages[-2].content and asked.messages[-2].content.endswith(QUESTION)


def test_what_was_given_is_its_owners_and_goes_with_the_conversation(shelf: Shelf, workbench: Workbench) -> None:
    chat = document_chat(workbench, Scripted("So [1]."))
    message = chat.ask(ANA, None, QUESTION, Asking(), collection_id=shelf.id, how=How())
    ended(workbench, message.id)
    with pytest.raises(NotThere):
        chat.grounding(BEN, message.id)
    assert chat.groundings.some(BEN, [message.id]) == {}
    with pytest.raises(NotThere):
        chat.groundings.put(BEN, message.id, chat.grounding(ANA, message.id))
    workbench.conversations.delete(ANA, message.conversation_id)
    with workbench.database.reading() as connection:
        left = connection.execute("SELECT COUNT(*) FROM groundings WHERE message_id = ?", (message.id,)).fetchone()
    assert left[0] == 0


def test_another_owners_collection_is_the_answers_error(shelf: Shelf, workbench: Workbench) -> None:
    chat = document_chat(workbench, Scripted("."))
    message = chat.ask(BEN, None, QUESTION, Asking(), collection_id=shelf.id, how=How())
    answer = workbench.chat.running(message)
    assert answer is not None and answer.wait(SETTLED_S)
    assert isinstance(answer.error, NotThere)


def test_nothing_asked_is_refused(shelf: Shelf, workbench: Workbench) -> None:
    with pytest.raises(EmptyPrompt):
        document_chat(workbench, Scripted()).ask(ANA, None, " ", Asking(), collection_id=shelf.id, how=How())


def test_thirty_ask_at_once(shelf: Shelf, workbench: Workbench) -> None:
    model = Scripted(*["So [1]."] * 30)
    chat = document_chat(workbench, model)
    asked = [chat.ask(ANA, None, f"{QUESTION} {n}", Asking(), collection_id=shelf.id, how=How()) for n in range(30)]
    assert {ended(workbench, message.id) for message in asked} == {"So [1]."}
    found = [chat.grounding(ANA, message.id).passages[0].chunk.text for message in asked]
    assert found == [ENGLISH[1]] * 30


def test_a_changed_collection_is_searched_as_it_is_now(shelf: Shelf, workbench: Workbench) -> None:
    from core.rag.files import Incoming

    other = filled(workbench, name="Changing")
    before = workbench.finding.searcher(ANA, other.id)
    job = workbench.collections.add(ANA, other.id, [Incoming("new.txt", b"The okapi lives in the Ituri forest.")])
    assert job.wait(SETTLED_S)
    after = workbench.finding.searcher(ANA, other.id)
    assert after is not before
    assert after.search("okapi")[0].chunk.document == "new.txt"
    gone = [one.id for one in workbench.collections.documents(ANA, other.id) if one.name == "new.txt"]
    workbench.collections.remove(ANA, other.id, gone)
    until(lambda: not workbench.collections.jobs(ANA, other.id))
    assert all(hit.chunk.document != "new.txt" for hit in workbench.finding.searcher(ANA, other.id).search("okapi"))


def test_ways_of_cutting_and_embedding_are_compared_in_one_run(shelf: Shelf, workbench: Workbench) -> None:
    collections = workbench.collections
    texts = [(one, collections.extracted(ANA, shelf.id, one.id)) for one in collections.documents(ANA, shelf.id)]
    ways = [
        Way(chunker=chunker, size=size, overlap=0, embedding="all-MiniLM-L6-v2")
        for chunker, size in (("sentences", 32), ("recursive", 64))
    ]
    asked = [
        Question(id="1", text=QUESTION, expected=(Expected(document="doc1.txt"),)),
        Question(id="2", text="Qui pétrit la pâte ?", expected=(Expected(document="doc11.txt", passage="Le levain"),)),
    ]
    told: list[tuple[int, int]] = []
    tried = trial.grid(
        texts,
        ways,
        asked,
        lambda id: collections.embeddings.get(ANA, id),
        step=lambda done, total, note: told.append((done, total)),
    )
    assert [one.way for one in tried] == ways
    assert all(one.passages >= 12 and len(one.measured) == 4 for one in tried)
    assert tried[0].measured[2].rows[0].rank == 1
    assert told[-1][0] == told[-1][1] and [done for done, _ in told] == sorted(done for done, _ in told)
