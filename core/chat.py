"""What a person does in a conversation: ask, ask again, go on, stop. Joins the store, the models and the answers.

Every method that takes an owner raises `NotThere` for another owner's conversation. Knows no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from core.answers import Answer, Answers
from core.errors import N_, EmptyPrompt, NotThere, WorkbenchError
from core.events import Finished, Trimmed
from core.keeping import Status
from core.messages import ChatRequest, Message, Overflow, Sampling
from core.models.base import ChatModel
from core.store.conversations import Conversations
from core.store.records import Conversation, StoredMessage
from core.store.runs import Runs


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How a conversation is asked: the model (None: the embedded one) and all that decides the answer but the words."""

    model_id: str | None = None
    system_prompt: str = ""
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    overflow: Overflow = "rolling"


class Chat:
    """Conversations in which models answer. `model` gives the model of an id, or raises."""

    def __init__(
        self,
        conversations: Conversations,
        runs: Runs,
        answers: Answers,
        model: Callable[[str | None], ChatModel],
    ) -> None:
        self._conversations = conversations
        self._runs = runs
        self._answers = answers
        self._model = model

    def ask(self, owner: str, conversation_id: str | None, question: str, asking: Asking) -> StoredMessage:
        """Adds a question and starts its answer; with None, in a new conversation. Returns the answer's message.

        Raises `EmptyPrompt`, `ModelNotFound`, `ModelFileInvalid`, `NotThere` or `StoreUnavailable`, and has then kept
        nothing of it; what goes wrong later is the answer's own error.
        """
        if not question.strip():
            raise EmptyPrompt()
        model = self._model(asking.model_id)
        conversation = self._conversation(owner, conversation_id, asking)
        parent = self._conversations.add_question(owner, conversation.id, question, parent_id=conversation.leaf_id)
        return self._answer(owner, model, parent, asking)

    def regenerate(self, owner: str, message_id: str, asking: Asking) -> StoredMessage:
        """Answers the question of an answer once more, beside it. Returns the new answer's message."""
        old = self._conversations.message(owner, message_id)
        model = self._model(asking.model_id)
        return self._answer(owner, model, self._question_of(owner, old), asking)

    def go_on(self, owner: str, message_id: str, asking: Asking) -> StoredMessage:
        """Continues an answer that was cut, in its place. Returns its message."""
        cut = self._conversations.message(owner, message_id)
        model = self._model(asking.model_id)
        return self._answer(owner, model, self._question_of(owner, cut), asking, continued=cut)

    def running(self, message: StoredMessage) -> Answer | None:
        """The answer that is writing this message, or has just written it; None when there is none."""
        return self._answers.get(message.answer_id) if message.answer_id else None

    def _question_of(self, owner: str, answer: StoredMessage) -> StoredMessage:
        if answer.role != "assistant" or answer.parent_id is None:
            raise NotThere(what=N_("message"))
        return self._conversations.message(owner, answer.parent_id)

    def _conversation(self, owner: str, conversation_id: str | None, asking: Asking) -> Conversation:
        kept = asking_to_settings(asking)
        if conversation_id is None:
            return self._conversations.create(
                owner, model_id=asking.model_id, system_prompt=asking.system_prompt, settings=kept
            )
        self._conversations.update(
            owner, conversation_id, model_id=asking.model_id, system_prompt=asking.system_prompt, settings=kept
        )
        return self._conversations.get(owner, conversation_id)

    def _answer(
        self,
        owner: str,
        model: ChatModel,
        question: StoredMessage,
        asking: Asking,
        continued: StoredMessage | None = None,
    ) -> StoredMessage:
        request = self._request(owner, question, asking, continued)
        message = self._conversations.begin_answer(
            owner,
            question.conversation_id,
            parent_id=question.id,
            model_id=model.info.id,
            model_name=model.info.name,
            request=request,
            continue_from=continued,
        )
        keeper = _Keeper(self._conversations, self._runs, owner, message)
        so_far = continued.content if continued else ""
        answer = self._answers.start(model, request, keeper=keeper, text_so_far=so_far)
        self._conversations.attach(message.id, answer.id)
        return self._conversations.message(owner, message.id)

    def _request(
        self, owner: str, question: StoredMessage, asking: Asking, continued: StoredMessage | None
    ) -> ChatRequest:
        path = self._conversations.path_to(owner, question.id)
        return ChatRequest(
            messages=tuple(_messages(asking.system_prompt, [*path, continued] if continued else path)),
            sampling=asking.sampling,
            max_tokens=asking.max_tokens,
            overflow=asking.overflow,
            # With nothing said yet there is nothing to continue, and the last message is the question.
            continue_last=bool(continued and continued.content),
        )


class _Keeper:
    """Writes one answer to its message as it comes, and its figures to the runs when it ends."""

    def __init__(self, conversations: Conversations, runs: Runs, owner: str, message: StoredMessage) -> None:
        self._conversations = conversations
        self._runs = runs
        self._owner = owner
        self._message = message

    def append(self, text: str, *, reasoning: bool = False) -> None:
        self._conversations.append(self._message.id, text, reasoning=reasoning)

    def set_trimmed(self, trimmed: Trimmed) -> None:
        self._conversations.set_trimmed(self._message.id, trimmed)

    def finish(self, finished: Finished, *, status: Status) -> None:
        self._conversations.finish(self._message.id, finished, status=status)
        self._runs.add(self._owner, kind="chat", model_id=self._message.model_id or "", figures=finished)

    def fail(self, error: WorkbenchError) -> None:
        self._conversations.fail(self._message.id, error)


def asking_to_settings(asking: Asking) -> dict[str, object]:
    """What is kept with a conversation, so that it opens as it was left."""
    kept = msgspec.to_builtins(asking, str_keys=True)
    return {name: kept[name] for name in ("sampling", "max_tokens", "overflow")}


def asking_of(conversation: Conversation) -> Asking:
    """How a conversation was last asked; what another version wrote and this one cannot read is left at its default."""
    plain = {"model_id": conversation.model_id, "system_prompt": conversation.system_prompt}
    try:
        return msgspec.convert({**conversation.settings, **plain}, Asking, str_keys=True)
    except msgspec.ValidationError:
        return Asking(model_id=conversation.model_id, system_prompt=conversation.system_prompt)


def _messages(system_prompt: str, path: Sequence[StoredMessage]) -> list[Message]:
    """An empty answer (one that failed before its first word) is no turn of the conversation."""
    said = [Message(m.role, m.content) for m in path if m.content or m.role != "assistant"]
    return [Message("system", system_prompt), *said] if system_prompt.strip() else said
