"""What a person does in a conversation: ask, ask again, go on, stop. Joins the store, the models and the answers.

Every method that takes an owner raises `NotThere` for another owner's conversation. Knows no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from core.answers import Answer, Answers
from core.attachments import Attachment, composed
from core.audience import Audience
from core.errors import N_, EmptyPrompt, NotThere, WorkbenchError
from core.events import Finished, Routed, ToolCall, Trimmed
from core.keeping import Status
from core.messages import ChatRequest, Message, Overflow, Sampling
from core.models.base import ChatModel
from core.models.catalog import EMBEDDED_ID
from core.models.local.model_settings import ModelSettings
from core.store.conversations import Conversations
from core.store.records import Conversation, StoredMessage
from core.store.runs import Runs

STOP_LIMIT_S = 2.0
"""A stopped answer has that long to be kept; a model ends at its next token."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How a conversation is asked: the model (None: the embedded one) and all that decides the answer but the words.

    settings: how a local model is loaded; a remote one has none. The other fields are those of `ChatRequest`.
    """

    model_id: str | None = None
    settings: ModelSettings = ModelSettings()
    system_prompt: str = ""
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    json_schema: dict[str, Any] | None = None
    overflow: Overflow = "rolling"


@dataclass(frozen=True)
class Manner:
    """How an answer runs beside others. wrap: puts something around the model that writes a message, when all else is
    ready; audience: the one that it shares with them."""

    wrap: Callable[[ChatModel, StoredMessage], ChatModel] | None = None
    audience: Audience | None = None


ALONE = Manner()


class Chat:
    """Conversations in which models answer. `model` gives an owner the model of an id, loaded so, or raises.

    kind: of the runs in which the figures are kept.
    """

    def __init__(
        self,
        conversations: Conversations,
        runs: Runs,
        answers: Answers,
        model: Callable[[str, str | None, ModelSettings], ChatModel],
        *,
        kind: str = "chat",
    ) -> None:
        self._conversations = conversations
        self._runs = runs
        self._answers = answers
        self._model = model
        self._kind = kind

    def ask(
        self,
        owner: str,
        conversation_id: str | None,
        question: str,
        asking: Asking,
        *,
        attachments: Sequence[Attachment] = (),
        begin_with: str = "",
        parent_id: str | UnsetType | None = UNSET,
    ) -> StoredMessage:
        """Adds a question and starts its answer; with None, in a new conversation. Returns the answer's message.

        begin_with: the answer's first words, which the model goes on from. parent_id: the message that the question
        follows (None: it is a first question), the end of the selected path where it is not given. Whoever shows a path
        gives its end as it was seen: what another window has added meanwhile is then a variant beside the question.

        Raises `EmptyPrompt`, `ModelNotFound`, `ModelFileInvalid`, `NotThere` or `StoreUnavailable`, and has then kept
        nothing of it; what goes wrong later is the answer's own error.
        """
        if not question.strip() and not attachments:
            raise EmptyPrompt()
        model = self.model(owner, asking.model_id, asking.settings)
        if isinstance(parent_id, str):
            self._conversations.message(owner, parent_id)
        conversation = self._conversation(owner, conversation_id, asking)
        parent = conversation.leaf_id if isinstance(parent_id, UnsetType) else parent_id
        added = self._conversations.add_question(
            owner, conversation.id, question, parent_id=parent, attachments=attachments
        )
        return self._answer(owner, model, added, asking, begin_with=begin_with)

    def answer(
        self, owner: str, question_id: str, asking: Asking, *, begin_with: str = "", manner: Manner = ALONE
    ) -> StoredMessage:
        """Answers a question that is there, beside the answers it has. Returns the new answer's message."""
        question = self._conversations.message(owner, question_id)
        if question.role != "user":
            raise NotThere(what=N_("message"))
        model = self.model(owner, asking.model_id, asking.settings)
        return self._answer(owner, model, question, asking, begin_with=begin_with, manner=manner)

    def regenerate(self, owner: str, message_id: str, asking: Asking, *, manner: Manner = ALONE) -> StoredMessage:
        """Answers the question of an answer once more, beside it. Returns the new answer's message."""
        old = self._conversations.message(owner, message_id)
        return self.answer(owner, self._question_of(owner, old).id, asking, manner=manner)

    def go_on(self, owner: str, message_id: str, asking: Asking, *, manner: Manner = ALONE) -> StoredMessage:
        """Continues an answer that was cut, in its place. Returns its message."""
        cut = self._conversations.message(owner, message_id)
        model = self.model(owner, asking.model_id, asking.settings)
        return self._answer(owner, model, self._question_of(owner, cut), asking, continued=cut, manner=manner)

    def request_of(self, owner: str, message_id: str) -> ChatRequest:
        """What an answer was asked with, whole. Where a message above it was edited since, as it would be asked now.

        Raises `NotThere` for what is no answer, or for one whose request this version cannot read.
        """
        answer = self._conversations.message(owner, message_id)
        if answer.request is None or answer.parent_id is None:
            raise NotThere(what=N_("request"))
        kept = answer.request.messages
        system, begun = (kept[:-1], kept[-1:]) if answer.request.continue_last else (kept, ())
        path = self._conversations.path_to(owner, answer.parent_id)
        return msgspec.structs.replace(answer.request, messages=(*system, *_said(path), *begun))

    def before(self, owner: str, message_id: str | None, asking: Asking) -> ChatRequest:
        """What a question below this message (None: a first question) would be added to: its request without it."""
        path = self._conversations.path_to(owner, message_id) if message_id is not None else ()
        return _request(path, asking)

    def model(self, owner: str, model_id: str | None, settings: ModelSettings) -> ChatModel:
        """The model of that id as this owner reaches it. Raises `ModelNotFound` or `ModelFileInvalid`, for one."""
        return self._model(owner, model_id, settings)

    def running(self, message: StoredMessage) -> Answer | None:
        """The answer that is writing this message, or has just written it; None when there is none."""
        return self._answers.get(message.answer_id) if message.answer_id else None

    def stop(self, owner: str, conversation_id: str) -> None:
        """Ends the answer at the end of a conversation, if it is still coming, and waits until it is kept."""
        for newest in self._conversations.messages(owner, conversation_id, last=1):
            running = self.running(newest)
            if running is not None and not running.ended:
                running.stop()
                running.wait(timeout=STOP_LIMIT_S)

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
        *,
        continued: StoredMessage | None = None,
        begin_with: str = "",
        manner: Manner = ALONE,
    ) -> StoredMessage:
        so_far = continued.content if continued else begin_with
        request = _request(self._conversations.path_to(owner, question.id), asking, so_far)
        message = self._conversations.begin_answer(
            owner,
            question.conversation_id,
            parent_id=question.id,
            model_id=model.info.id,
            model_name=model.info.name,
            request=request,
            continue_from=continued,
            begin_with=begin_with,
        )
        keeper = _Keeper(self._conversations, self._runs, owner, message, self._kind)
        model = manner.wrap(model, message) if manner.wrap else model
        answer = self._answers.start(model, request, keeper=keeper, text_so_far=so_far, audience=manner.audience)
        self._conversations.attach(message.id, answer.id)
        return self._conversations.message(owner, message.id)


class _Keeper:
    """Writes one answer to its message as it comes, and its figures to the runs when it ends."""

    def __init__(self, conversations: Conversations, runs: Runs, owner: str, message: StoredMessage, kind: str) -> None:
        self._conversations = conversations
        self._runs = runs
        self._owner = owner
        self._message = message
        self._kind = kind
        self._model_id = message.model_id or ""

    def append(self, text: str, *, reasoning: bool = False) -> None:
        self._conversations.append(self._message.id, text, reasoning=reasoning)

    def set_routed(self, routed: Routed) -> None:
        self._model_id = routed.model_id
        self._conversations.set_routed(self._message.id, routed)

    def set_trimmed(self, trimmed: Trimmed) -> None:
        self._conversations.set_trimmed(self._message.id, trimmed)

    def add_tool_call(self, call: ToolCall) -> None:
        self._conversations.add_tool_call(self._message.id, call)

    def finish(self, finished: Finished, *, status: Status) -> None:
        self._conversations.finish(self._message.id, finished, status=status)
        self._runs.add(self._owner, kind=self._kind, model_id=self._model_id, figures=finished)

    def fail(self, error: WorkbenchError) -> None:
        self._conversations.fail(self._message.id, error)


def asking_to_settings(asking: Asking) -> dict[str, object]:
    """What is kept with a conversation, so that it opens as it was left."""
    kept = msgspec.to_builtins(asking, str_keys=True)
    return {name: value for name, value in kept.items() if name not in ("model_id", "system_prompt")}


def asking_of(conversation: Conversation) -> Asking:
    """How a conversation was last asked; what another version wrote and this one cannot read is left at its default."""
    plain = {"model_id": conversation.model_id, "system_prompt": conversation.system_prompt}
    try:
        return msgspec.convert({**conversation.settings, **plain}, Asking, str_keys=True)
    except msgspec.ValidationError:
        return Asking(model_id=conversation.model_id, system_prompt=conversation.system_prompt)


def asked_with(conversation: Conversation, answer: StoredMessage) -> Asking:
    """How one answer of a conversation was asked, whoever a route had chosen; what is not kept of it is as the
    conversation is."""
    now = asking_of(conversation)
    model_id = answer.model_id or now.model_id
    same = model_id == (now.model_id or EMBEDDED_ID)
    kept: dict[str, Any] = {"model_id": model_id, "settings": now.settings if same else ModelSettings()}
    if answer.request is not None:
        system = next((message.content for message in answer.request.messages if message.role == "system"), "")
        names = ("sampling", "max_tokens", "stop", "grammar", "json_schema", "overflow")
        kept |= {name: getattr(answer.request, name) for name in names} | {"system_prompt": system}
    return msgspec.structs.replace(now, **kept)


def _request(path: Sequence[StoredMessage], asking: Asking, so_far: str = "") -> ChatRequest:
    """A path asked so. `so_far`: what the answer already says."""
    system = [Message("system", asking.system_prompt)] if asking.system_prompt.strip() else []
    # With nothing said yet there is nothing to continue, and the last message is the question.
    begun = [Message("assistant", so_far)] if so_far else []
    return ChatRequest(
        messages=(*system, *_said(path), *begun),
        sampling=asking.sampling,
        max_tokens=asking.max_tokens,
        stop=asking.stop,
        grammar=asking.grammar,
        json_schema=asking.json_schema,
        overflow=asking.overflow,
        continue_last=bool(begun),
    )


def _said(path: Sequence[StoredMessage]) -> list[Message]:
    """A path as a model is given it. An answer that failed before its first word is no turn of the conversation."""
    return [Message(m.role, composed(m.content, m.attachments)) for m in path if m.content or m.role != "assistant"]
