"""The selected path of a whole conversation, and words of it."""

from __future__ import annotations

from collections.abc import Sequence

from core.store import records
from core.store.records import StoredMessage
from core.store.restoring import WholeConversation


def selected(conversation: WholeConversation) -> list[StoredMessage]:
    """The messages from the root to the leaf; empty where there is none."""
    by_id = {message.id: message for message in conversation.messages}
    path: list[StoredMessage] = []
    id = conversation.leaf_id
    while id in by_id and len(path) < len(by_id):
        path.append(by_id[id])
        id = by_id[id].parent_id
    return path[::-1]


def first_words(messages: Sequence[StoredMessage]) -> str:
    """A title out of the first question; empty where there is none."""
    return next((records.title_of(message.content) for message in messages if message.role == "user"), "")
