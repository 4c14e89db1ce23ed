"""Who talks in these tests, and how they wait for an answer."""

from __future__ import annotations

from core.answers import Answer
from core.chat import Chat
from core.store.records import StoredMessage
from core.workbench import Workbench

ANA, BEN = "ana", "ben"


def running(chat: Chat, message: StoredMessage) -> Answer:
    """The answer that is writing this message."""
    answer = chat.running(message)
    assert answer is not None
    return answer


def ended(workbench: Workbench, message: StoredMessage) -> StoredMessage:
    """Ana's message once its answer has ended."""
    assert running(workbench.chat, message).wait(90)
    return workbench.conversations.message(ANA, message.id)
