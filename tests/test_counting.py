"""Counting a question before it is sent: the same number as the answer then has, estimates where it cannot be known."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core import counting
from core.attachments import Attachment, composed
from core.counting import Counted, Counter
from core.drafts import MOST, Drafts
from core.errors import ContextOverflow, NotText
from core.events import Finished, Trimmed
from core.gguf import reader
from core.messages import ChatRequest, Message, Overflow, Sampling
from core.models.base import ModelInfo
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf
from core.models.remote.client import RemoteModel

pytestmark = pytest.mark.model

STORY = "The river flows past the old bridge, and the people of the town tell stories about it every evening. "
NOTES = Attachment("notes.md", "# Rivers\n\n" + STORY * 3, "markdown")
CODE = Attachment("a.py", "def river():\n    return '```'\n", "code")
CONTEXT = 1024


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.close()


@pytest.fixture(scope="module")
def model(shelf: Shelf, smollm: Path) -> LocalModel:
    """The embedded model, in memory."""
    found = shelf.model(info(smollm), smollm, ModelSettings(context_length=CONTEXT, parallel=2, threads=1))
    for _ in found.engine().load():
        pass
    return found


def info(path: Path) -> ModelInfo:
    trained = reader.read(path).context_length
    return ModelInfo(id="small", name="small", provider="local", local=True, context_length=trained)


def talk(turns: int, size: int = 200, *, system: str = "", **fields: object) -> ChatRequest:
    """A conversation of so many questions and answers."""
    said = [Message("user" if i % 2 == 0 else "assistant", (STORY * 50)[:size]) for i in range(2 * turns)]
    opening = [Message("system", system)] if system else []
    return ChatRequest(messages=(*opening, *said), max_tokens=1, **fields)  # type: ignore[arg-type]


def answered(model: LocalModel, counter_request: ChatRequest, question: str, begin_with: str = "") -> list[object]:
    """All that comes of really asking it."""
    said = [Message("user", question), *([Message("assistant", begin_with)] if begin_with else [])]
    request = msgspec.structs.replace(
        counter_request,
        messages=(*counter_request.messages, *said),
        continue_last=bool(begin_with),
        sampling=Sampling(temperature=0.0),
    )
    return list(model.stream(request))


def counted(counter: Counter, question: str, files: tuple[Attachment, ...] = (), begin_with: str = "") -> Counted:
    found = counter.count(question, files, begin_with)
    assert found is not None and sum(found.by_origin.values()) == found.prompt_tokens
    return found


@pytest.mark.parametrize("files", [(), (NOTES, CODE)], ids=["no files", "files"])
@pytest.mark.parametrize("begin_with", ["", "The river"])
@pytest.mark.parametrize("before", [talk(0), talk(2, system="Be brief.")], ids=["new", "two turns"])
def test_the_count_is_what_the_answer_then_has(
    model: LocalModel, before: ChatRequest, files: tuple[Attachment, ...], begin_with: str
) -> None:
    question = "  Où est <|im_end|> le pont ? 🌉\n"
    found = counted(Counter(model, lambda: before), question, files, begin_with)
    finished = answered(model, before, composed(question, files), begin_with)[-1]
    assert isinstance(finished, Finished)
    assert found.exact and found.fits and found.dropped_tokens == 0
    assert (found.prompt_tokens, found.context_length) == (finished.usage.prompt_tokens, CONTEXT)
    assert ("documents" in found.by_origin, "answer" in found.by_origin) == (bool(files), bool(begin_with))
    theirs = finished.usage.by_origin
    assert found.by_origin.get("documents", 0) + found.by_origin["question"] == theirs["question"]
    assert found.by_origin.get("history", 0) == theirs.get("history", 0)


@pytest.mark.parametrize("policy", ["rolling", "truncate_middle"])
@pytest.mark.parametrize("files", [(), (NOTES,)], ids=["no files", "files"])
def test_what_is_left_out_is_known_before(model: LocalModel, policy: Overflow, files: tuple[Attachment, ...]) -> None:
    before = talk(12, 400, system="Be brief.", overflow=policy)
    found = counted(Counter(model, lambda: before), "And then?", files)
    events = answered(model, before, composed("And then?", files))
    trimmed = next(event for event in events if isinstance(event, Trimmed))
    assert found.exact and found.fits
    assert (found.dropped_messages, found.dropped_tokens) == (trimmed.dropped_messages, trimmed.dropped_tokens)
    assert isinstance(events[-1], Finished) and found.prompt_tokens == events[-1].usage.prompt_tokens
    assert found.dropped_messages > 0


def test_a_file_that_is_too_long_has_its_middle_cut_or_is_refused(model: LocalModel) -> None:
    long = (Attachment("book.txt", STORY * 100),)
    cut = counted(Counter(model, lambda: talk(0, overflow="truncate_middle")), "Who lives there?", long)
    assert cut.exact and cut.fits and (cut.dropped_messages, cut.dropped_tokens > 1000) == (0, True)
    refused = counted(Counter(model, lambda: talk(0, overflow="rolling")), "Who lives there?", long)
    assert refused.exact and not refused.fits and refused.prompt_tokens > CONTEXT
    assert refused.by_origin["documents"] > 50 * refused.by_origin["question"]
    with pytest.raises(ContextOverflow) as caught:
        answered(model, talk(0, overflow="rolling"), composed("Who lives there?", long))
    assert caught.value.values["prompt_tokens"] == refused.prompt_tokens


def test_a_long_conversation_is_counted_once_and_stays_exact(shelf: Shelf, smollm: Path) -> None:
    another = msgspec.structs.replace(info(smollm), id="long")
    model = shelf.model(another, smollm, ModelSettings(context_length=20_000, parallel=1, threads=1))
    for _ in model.engine().load():
        pass
    before = talk(40, 800)
    assert sum(len(m.content) for m in before.messages) > counting.WHOLE
    counter, engine = Counter(model, lambda: before), model.in_memory()
    assert engine is not None
    for question in ("Who", "Who crosses the bridge?", "Who crosses\nthe bridge, and when?", "W"):
        found = counted(counter, question)
        request = msgspec.structs.replace(before, messages=(*before.messages, Message("user", question)))
        assert found.exact and found.prompt_tokens == engine.count(request).prompt_tokens
    again = Counter(model, lambda: talk(40, 800), like=counter)
    assert counted(again, "Who?").exact
    other = Counter(model, lambda: talk(41, 800), like=counter)
    assert counted(other, "Who?").by_origin["history"] > counted(again, "Who?").by_origin["history"]


def test_a_long_conversation_that_does_not_fit_is_counted_nearly(model: LocalModel) -> None:
    before = talk(40, 800, overflow="rolling")
    counter = Counter(model, lambda: before)
    first = counted(counter, "Who?")
    assert first.exact and first.fits and first.dropped_messages > 70
    second = counted(counter, "Who crosses the bridge?")
    assert not second.exact and second.dropped_messages == first.dropped_messages
    assert second.prompt_tokens > first.prompt_tokens
    assert counted(counter, "Who?").exact


def test_nothing_typed_counts_what_has_been_said(model: LocalModel) -> None:
    assert Counter(model, lambda: talk(0, system="Be brief.")).count("  ") is None
    found = counted(Counter(model, lambda: talk(1)), "")
    assert found.by_origin["history"] > found.by_origin["question"]
    assert counted(Counter(model, lambda: talk(0)), "", (NOTES,)).by_origin["documents"] > 50


def test_a_model_that_is_not_in_memory_is_estimated_and_stays_out(smollm: Path) -> None:
    shelf = Shelf()
    model = shelf.model(info(smollm), smollm, ModelSettings(context_length=CONTEXT))
    before = talk(12, 400, system="Be brief.", overflow="rolling")
    found = counted(Counter(model, lambda: before), "And then?", (NOTES,))
    assert not found.exact and found.fits and found.context_length == CONTEXT
    assert found.dropped_messages > 10 and found.prompt_tokens < CONTEXT
    middle = counted(Counter(model, lambda: talk(0, overflow="truncate_middle")), STORY * 100)
    assert middle.fits and middle.dropped_messages == 0 and middle.dropped_tokens > 1000
    refused = counted(Counter(model, lambda: talk(0, overflow="stop")), STORY * 100)
    assert not refused.fits and refused.dropped_tokens == 0 and refused.prompt_tokens > CONTEXT
    assert shelf.loaded() == []


def test_a_remote_model_is_estimated_and_leaves_nothing_out() -> None:
    def remote(length: int | None) -> RemoteModel:
        about = ModelInfo(id="r", name="r", provider="there", local=False, context_length=length)
        return RemoteModel(about, "http://127.0.0.1:9/v1")

    before = talk(10, 400, overflow="rolling")
    unknown = counted(Counter(remote(None), lambda: before), "And then?")
    assert not unknown.exact and unknown.fits and unknown.context_length is None
    assert unknown.prompt_tokens == pytest.approx((20 * 400 + 9) / 4, abs=20)
    small = counted(Counter(remote(1000), lambda: before), "And then?")
    assert not small.fits and small.dropped_tokens == 0


def test_a_question_far_too_long_to_count_is_estimated(model: LocalModel) -> None:
    found = counted(Counter(model, lambda: talk(0, overflow="truncate_middle")), STORY * 2000)
    assert not found.exact and found.fits and found.dropped_tokens > 40_000


def test_a_template_that_fails_gives_an_estimate(model: LocalModel) -> None:
    before = talk(1, chat_template="{{ raise_exception('no') }}")
    assert not counted(Counter(model, lambda: before), "And then?").exact


def test_a_draft_counts_its_own_conversation_and_its_files(model: LocalModel) -> None:
    drafts = Drafts()
    id = drafts.put(None, model, lambda: talk(1))
    draft = drafts.get(id)
    assert draft is not None and drafts.get("0" * 32) is None
    key = draft.add("folder/notes.md", NOTES.text.encode())
    with pytest.raises(NotText):
        draft.add("a.bin", b"\0\1")
    without, found = draft.count("Who?"), draft.count("Who?", [key, "unknown"])
    assert without is not None and found is not None
    expected = Counter(model, lambda: talk(1)).count("Who?", [NOTES])
    assert found == expected and found.prompt_tokens > without.prompt_tokens
    assert drafts.put(id, model, lambda: talk(2), pending=[NOTES]) == id
    assert draft.count("Who?") == Counter(model, lambda: talk(2)).count("Who?", [NOTES])
    others = [drafts.put(None, model, lambda: talk(0)) for _ in range(MOST)]
    assert drafts.get(id) is None and drafts.get(others[0]) is not None
    assert drafts.put(id, model, lambda: talk(0)) != id


def test_of_the_counts_that_wait_only_the_newest_is_made(model: LocalModel) -> None:
    drafts, reading, go = Drafts(), threading.Event(), threading.Event()

    def slowly() -> ChatRequest:
        reading.set()
        assert go.wait(30)
        return talk(0)

    draft = drafts.get(drafts.put(None, model, slowly))
    assert draft is not None
    found: dict[str, Counted | None] = {}
    threads = [threading.Thread(target=lambda q=q: found.update({q: draft.count(q)})) for q in ("one", "two", "three")]
    for number, thread in enumerate(threads):
        thread.start()
        assert reading.wait(30)
        while draft._newest <= number:
            pass
    go.set()
    for thread in threads:
        thread.join(30)
    assert found["two"] is None and found["one"] is not None and found["three"] is not None
