"""What each policy for a full context leaves out, and how much room it leaves for the answer. Counts no tokens."""

from __future__ import annotations

from collections.abc import Sequence

from core.messages import ChatRequest, Message, Overflow

ANSWER_SHARE = 4
"""A policy that drops something leaves at least this part of the context (1/4) free for the answer."""


def prompt_limit(request: ChatRequest, context_length: int) -> int:
    """The most tokens that a prompt may have before its policy acts."""
    if request.overflow == "stop":
        return context_length - 1
    share = context_length // ANSWER_SHARE
    return context_length - max(1, min(request.max_tokens or share, share))


def drop_order(messages: Sequence[Message], policy: Overflow, *, continue_last: bool = False) -> list[int]:
    """Indices in the order in which they may be left out; never the system prompt nor the last question."""
    questions = [i for i, m in enumerate(messages) if m.role == "user"]
    last = questions[-1] if questions else len(messages) - 1 - continue_last
    middle = [i for i in range(last) if messages[i].role != "system"]
    if policy == "rolling" or len(questions) < 2:
        return middle
    first = [i for i in middle if i < questions[1]]
    return [i for i in middle if i not in first] + first
