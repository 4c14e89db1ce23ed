"""A blind duel as values: what was agreed when it was drawn, what was said, and what a vote on it holds.

Reads comparisons and messages; asks nobody and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core import energy
from core.arena import labels
from core.arena.comparing import Comparison, Kind, Pane
from core.arena.votes import Pairing, Side, Vote
from core.classroom.ballots import Paper
from core.errors import VoteTooEarly
from core.messages import Message
from core.models.base import ModelInfo
from core.store.records import StoredMessage

KIND: Kind = "duel"

Said = tuple[Sequence[StoredMessage], Sequence[StoredMessage]]
"""The messages of both panes, left and right."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a duel keeps with its comparison.

    `order`: the panes in the order in which they are asked. `infos`: of the left and the right model, as they were
    then. `even_pace`: both are shown at one speed. `category`, `language`: of the first question, None unknown.
    `revealed`: who answered was shown without a vote of the person's own.
    """

    pairing: Pairing
    order: tuple[int, int]
    infos: tuple[ModelInfo, ModelInfo]
    even_pace: bool = True
    category: str | None = None
    language: str | None = None
    revealed: bool = False


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its two answers; None where there is none."""

    question: StoredMessage
    a: StoredMessage | None
    b: StoredMessage | None

    @property
    def answers(self) -> tuple[StoredMessage | None, StoredMessage | None]:
        """Left and right."""
        return self.a, self.b

    @property
    def ended(self) -> bool:
        """Whether neither is still being written, or waited for."""
        return not any(answer is not None and answer.status == "streaming" for answer in self.answers)

    @property
    def silent(self) -> tuple[int, ...]:
        """The panes whose answer has ended without a word, or never began: a killed server leaves such a one."""
        return tuple(number for number, answer in enumerate(self.answers, 1) if _silent(answer))


class Duel(msgspec.Struct, frozen=True, kw_only=True):
    """A duel as it stands. `vote`: the person's own, None until it is cast."""

    comparison: Comparison
    terms: Terms
    exchanges: tuple[Exchange, ...]
    vote: Vote | None = None

    @property
    def id(self) -> str:
        return self.comparison.id

    @property
    def over(self) -> bool:
        """Whether who answered may be seen; nobody votes or asks any more then."""
        return self.vote is not None or self.terms.revealed

    @property
    def newest(self) -> Exchange | None:
        """The question that is being answered, or was last."""
        return self.exchanges[-1] if self.exchanges else None

    @property
    def ready(self) -> bool:
        """Whether there are two answers to vote on: both ended, and both with words."""
        return self.newest is not None and self.newest.ended and not self.newest.silent

    @property
    def panes(self) -> tuple[Pane, Pane]:
        """Left and right."""
        left, right = sorted(self.comparison.panes, key=lambda pane: pane.number)
        return left, right

    @property
    def names(self) -> tuple[str, str]:
        """Left and right, as they stand in a ranking."""
        left, right = (
            labels.ranked(pane.asking, info) for pane, info in zip(self.panes, self.terms.infos, strict=True)
        )
        return left, right


def exchanges(left: Sequence[StoredMessage], right: Sequence[StoredMessage]) -> tuple[Exchange, ...]:
    """Both panes' messages, question by question."""
    both = zip(_answered(left), _answered(right), strict=False)  # both are asked at once, or neither is
    return tuple(Exchange(question=question, a=a, b=b) for (question, a), (_, b) in both)


def paper(duel: Duel, said: Said) -> Paper:
    """All of a vote but who votes how. Raises `VoteTooEarly`."""
    if not duel.ready:
        raise VoteTooEarly()
    left, right = (
        _side(pane, info, messages) for pane, info, messages in zip(duel.panes, duel.terms.infos, said, strict=True)
    )
    return Paper(
        a=left,
        b=right,
        duel_id=duel.id,
        turn=len(duel.exchanges),
        pairing=duel.terms.pairing,
        category=duel.terms.category,
        language=duel.terms.language,
        even_pace=duel.terms.even_pace,
    )


def _silent(answer: StoredMessage | None) -> bool:
    return answer is None or (answer.status != "streaming" and not answer.content.strip())


def _answered(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, StoredMessage | None]]:
    found: list[tuple[StoredMessage, StoredMessage | None]] = []
    for message in messages:
        if message.role == "user":
            found.append((message, None))
        elif found:
            found[-1] = (found[-1][0], message)
    return found


def _side(pane: Pane, info: ModelInfo, messages: Sequence[StoredMessage]) -> Side:
    finished = messages[-1].finished
    return Side(
        label=labels.ranked(pane.asking, info),
        model_id=info.id,
        model_name=info.name,
        provider=info.provider,
        local=info.local,
        quantization=info.quantization,
        parameters=info.parameters,
        size_bytes=info.size_bytes,
        system_prompt=pane.asking.system_prompt,
        temperature=pane.asking.sampling.temperature,
        conversation=tuple(Message(one.role, one.content) for one in messages if one.content or one.role == "user"),
        finished=finished,
        energy=energy.of(info, finished) if finished is not None else None,
    )
