"""One question to several models, each in a pane that is a conversation. Joins the store, the turns and Chat.

Timed *alone*, the panes answer one after another, and nothing else that is timed alone runs beside them; *together*,
they answer at once, those on this machine in one place of the line. A pane fails by itself: its answer says why and can
be asked again, the others go on. Whoever follows one pane follows all: none is left alone while it waits for another.

Every method that takes an owner raises `NotThere` for another owner's comparison, or for a pane that it has not. Knows
no page.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import msgspec

from core.answers import Answer, Answers
from core.arena.labels import labels
from core.attachments import Attachment
from core.audience import Audience
from core.chat import STOP_LIMIT_S, Asking, Chat, Manner, asked_with, asking_of, asking_to_settings
from core.errors import N_, AnswerRunning, EmptyPrompt, NotThere, PanesOutOfRange, StoreError, WorkbenchError
from core.models.base import ChatModel, ModelInfo
from core.models.in_turn import InTurn, Ticket, Turns
from core.models.observed import Observed
from core.models.remote.endpoint import whereabouts
from core.models.unavailable import Unavailable, unknown
from core.store.comparisons import Comparisons, KeptComparison, Kind, NewPane, Summary, Timing
from core.store.conversations import Conversations
from core.store.records import Conversation, StoredMessage

__all__ = ["LEAST", "MOST", "Comparing", "Comparison", "Kind", "Pane", "Summary", "Timing"]

LEAST, MOST = 2, 6
"""Panes of a comparison."""

SETTLE_S = 0.5
"""Pause before a model of this machine that is timed alone: a page that is being drawn would take its cores."""


class Pane(msgspec.Struct, frozen=True):
    """One of the models, how it is asked, and what was said. `number` stays, whatever becomes of the others.

    `label`: tells it from the others.
    """

    number: int
    conversation: Conversation
    asking: Asking
    label: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Its panes stand in the order of their numbers. `timing`: how the next question is asked.

    `spec`: what its kind keeps beside; `order` in it, if it is there, are the numbers of the panes in the order in
    which they answer. `together`: ids of the answers that came at the same time as others, of this comparison or asked
    elsewhere on this machine: their figures are not those of a model alone.
    """

    id: str
    owner: str
    kind: Kind
    title: str
    created_at: float
    updated_at: float
    timing: Timing
    together: frozenset[str]
    spec: dict[str, Any]
    panes: tuple[Pane, ...]

    def pane(self, number: int) -> Pane:
        """The pane of this number. Raises `NotThere`."""
        for pane in self.panes:
            if pane.number == number:
                return pane
        raise NotThere(what=N_("pane"))


class Comparing:
    """The comparisons of one workbench. Thread-safe.

    chat: asks a pane; gives an `Unavailable` for a model that cannot be had. describing: for an owner, what tells what
    is known of a model by its id (None: the embedded one), or raises. busy: how many answers this machine's models are
    giving now, whoever asked.
    """

    def __init__(
        self,
        comparisons: Comparisons,
        conversations: Conversations,
        chat: Chat,
        answers: Answers,
        turns: Turns,
        describing: Callable[[str], Callable[[str | None], ModelInfo]],
        busy: Callable[[], int],
    ) -> None:
        self._comparisons = comparisons
        self._conversations = conversations
        self._chat = chat
        self._answers = answers
        self._turns = turns
        self._describing = describing
        self._busy = busy
        self._asking = threading.Lock()
        self._audiences: weakref.WeakValueDictionary[str, Audience] = weakref.WeakValueDictionary()

    def create(
        self,
        owner: str,
        askings: Sequence[Asking],
        *,
        kind: Kind = "side",
        timing: Timing = "alone",
        spec: Mapping[str, Any] | None = None,
    ) -> Comparison:
        """A new comparison, nothing asked yet. Raises `PanesOutOfRange`."""
        _check(len(askings))
        made = self._comparisons.create(owner, [_pane(one) for one in askings], kind=kind, timing=timing, spec=spec)
        return self._described(made)

    def from_answer(self, owner: str, message_id: str, others: Sequence[Asking] = ()) -> Comparison:
        """An answer of a conversation beside those of others to its question, with its history and its settings.

        Pane 1 has that answer, its figures included; the others are asked at once. Without any, pane 2 is a second one
        like it, whose question waits for `regenerate`. Raises `AnswerRunning`, or `PanesOutOfRange`.
        """
        answer = self._conversations.message(owner, message_id)
        if answer.role != "assistant" or answer.parent_id is None:
            raise NotThere(what=N_("answer"))
        if answer.status == "streaming":
            raise AnswerRunning()
        asked = asked_with(self._conversations.get(owner, answer.conversation_id), answer)
        path = tuple(self._conversations.path_to(owner, answer.id))
        beside = others or (asked,)
        _check(1 + len(beside))
        panes = [_pane(asked, path), *(_pane(one, path[:-1]) for one in beside)]
        id = self._comparisons.create(owner, panes).id
        comparison = self.get(owner, id)
        if others:
            self._answer(comparison, comparison.panes[1:])
        return self.get(owner, id)

    def get(self, owner: str, id: str) -> Comparison:
        """The comparison by this id."""
        return self._described(self._comparisons.get(owner, id))

    def list(self, owner: str, *, kind: Kind = "side", limit: int = 50) -> Sequence[Summary]:
        """Newest first, by the last question."""
        return self._comparisons.list(owner, kind=kind, limit=limit)

    def ask(
        self, owner: str, id: str, question: str, *, attachments: Sequence[Attachment] = ()
    ) -> tuple[StoredMessage, ...]:
        """Adds a question to every pane and starts its answers; returns their messages, one a pane.

        Raises `EmptyPrompt`, `AnswerRunning` while a pane is still answering, or `StoreUnavailable`.
        """
        if not question.strip() and not attachments:
            raise EmptyPrompt()
        with self._asking:
            if self.running(owner, id):
                raise AnswerRunning()
            self._comparisons.add_questions(owner, id, question, attachments=attachments)
            comparison = self.get(owner, id)
            return self._answer(comparison, comparison.panes)

    def regenerate(self, owner: str, id: str, number: int) -> StoredMessage:
        """Asks a pane's last question once more, as the pane is set now; one without an answer for the first time.

        Raises `AnswerRunning` while the pane is still answering.
        """
        with self._asking:
            comparison = self.get(owner, id)
            self._newest_ended(comparison, number)
            return self._answer(comparison, [comparison.pane(number)])[0]

    def go_on(self, owner: str, id: str, number: int) -> StoredMessage:
        """Continues a pane's answer that was cut, in its place. Raises `AnswerRunning` while it is still coming."""
        with self._asking:
            comparison = self.get(owner, id)
            cut = self._newest_ended(comparison, number)
            with self._manner(comparison) as manner:
                message = self._chat.go_on(owner, cut.id, comparison.pane(number).asking, manner=manner)
            self._note_together(comparison, [message])
            return message

    def stop(self, owner: str, id: str, number: int | None = None) -> None:
        """Ends the answer of a pane, or of all, and waits until what came is kept."""
        panes = self._comparisons.get(owner, id).panes
        wanted = [pane for pane in panes if number in (None, pane.pane)]
        if not wanted:
            raise NotThere(what=N_("pane"))
        running = [answer for pane in wanted if (answer := self._running(pane)) is not None and not answer.ended]
        # The last first: one whose turn it becomes is to find that it was stopped.
        for answer in reversed(running):
            answer.stop()
        for answer in running:
            answer.wait(timeout=STOP_LIMIT_S)

    def change(self, owner: str, id: str, number: int, asking: Asking) -> None:
        """How a pane is asked from now on."""
        self._conversations.update(
            owner,
            self.get(owner, id).pane(number).conversation.id,
            model_id=asking.model_id,
            system_prompt=asking.system_prompt,
            settings=asking_to_settings(asking),
        )

    def add(self, owner: str, id: str, asking: Asking) -> int:
        """One more pane, and its number. It begins with the first one's conversation up to the newest question, which
        waits for `regenerate`. Raises `PanesOutOfRange`."""
        comparison = self.get(owner, id)
        _check(len(comparison.panes) + 1)
        said = self._conversations.messages(owner, comparison.panes[0].conversation.id)
        newest = max((at for at, message in enumerate(said, start=1) if message.role == "user"), default=0)
        return self._comparisons.add_pane(owner, id, _pane(asking, said[:newest]))

    def remove(self, owner: str, id: str, number: int) -> None:
        """Stops a pane and deletes it; the others keep their numbers. Raises `PanesOutOfRange`."""
        comparison = self.get(owner, id)
        comparison.pane(number)
        _check(len(comparison.panes) - 1)
        self.stop(owner, id, number)
        self._comparisons.remove_pane(owner, id, number)

    def set_timing(self, owner: str, id: str, timing: Timing) -> None:
        """How questions are asked from now on."""
        self._comparisons.update(owner, id, timing=timing)

    def set_spec(self, owner: str, id: str, spec: Mapping[str, Any]) -> None:
        """What its kind keeps beside."""
        self._comparisons.update(owner, id, spec=dict(spec))

    def delete(self, owner: str, id: str) -> None:
        """Stops its answers and deletes it with all its panes; the votes on it stay."""
        self.stop(owner, id)
        self._comparisons.delete(owner, id)

    def running(self, owner: str, id: str) -> bool:
        """Whether a pane is still answering, or waits to."""
        return any(answer is not None and not answer.ended for answer in self.answers(owner, id))

    def answers(self, owner: str, id: str) -> tuple[Answer | None, ...]:
        """The answer that is writing each pane's newest message, or has just written it."""
        return tuple(self._running(pane) for pane in self._comparisons.get(owner, id).panes)

    def _described(self, kept: KeptComparison) -> Comparison:
        askings = [asking_of(pane) for pane in kept.panes]
        describe = self._describing(kept.owner)
        names = labels(askings, [_info(describe, one.model_id) for one in askings])
        panes = [
            Pane(pane.pane or 0, pane, asking, label)
            for pane, asking, label in zip(kept.panes, askings, names, strict=True)
        ]
        return Comparison(**{**msgspec.structs.asdict(kept), "panes": tuple(panes)})

    def _newest(self, pane: Conversation) -> StoredMessage | None:
        return next(iter(self._conversations.messages(pane.owner, pane.id, last=1)), None)

    def _running(self, pane: Conversation) -> Answer | None:
        newest = self._newest(pane)
        return self._chat.running(newest) if newest else None

    def _newest_ended(self, comparison: Comparison, number: int) -> StoredMessage:
        newest = self._newest(comparison.pane(number).conversation)
        if newest is None:
            raise NotThere(what=N_("message"))
        if newest.status == "streaming":
            raise AnswerRunning()
        return newest

    def _answer(self, comparison: Comparison, panes: Iterable[Pane]) -> tuple[StoredMessage, ...]:
        """Starts the answers of these panes to their last questions, in the order in which they are to come."""
        panes = tuple(panes)
        messages: dict[int, StoredMessage] = {}
        with self._manner(comparison) as manner:
            for pane in sorted(panes, key=lambda pane: _place(comparison, pane)):
                newest = self._newest(pane.conversation)
                assert newest is not None
                again = newest.role == "assistant"
                ask = self._chat.regenerate if again else self._chat.answer
                messages[pane.number] = ask(comparison.owner, newest.id, pane.asking, manner=manner)
        self._note_together(comparison, list(messages.values()))
        return tuple(messages[pane.number] for pane in panes)

    @contextmanager
    def _manner(self, comparison: Comparison) -> Iterator[Manner]:
        """How the answers run that are asked for in the block."""
        audience = self._audiences.setdefault(comparison.id, self._answers.audience())
        if comparison.timing == "alone":
            yield Manner(partial(self._alone, comparison), audience)
            return
        with self._turns.take() as place:
            yield Manner(partial(self._together, place), audience)

    def _alone(self, comparison: Comparison, model: ChatModel, message: StoredMessage) -> ChatModel:
        if isinstance(model, Unavailable):
            return model
        if not model.info.local:
            return InTurn(model, self._turns)
        watched = Observed(model, self._busy, partial(self._disturbed, comparison, message))
        return InTurn(watched, self._turns, settle_s=SETTLE_S)

    def _together(self, place: Ticket, model: ChatModel, message: StoredMessage) -> ChatModel:
        return InTurn(model, self._turns, place) if _is_here(model) else model

    def _disturbed(self, comparison: Comparison, message: StoredMessage) -> None:
        """Something that stands in no line ran beside it: a question on the Chat page, a program's."""
        with suppress(StoreError):
            self._comparisons.note_together(comparison.owner, comparison.id, [message.id])

    def _note_together(self, comparison: Comparison, messages: Sequence[StoredMessage]) -> None:
        """Which answers run at the same time: these, and those of other panes that were still coming."""
        if comparison.timing == "alone":
            return
        newest = (self._newest(pane.conversation) for pane in comparison.panes)
        coming = {message.id for message in newest if message is not None and message.status == "streaming"}
        together = coming | {message.id for message in messages}
        if len(together) > 1:
            self._comparisons.note_together(comparison.owner, comparison.id, sorted(together))


def _info(describe: Callable[[str | None], ModelInfo], model_id: str | None) -> ModelInfo:
    try:
        return describe(model_id)
    except WorkbenchError:
        return unknown(model_id)


def _check(panes: int) -> None:
    if not LEAST <= panes <= MOST:
        raise PanesOutOfRange(least=LEAST, most=MOST)


def _pane(asking: Asking, said: Sequence[StoredMessage] = ()) -> NewPane:
    settings = asking_to_settings(asking)
    return NewPane(model_id=asking.model_id, system_prompt=asking.system_prompt, settings=settings, said=tuple(said))


def _place(comparison: Comparison, pane: Pane) -> tuple[int, int]:
    """Sorts panes as their kind says, those it does not name last."""
    order = comparison.spec.get("order") or ()
    return (order.index(pane.number) if pane.number in order else len(order), pane.number)


def _is_here(model: ChatModel) -> bool:
    """Whether it takes this machine's time. What cannot be had takes nobody's."""
    info = model.info
    return not isinstance(model, Unavailable) and (info.local or whereabouts(info.id) == "machine")
