"""A person's conversation with the real model and the real store: what is kept, what is sent, whose it is."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.answers import Answer
from core.chat import Asking, Chat, asking_of
from core.errors import EmptyPrompt, ModelDied, ModelFileInvalid, ModelNotFound, NotThere, WorkbenchError
from core.events import Text
from core.messages import ChatRequest, Message, Sampling
from core.models.catalog import EMBEDDED_ID
from core.store.conversations import Conversations
from core.store.records import StoredMessage
from core.workbench import Workbench
from tests.asking import GREEDY, QUESTION
from tests.chat.talking import ANA, BEN, ended, running

SHORT = Asking(sampling=GREEDY, max_tokens=8)
LONG = Asking(sampling=GREEDY, max_tokens=2000)
FAILING = Asking(sampling=Sampling(temperature=-1.0), max_tokens=8)


@pytest.fixture
def chat(workbench: Workbench) -> Iterator[Chat]:
    """The conversations are empty at the beginning of each test."""
    yield workbench.chat
    for owner in (ANA, BEN):
        for conversation in workbench.conversations.list(owner):
            workbench.conversations.delete(owner, conversation.id)


def begun(chat: Chat, message: StoredMessage, tokens: int = 3) -> Answer:
    """The running answer, once that many tokens have come."""
    answer = running(chat, message)
    for event in answer.follow(timeout=90):
        if isinstance(event, Text) and answer.tokens >= tokens:
            break
    return answer


def sent(chat: Chat, message: StoredMessage) -> tuple[tuple[str, str], ...]:
    """Roles and texts that the model was asked with."""
    return tuple((m.role, m.content) for m in running(chat, message).request.messages)


def test_a_first_question_makes_a_conversation(workbench: Workbench, chat: Chat, conversations: Conversations) -> None:
    message = chat.ask(ANA, None, QUESTION, SHORT)
    assert (message.role, message.status) == ("assistant", "streaming")
    assert running(chat, message).id == message.answer_id
    answer = ended(workbench, message)
    (summary,) = conversations.list(ANA)
    assert summary.id == message.conversation_id and summary.title == QUESTION
    question, kept = conversations.messages(ANA, summary.id)
    assert (question.role, question.content) == ("user", QUESTION)
    assert kept == answer
    assert answer.status == "complete" and answer.content == running(chat, message).text != ""
    assert (answer.model_id, answer.model_name) == (EMBEDDED_ID, "SmolLM2-135M-Instruct")
    assert sent(chat, message) == (("user", QUESTION),)


def test_the_figures_are_kept_with_the_answer_and_in_the_runs(workbench: Workbench, chat: Chat) -> None:
    before = len(workbench.runs.list(ANA))
    answer = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    assert answer.finished is not None
    assert answer.finished == running(chat, answer).finished
    assert answer.finished.usage.generated_tokens == 8
    newest, *others = workbench.runs.list(ANA, kind="chat", model_id=EMBEDDED_ID)
    assert len(others) == before
    assert newest.figures["usage"]["generated_tokens"] == 8
    assert newest.figures["timings"]["ttft_s"] == answer.finished.timings.ttft_s
    assert workbench.runs.list("nobody") == []


def test_the_next_question_is_sent_with_all_before_it(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    second = chat.ask(ANA, first.conversation_id, "And of Spain?", SHORT)
    assert sent(chat, second) == (("user", QUESTION), ("assistant", first.content), ("user", "And of Spain?"))
    end = ended(workbench, second).finished
    assert end is not None and end.usage.by_origin["history"] > 0
    path = workbench.conversations.messages(ANA, first.conversation_id)
    assert [m.role for m in path] == ["user", "assistant"] * 2


def test_the_system_prompt_comes_first_and_a_blank_one_is_none(workbench: Workbench, chat: Chat) -> None:
    with_one = chat.ask(ANA, None, "Hi", Asking(sampling=GREEDY, max_tokens=2, system_prompt="Be brief."))
    blank = chat.ask(ANA, None, "Hi", Asking(sampling=GREEDY, max_tokens=2, system_prompt=" \n"))
    assert sent(chat, with_one) == (("system", "Be brief."), ("user", "Hi"))
    assert sent(chat, blank) == (("user", "Hi"),)
    ended(workbench, blank)
    kept = ended(workbench, with_one).request
    assert kept is not None and kept.messages == (Message("system", "Be brief."),)


def test_a_conversation_opens_as_it_was_last_asked(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, "Hi", SHORT))
    changed = Asking(
        model_id=EMBEDDED_ID,
        system_prompt="Rhyme.",
        sampling=Sampling(temperature=0.3, seed=4, logit_bias={17: -2.0}),
        max_tokens=3,
        overflow="truncate_middle",
    )
    ended(workbench, chat.ask(ANA, first.conversation_id, "Again", changed))
    assert asking_of(workbench.conversations.get(ANA, first.conversation_id)) == changed


def test_asking_again_gives_another_answer_beside_the_first(
    workbench: Workbench, chat: Chat, conversations: Conversations
) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    follow_up = ended(workbench, chat.ask(ANA, first.conversation_id, "And of Spain?", SHORT))
    again = chat.regenerate(ANA, first.id, SHORT)
    assert sent(chat, again) == (("user", QUESTION),), "what came after the answer is not sent"
    assert ended(workbench, again).content == first.content, "greedy, and of the same prompt"
    assert conversations.siblings(ANA, first.id) == [first.id, again.id]
    assert [m.id for m in conversations.messages(ANA, first.conversation_id)] == [first.parent_id, again.id]
    assert conversations.message(ANA, follow_up.id).content == follow_up.content


def test_a_stopped_answer_is_cut_and_goes_on_in_its_place(
    workbench: Workbench, chat: Chat, conversations: Conversations
) -> None:
    message = chat.ask(ANA, None, "Tell me a long story.", LONG)
    begun(chat, message).stop()
    cut = ended(workbench, message)
    assert cut.status == "cut" and cut.content
    on = chat.go_on(ANA, cut.id, Asking(sampling=GREEDY, max_tokens=6))
    assert (on.id, on.status) == (cut.id, "streaming")
    request = running(chat, on).request
    assert request.continue_last and request.messages[-1] == Message("assistant", cut.content)
    whole = ended(workbench, on)
    assert whole.status == "complete"
    assert whole.content.startswith(cut.content) and len(whole.content) > len(cut.content)
    assert whole.content == running(chat, on).text
    assert len(conversations.messages(ANA, cut.conversation_id)) == 2


def test_an_answer_cut_before_its_first_word_is_asked_for_anew(
    workbench: Workbench, chat: Chat, conversations: Conversations
) -> None:
    conversation = conversations.create(ANA)
    question = conversations.add_question(ANA, conversation.id, QUESTION, parent_id=None)
    cut = conversations.begin_answer(
        ANA, conversation.id, parent_id=question.id, model_id="m", model_name="M", request=ChatRequest()
    )
    conversations.recover()
    on = chat.go_on(ANA, cut.id, SHORT)
    assert sent(chat, on) == (("user", QUESTION),)
    assert not running(chat, on).request.continue_last
    assert "Paris" in ended(workbench, on).content


def test_an_answer_that_still_comes_is_not_continued(workbench: Workbench, chat: Chat) -> None:
    message = chat.ask(ANA, None, "Tell me a long story.", LONG)
    answer = begun(chat, message)
    with pytest.raises(NotThere):
        chat.go_on(ANA, message.id, LONG)
    now = workbench.conversations.message(ANA, message.id)
    assert now.status == "streaming" and now.answer_id == answer.id
    answer.stop()
    ended(workbench, message)


def test_there_is_no_answer_running_where_none_was_started(workbench: Workbench, chat: Chat) -> None:
    answer = ended(workbench, chat.ask(ANA, None, "Hi", SHORT))
    assert answer.parent_id is not None
    assert chat.running(workbench.conversations.message(ANA, answer.parent_id)) is None


@pytest.fixture
def damaged(tmp_path: Path) -> str:
    path = tmp_path / "damaged.gguf"
    path.write_bytes(b"GGUF" + b"\xff" * 40)
    return str(path)


@pytest.mark.parametrize("question", ["", " \n\t"])
def test_an_empty_question_keeps_nothing(chat: Chat, conversations: Conversations, question: str) -> None:
    with pytest.raises(EmptyPrompt):
        chat.ask(ANA, None, question, SHORT)
    assert conversations.list(ANA) == []


@pytest.mark.parametrize(("model", "error"), [("nowhere.gguf", ModelNotFound), ("damaged", ModelFileInvalid)])
def test_a_model_that_is_not_there_keeps_nothing(
    workbench: Workbench, chat: Chat, damaged: str, model: str, error: type[WorkbenchError]
) -> None:
    asking = Asking(model_id=damaged if model == "damaged" else model)
    with pytest.raises(error):
        chat.ask(ANA, None, QUESTION, asking)
    assert workbench.conversations.list(ANA) == []
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    conversation = workbench.conversations.get(ANA, first.conversation_id)
    for ask in (
        lambda: chat.ask(ANA, conversation.id, "And?", asking),
        lambda: chat.regenerate(ANA, first.id, asking),
        lambda: chat.go_on(ANA, first.id, asking),
    ):
        with pytest.raises(error):
            ask()
    assert workbench.conversations.get(ANA, conversation.id) == conversation
    assert workbench.conversations.message(ANA, first.id) == first


def test_another_owners_conversation_is_not_there(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    before = workbench.conversations.messages(ANA, first.conversation_id)
    for ask in (
        lambda: chat.ask(BEN, first.conversation_id, "Mine?", SHORT),
        lambda: chat.regenerate(BEN, first.id, SHORT),
        lambda: chat.go_on(BEN, first.id, SHORT),
    ):
        with pytest.raises(NotThere):
            ask()
    assert workbench.conversations.messages(ANA, first.conversation_id) == before
    assert workbench.conversations.siblings(ANA, first.id) == [first.id]
    assert workbench.conversations.list(BEN) == []


def test_a_question_is_neither_asked_again_nor_continued(workbench: Workbench, chat: Chat) -> None:
    first = ended(workbench, chat.ask(ANA, None, QUESTION, SHORT))
    second = ended(workbench, chat.ask(ANA, first.conversation_id, "And of Spain?", SHORT))
    for question in (first.parent_id, second.parent_id):
        assert question is not None
        with pytest.raises(NotThere):
            chat.regenerate(ANA, question, SHORT)
        with pytest.raises(NotThere):
            chat.go_on(ANA, question, SHORT)
    assert len(workbench.conversations.messages(ANA, first.conversation_id)) == 4


def test_an_answer_that_failed_says_why_and_is_no_turn_of_the_conversation(workbench: Workbench, chat: Chat) -> None:
    runs = len(workbench.runs.list(ANA))
    failed = ended(workbench, chat.ask(ANA, None, QUESTION, FAILING))
    assert (failed.status, failed.content) == ("failed", "")
    assert failed.error is not None and failed.error["error"] == "SettingInvalid"
    assert len(workbench.runs.list(ANA)) == runs
    after = chat.ask(ANA, failed.conversation_id, "Still there?", SHORT)
    assert sent(chat, after) == (("user", QUESTION), ("user", "Still there?"))
    assert ended(workbench, after).status == "complete"


def test_a_failed_answer_is_asked_again_beside_it(workbench: Workbench, chat: Chat) -> None:
    failed = ended(workbench, chat.ask(ANA, None, QUESTION, FAILING))
    again = ended(workbench, chat.regenerate(ANA, failed.id, SHORT))
    assert again.status == "complete"
    assert workbench.conversations.siblings(ANA, again.id) == [failed.id, again.id]


def test_a_killed_model_leaves_what_had_come_and_the_next_question_starts_it_again(
    workbench: Workbench, chat: Chat
) -> None:
    message = chat.ask(ANA, None, "Tell me a long story.", LONG)
    begun(chat, message)
    os.kill(workbench.model().engine().pid, signal.SIGKILL)
    failed = ended(workbench, message)
    assert isinstance(running(chat, message).error, ModelDied)
    assert failed.status == "failed" and failed.content == running(chat, message).text != ""
    after = chat.ask(ANA, failed.conversation_id, "Go on.", SHORT)
    assert sent(chat, after)[1] == ("assistant", failed.content), "what had come is part of the conversation"
    assert ended(workbench, after).status == "complete"


def test_what_the_model_was_not_shown_is_kept_with_the_answer(
    workbench: Workbench, chat: Chat, conversations: Conversations
) -> None:
    conversation = conversations.create(ANA)
    flood = conversations.add_question(ANA, conversation.id, "word " * 5000, parent_id=None)
    answered = conversations.begin_answer(
        ANA, conversation.id, parent_id=flood.id, model_id="m", model_name="M", request=ChatRequest()
    )
    conversations.append(answered.id, "Many words.")
    conversations.recover()
    trimmed = ended(workbench, chat.ask(ANA, conversation.id, QUESTION, SHORT)).trimmed
    assert trimmed is not None
    assert (trimmed.policy, trimmed.dropped_tokens > 4000) == ("rolling", True)
