"""Conversations with documents: each answer is an ordinary one of core/chat.py, given what was found for its question.

What was found is kept beside the answer's message. The collection and how it is asked are kept with the conversation.
Every method that takes an owner raises `NotThere` for another owner's conversation or collection. Knows no page.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from core.chat import Asking, Chat, Manner, asking_to_settings
from core.errors import EmptyPrompt, NotThere
from core.models.base import ChatModel
from core.rag import answer, rerank, words
from core.rag.finding import Finding
from core.rag.grounding import Grounding, How
from core.rag.rerank import Reranker
from core.rag.retrieve import Searcher
from core.store.conversations import Conversations
from core.store.groundings import Groundings
from core.store.records import Conversation, StoredMessage

DOCUMENTS = "documents"
"""Among a conversation's settings: the collection, and how it is asked."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation keeps of its documents."""

    collection_id: str
    how: How = How()


class DocumentChat:
    """Asks documents, in conversations. Thread-safe."""

    def __init__(self, conversations: Conversations, chat: Chat, finding: Finding, groundings: Groundings) -> None:
        self._conversations = conversations
        self._chat = chat
        self._finding = finding
        self.groundings = groundings

    def ask(
        self,
        owner: str,
        conversation_id: str | None,
        question: str,
        asking: Asking,
        *,
        collection_id: str,
        how: How,
        parent_id: str | None = None,
    ) -> StoredMessage:
        """Adds a question and starts its answer; with None, in a new conversation. Returns the answer's message.

        parent_id: the message it follows; None: the newest. Raises `EmptyPrompt`, or what `Chat.ask` raises.
        """
        if not question.strip():
            raise EmptyPrompt()
        self._chat.model(owner, asking.model_id, asking.settings)
        conversation = self._conversation(owner, conversation_id, asking, Kept(collection_id=collection_id, how=how))
        parent = parent_id or conversation.leaf_id
        added = self._conversations.add_question(owner, conversation.id, question, parent_id=parent)
        return self._answer(owner, added, asking, collection_id, how)

    def regenerate(self, owner: str, message_id: str, asking: Asking, *, collection_id: str, how: How) -> StoredMessage:
        """Answers the question of an answer once more, beside it, searching anew."""
        old = self._conversations.message(owner, message_id)
        if old.role != "assistant" or old.parent_id is None:
            raise NotThere(what="message")
        question = self._conversations.message(owner, old.parent_id)
        return self._answer(owner, question, asking, collection_id, how)

    def go_on(self, owner: str, message_id: str, asking: Asking, *, collection_id: str, how: How) -> StoredMessage:
        """Continues an answer that was cut, in its place, with the passages that its question finds."""
        cut = self._conversations.message(owner, message_id)
        if cut.parent_id is None:
            raise NotThere(what="message")
        question = self._conversations.message(owner, cut.parent_id)
        return self._chat.go_on(owner, cut.id, asking, manner=self._manner(owner, question, collection_id, how))

    def grounding(self, owner: str, message_id: str) -> Grounding:
        """What an answer was given. Raises `NotThere` for one without documents."""
        return self.groundings.get(owner, message_id)

    def model(
        self,
        owner: str,
        model: ChatModel,
        collection_id: str,
        how: How,
        told: Callable[[Grounding], None],
        *,
        french: bool,
    ) -> ChatModel:
        """`model` with the documents of a collection, for whatever asks one."""
        reranker: Callable[[], Reranker] | None = partial(rerank.opened, Path(how.reranker)) if how.reranker else None
        searcher: Callable[[], Searcher] = partial(self._finding.searcher, owner, collection_id)
        found = answer.ground(searcher, model, how, collection_id=collection_id, french=french, reranker=reranker)
        return answer.Grounded(model, found, told)

    def _answer(
        self, owner: str, question: StoredMessage, asking: Asking, collection_id: str, how: How
    ) -> StoredMessage:
        manner = self._manner(owner, question, collection_id, how)
        return self._chat.answer(owner, question.id, asking, manner=manner)

    def _manner(self, owner: str, question: StoredMessage, collection_id: str, how: How) -> Manner:
        """With the documents, in whatever model's answer."""
        french = words.language(question.content) == "fr"

        def wrap(model: ChatModel, message: StoredMessage) -> ChatModel:
            told = partial(self.groundings.put, owner, message.id)
            return self.model(owner, model, collection_id, how, told, french=french)

        return Manner(wrap)

    def _conversation(self, owner: str, id: str | None, asking: Asking, kept: Kept) -> Conversation:
        settings: dict[str, Any] = {**asking_to_settings(asking), DOCUMENTS: msgspec.to_builtins(kept)}
        if id is None:
            return self._conversations.create(
                owner, model_id=asking.model_id, system_prompt=asking.system_prompt, settings=settings
            )
        self._conversations.update(
            owner, id, model_id=asking.model_id, system_prompt=asking.system_prompt, settings=settings
        )
        return self._conversations.get(owner, id)


def kept_of(conversation: Conversation) -> Kept | None:
    """The collection that a conversation asks, and how; None where it asks none."""
    try:
        return msgspec.convert(conversation.settings[DOCUMENTS], Kept)
    except (KeyError, msgspec.ValidationError):
        return None
