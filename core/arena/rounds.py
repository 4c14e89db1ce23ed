"""The panes of a comparison put side by side: one round a question, the answers of all panes to it. Pure values."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.store.records import StoredMessage


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One question and each pane's answer to it, in the order of the panes; None where a pane has none.

    `shared`: all answers are one and the same, taken over from before the panes went ways of their own.
    """

    question: StoredMessage
    answers: tuple[StoredMessage | None, ...]
    shared: bool


def rounds(paths: Sequence[Sequence[StoredMessage]]) -> list[Round]:
    """The rounds of panes whose conversations these are, oldest first.

    A pane that came later may begin with a part of another's; questions that say the same, counted from the newest,
    are one question.
    """
    exchanges = [_exchanges(path) for path in paths]
    found = []
    while any(exchanges):
        question = max((one[-1][0] for one in exchanges if one), key=lambda message: message.created_at)
        row = [one.pop() if one and one[-1][0].content == question.content else None for one in exchanges]
        answers = tuple(exchange[1] if exchange else None for exchange in row)
        found.append(Round(question=question, answers=answers, shared=_shared(answers)))
    return found[::-1]


def _exchanges(path: Sequence[StoredMessage]) -> list[tuple[StoredMessage, StoredMessage | None]]:
    """Each question with its answer, None where the next question follows, or nothing."""
    after = [*path[1:], None]
    return [
        (message, follower if follower is not None and follower.role == "assistant" else None)
        for message, follower in zip(path, after, strict=False)
        if message.role == "user"
    ]


def _shared(answers: Sequence[StoredMessage | None]) -> bool:
    kept = {(one.content, one.created_at, one.model_id) if one else None for one in answers}
    return len(answers) > 1 and len(kept) == 1 and None not in kept
