"""An answer in the store: pieces as they come, its end, going on with it, and text of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import errors
from core.errors import ModelDied, NotThere, WorkbenchError
from core.events import Finished, Timings, Trimmed, Usage
from core.messages import ChatRequest, Message, Sampling
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.records import StoredMessage

ANA = "ana"
FIGURES = Finished(
    "length",
    Usage(prompt_tokens=7, generated_tokens=3, by_origin={"system": 3, "question": 4}, context_length=2048),
    Timings(ttft_s=0.25, at=(0.25, 0.5, 0.75)),
)


@pytest.fixture
def answer(conversations: Conversations) -> StoredMessage:
    return begin(conversations, conversations.create(ANA).id)


def begin(
    conversations: Conversations,
    id: str,
    *,
    request: ChatRequest = ChatRequest(),  # noqa: B008
    continue_from: StoredMessage | None = None,
) -> StoredMessage:
    return conversations.begin_answer(
        ANA, id, parent_id=None, model_id="m", model_name="M", request=request, continue_from=continue_from
    )


def test_pieces_are_kept_in_order_reasoning_apart(conversations: Conversations, answer: StoredMessage) -> None:
    conversations.append(answer.id, "let me ", reasoning=True)
    conversations.append(answer.id, "see", reasoning=True)
    conversations.append(answer.id, "It ")
    conversations.append(answer.id, "is.")
    stored = conversations.message(ANA, answer.id)
    assert (stored.content, stored.reasoning, stored.status) == ("It is.", "let me see", "streaming")


def test_its_end_and_figures_are_kept(conversations: Conversations, answer: StoredMessage) -> None:
    trimmed = Trimmed("rolling", 4, 900)
    conversations.attach(answer.id, "running-1")
    conversations.set_trimmed(answer.id, trimmed)
    conversations.append(answer.id, "text")
    conversations.finish(answer.id, FIGURES, status="complete")
    stored = conversations.message(ANA, answer.id)
    assert (stored.status, stored.finished, stored.trimmed) == ("complete", FIGURES, trimmed)
    assert (stored.answer_id, stored.error) == ("running-1", None)


def test_an_error_keeps_what_came(conversations: Conversations, answer: StoredMessage) -> None:
    conversations.append(answer.id, "half an ans")
    conversations.fail(answer.id, ModelDied(model=Path("phi.gguf"), detail="signal \ud800"))
    stored = conversations.message(ANA, answer.id)
    assert (stored.status, stored.content) == ("failed", "half an ans")
    assert stored.error is not None
    error = WorkbenchError.from_dict(stored.error)
    assert isinstance(error, ModelDied)
    assert str(error) == str(errors.ModelDied(model="phi.gguf", detail="signal \ufffd"))


@pytest.mark.parametrize("ended", ["complete", "cut", "failed"])
def test_going_on_uses_the_same_message(conversations: Conversations, answer: StoredMessage, ended: str) -> None:
    conversations.append(answer.id, "half ")
    if ended == "failed":
        conversations.fail(answer.id, ModelDied(model="m", detail="d"))
    else:
        conversations.finish(answer.id, FIGURES, status=ended)  # type: ignore[arg-type]
    again = begin(conversations, answer.conversation_id, continue_from=conversations.message(ANA, answer.id))
    assert (again.id, again.content, again.status) == (answer.id, "half ", "streaming")
    assert (again.finished, again.error) == (None, None)
    conversations.append(again.id, "whole")
    assert [m.content for m in conversations.messages(ANA, answer.conversation_id)] == ["half whole"]


def test_what_cannot_be_gone_on_with(conversations: Conversations, answer: StoredMessage) -> None:
    with pytest.raises(NotThere):
        begin(conversations, answer.conversation_id, continue_from=answer)
    question = conversations.add_question(ANA, answer.conversation_id, "q", parent_id=None)
    with pytest.raises(NotThere):
        begin(conversations, answer.conversation_id, continue_from=question)
    conversations.finish(answer.id, FIGURES, status="cut")
    with pytest.raises(NotThere):
        begin(conversations, conversations.create(ANA).id, continue_from=answer)


def test_a_message_that_is_not_there(conversations: Conversations) -> None:
    calls: list[Callable[[], None]] = [
        lambda: conversations.attach("no", "a"),
        lambda: conversations.append("no", "text"),
        lambda: conversations.set_trimmed("no", Trimmed("rolling", 1, 1)),
        lambda: conversations.finish("no", FIGURES, status="cut"),
        lambda: conversations.fail("no", ModelDied(model="m", detail="d")),
    ]
    for call in calls:
        with pytest.raises(NotThere):
            call()


def test_recover_marks_only_what_was_streaming(conversations: Conversations, answer: StoredMessage) -> None:
    conversations.append(answer.id, "what had come")
    done = begin(conversations, answer.conversation_id)
    conversations.finish(done.id, FIGURES, status="complete")
    assert conversations.recover() == 1
    stored = conversations.message(ANA, answer.id)
    assert (stored.status, stored.content) == ("cut", "what had come")
    assert conversations.message(ANA, done.id).status == "complete"
    assert conversations.recover() == 0


def test_a_request_is_kept_but_for_the_conversation(conversations: Conversations) -> None:
    request = ChatRequest(
        messages=(Message("system", "Be\x00 brief \ud800."), Message("user", "q"), Message("assistant", "a")),
        sampling=Sampling(temperature=0, seed=7, logit_bias={11: float("-inf"), 12: 1.5}),
        stop=("\n", "é"),
        json_schema={"type": "object"},
        logprobs=5,
        overflow="rolling",
    )
    stored = begin(conversations, conversations.create(ANA).id, request=request).request
    assert stored == msgspec.structs.replace(request, messages=(Message("system", "Be\x00 brief \ufffd."),))


def test_figures_of_another_version_are_unknown(
    conversations: Conversations, answer: StoredMessage, db: Database
) -> None:
    conversations.finish(answer.id, FIGURES, status="complete")
    with db.transaction() as connection:
        connection.execute("""UPDATE messages SET finished = '{"type": "Ended"}', request = '{', error = '[]'""")
    stored = conversations.message(ANA, answer.id)
    assert (stored.finished, stored.request, stored.error, stored.status) == (None, None, None, "complete")


@given(pieces=st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=8))
@settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_comes_back_unchanged(conversations: Conversations, pieces: list[str]) -> None:
    id = conversations.create(ANA).id
    question = conversations.add_question(ANA, id, "".join(pieces), parent_id=None)
    answer = begin(conversations, id)
    for piece in pieces:
        conversations.append(answer.id, piece)
    assert question.content == "".join(pieces)
    assert conversations.message(ANA, answer.id).content == "".join(pieces)


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b\x00",
        "😀👩‍👩‍👧",
        "مرحبا",
        "'; DROP TABLE messages; --",
        "\r\n\u2028\ufeff",
        "<script>",
        "x" * 1_000_000,
    ],
)
def test_hard_text_comes_back_unchanged_everywhere(conversations: Conversations, text: str) -> None:
    id = conversations.create(ANA, model_id=text, system_prompt=text, settings={"note": text}).id
    conversations.update(ANA, id, title=text)
    question = conversations.add_question(ANA, id, text, parent_id=None)
    answer = begin(conversations, id)
    for _ in range(2):
        conversations.append(answer.id, text)
        conversations.append(answer.id, text, reasoning=True)
    kept = conversations.get(ANA, id)
    stored = conversations.message(ANA, answer.id)
    assert (kept.title, kept.model_id, kept.system_prompt) == (text, text, text)
    assert (kept.settings, question.content) == ({"note": text}, text)
    assert (stored.content, stored.reasoning) == (text * 2, text * 2)


def test_lone_surrogates_become_replacement_characters(conversations: Conversations) -> None:
    id = conversations.create(ANA, system_prompt="a\ud83d", settings={"note": "\udc00"}).id
    kept = conversations.get(ANA, id)
    assert (kept.system_prompt, kept.settings) == ("a\ufffd", {"note": "\ufffd"})
    assert conversations.add_question(ANA, id, "\ud800b", parent_id=None).content == "\ufffdb"
    answer = begin(conversations, id)
    conversations.append(answer.id, "\udfff")
    assert conversations.message(ANA, answer.id).content == "\ufffd"
    with pytest.raises(NotThere):
        conversations.get(ANA, "\ud800")
