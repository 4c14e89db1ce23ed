"""Blind duels: two answers, and nobody sees whose they are until the vote is kept.

A duel is a comparison of two panes: number 1 stands on the left and is A, number 2 is B. Chance decides who stands
where and who is asked first; both are kept. A duel has one vote: with it, or when it is revealed without one, the duel
is over and takes neither questions nor votes. A question asked before that is another turn, and the vote says after
which turn it came. Knows no page. Every method that takes an owner raises `NotThere` for another owner's duel.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from core.answers import Answer, Answers
from core.arena import blind, pace, pairing
from core.arena.blind import KIND, Duel, Terms
from core.arena.comparing import Comparing, Comparison, Summary, Timing
from core.arena.language import language_of
from core.arena.votes import BAD_REASONS, GOOD_REASONS, Choice, Pairing, Vote
from core.chat import Asking
from core.classroom.ballots import Paper
from core.errors import N_, DuelOver, EmptyPrompt, NotThere, PairAlike, RouteInDuel
from core.messages import ChatRequest
from core.models import tasks
from core.models.base import ChatModel, ModelInfo
from core.models.catalog import Catalog
from core.models.local.model_settings import ModelSettings
from core.models.remote.connections import Connections
from core.models.remote.endpoint import whereabouts
from core.models.routes import is_route
from core.store.conversations import Conversations
from core.store.records import StoredMessage
from core.store.votes import Votes

LONGEST_ANSWER = 2000
"""Tokens, where nothing else is asked for: nobody sees an answer come, so nobody stops one that goes on for ever. Some
models think for more than a thousand before their first word."""

LONGEST_COMMENT = 2000
"""Characters."""

REMEMBERED = 2000
"""The newest votes, by which pairs are drawn that have met seldom."""

SHOWINGS = 100
"""Duels whose showing is remembered; an older one is shown anew."""

Showing = tuple[Answer, Answer]


class Duels:
    """The duels of all owners. Thread-safe.

    models: those that an owner may ask. describe: gives an owner what is known of a model by its id (None: the embedded
    one), or raises. chance: the system's, unless a test brings its own.
    """

    def __init__(
        self,
        comparing: Comparing,
        conversations: Conversations,
        votes: Votes,
        answers: Answers,
        models: Callable[[str], Sequence[ModelInfo]],
        describe: Callable[[str], Callable[[str | None], ModelInfo]],
        *,
        chance: random.Random | None = None,
    ) -> None:
        self._comparing = comparing
        self._conversations = conversations
        self._votes = votes
        self._answers = answers
        self._models = models
        self._describe = describe
        self._chance = chance or random.SystemRandom()
        self._lock = threading.Lock()
        self._showings: dict[tuple[str, str], Showing] = {}

    def models(self, owner: str) -> list[ModelInfo]:
        """The models that can be drawn."""
        return pairing.drawable(self._models(owner))

    def start(
        self,
        owner: str,
        question: str,
        *,
        pairing: Pairing = "random",
        chosen: tuple[Asking, Asking] | None = None,
        among: Sequence[str] = (),
        asking: Asking | None = None,
        timing: Timing = "alone",
        even_pace: bool = True,
        category: str | None = None,
    ) -> Comparison:
        """Draws two models and asks both.

        chosen: the two, where the pairing is "chosen". Else two are drawn among the models of these ids, of all where
        none are given, and asked as `asking` says but for its model. category: None finds it by the question's words.
        Raises an `ArenaError` where there is no such pair, `EmptyPrompt`, or what `Comparing.create` raises.
        """
        if not question.strip():
            raise EmptyPrompt()
        askings = chosen or self._drawn(owner, pairing, among, asking or Asking(max_tokens=LONGEST_ANSWER))
        if askings[0] == askings[1]:
            raise PairAlike()
        infos = tuple(self._info(owner, one.model_id) for one in askings)
        left, right = self._chance.sample([0, 1], 2)
        terms = Terms(
            pairing=pairing,
            order=self._chance.choice([(1, 2), (2, 1)]),
            infos=(infos[left], infos[right]),
            even_pace=even_pace,
            category=category or tasks.task(question),
            language=language_of(question),
        )
        panes = [askings[left], askings[right]]
        made = self._comparing.create(owner, panes, kind=KIND, timing=timing, spec=msgspec.to_builtins(terms))
        self._comparing.ask(owner, made.id, question)
        return made

    def get(self, owner: str, id: str) -> Duel:
        """The duel as it stands."""
        return self._read(owner, id)[0]

    def list(self, owner: str, *, limit: int = 50) -> Sequence[Summary]:
        """Newest first."""
        return self._comparing.list(owner, kind=KIND, limit=limit)

    def ask(self, owner: str, id: str, question: str) -> None:
        """Asks both something more. Raises `DuelOver`."""
        if self.get(owner, id).over:
            raise DuelOver()
        self._comparing.ask(owner, id, question)

    def try_again(self, owner: str, id: str) -> None:
        """Asks those once more whose newest answer has no words."""
        duel = self.get(owner, id)
        for number in duel.newest.silent if duel.newest else ():
            self._comparing.regenerate(owner, id, number)

    def stop(self, owner: str, id: str) -> None:
        """Stops both answers; what has come is kept, and can be voted on."""
        self.get(owner, id)
        self._comparing.stop(owner, id)

    def words_so_far(self, owner: str, id: str) -> int:
        """Of both newest answers together, and counts as following them."""
        texts = []
        for answer in self._comparing.answers(owner, id):
            if answer is not None:
                answer.since()
                texts.append(answer.text)
        return sum(len(text.split()) for text in texts)

    def showing(self, owner: str, id: str) -> Showing | None:
        """The newest two answers as they are shown (see core/arena/pace.py), the same for all who look.

        None where there is nothing to show: at an even pace both are written first, and what ended before this server
        was started is read and not watched.
        """
        duel = self.get(owner, id)
        newest = duel.newest
        if newest is None or newest.a is None or newest.b is None:
            return None
        if duel.terms.even_pace and not duel.ready:
            return None
        key = (newest.a.id, newest.b.id)
        with self._lock:
            if key not in self._showings:
                models = self._shown(duel, newest.a, newest.b)
                if not models:
                    return None
                left, right = (self._answers.start(model, ChatRequest()) for model in models)
                self._showings[key] = (left, right)
                for oldest in [*self._showings][:-SHOWINGS]:
                    del self._showings[oldest]
            return self._showings[key]

    def paper(self, owner: str, id: str) -> Paper:
        """All of a vote but who votes how. Raises `VoteTooEarly`, or `DuelOver`."""
        duel, said = self._read(owner, id)
        if duel.over:
            raise DuelOver()
        return blind.paper(duel, said)

    def vote(self, owner: str, id: str, choice: Choice) -> Vote:
        """Keeps the person's vote; who answered may be shown from then on. Raises `VoteTooEarly`, or `DuelOver`."""
        fields = msgspec.structs.asdict(self.paper(owner, id))
        vote = Vote(id=id, at=time.time(), choice=choice, source="duel", voter=_voter(owner), **fields)
        # Two windows may vote at once: the database takes one.
        if not self._votes.add(owner, vote):
            raise DuelOver()
        return vote

    def explain(
        self,
        owner: str,
        vote_id: str,
        *,
        reasons_a: Sequence[str] = (),
        reasons_b: Sequence[str] = (),
        comment: str = "",
    ) -> Vote:
        """Says why, after the vote; replaces what was said before. Reasons that nobody knows are left out."""
        vote = self._votes.get(owner, vote_id)
        explained = msgspec.structs.replace(
            vote,
            a=msgspec.structs.replace(vote.a, reasons=_known(reasons_a)),
            b=msgspec.structs.replace(vote.b, reasons=_known(reasons_b)),
            comment=comment.strip()[:LONGEST_COMMENT],
        )
        self._votes.replace(owner, explained)
        return explained

    def reveal(self, owner: str, id: str) -> None:
        """Ends the duel without a vote of the person's own."""
        duel = self.get(owner, id)
        spec = msgspec.to_builtins(msgspec.structs.replace(duel.terms, revealed=True))
        self._comparing.set_spec(owner, id, spec)

    def revealed(self, owner: str, id: str) -> bool:
        """Whether who answered may be shown."""
        return self.get(owner, id).over

    def delete(self, owner: str, id: str) -> None:
        """Deletes it; its vote stays."""
        self.get(owner, id)
        self._comparing.delete(owner, id)

    def _drawn(self, owner: str, mode: Pairing, among: Sequence[str], asking: Asking) -> tuple[Asking, Asking]:
        models = [one for one in self.models(owner) if not among or one.id in among]
        met = pairing.met(self._votes.list(owner, limit=REMEMBERED))
        one, other = pairing.pair(models, mode, chance=self._chance, met=met)
        return (
            msgspec.structs.replace(asking, model_id=one.id, settings=ModelSettings()),
            msgspec.structs.replace(asking, model_id=other.id, settings=ModelSettings()),
        )

    def _info(self, owner: str, model_id: str | None) -> ModelInfo:
        if model_id is not None and is_route(model_id):
            raise RouteInDuel()
        return self._describe(owner)(model_id)

    def _read(self, owner: str, id: str) -> tuple[Duel, blind.Said]:
        comparison = self._comparing.get(owner, id)
        terms = _terms(comparison)
        vote = None
        with suppress(NotThere):
            vote = self._votes.get(owner, id)
        left, right = (self._conversations.messages(owner, pane.conversation.id) for pane in comparison.panes)
        duel = Duel(comparison=comparison, terms=terms, exchanges=blind.exchanges(left, right), vote=vote)
        return duel, (left, right)

    def _shown(self, duel: Duel, a: StoredMessage, b: StoredMessage) -> tuple[ChatModel, ...]:
        if duel.terms.even_pace:
            return pace.even([a.content, b.content])
        written = [answer for answer in self._comparing.answers(duel.comparison.owner, duel.id) if answer is not None]
        return pace.as_written(written) if len(written) == 2 else ()


def reachable(catalog: Catalog, connections: Connections, owner: str) -> list[ModelInfo]:
    """The models that an owner may ask: on this machine and, unless *local only* is on, of the connected endpoints."""
    remote = [info for one in connections.list(owner) for info in one.models]
    if connections.local_only(owner):
        remote = [info for info in remote if whereabouts(info.id) == "machine"]
    return [*catalog.models(), *remote]


def _terms(comparison: Comparison) -> Terms:
    """Raises `NotThere` for what is no duel, or one that this version cannot read."""
    if comparison.kind != KIND:
        raise NotThere(what=N_("duel"))
    try:
        return msgspec.convert(comparison.spec, Terms)
    except msgspec.ValidationError as exc:
        raise NotThere(what=N_("duel")) from exc


def _known(reasons: Sequence[str]) -> tuple[str, ...]:
    return tuple(reason for reason in GOOD_REASONS + BAD_REASONS if reason in reasons)


def _voter(owner: str) -> str:
    """The same for one owner always; the owner's own name is a key to their conversations, and is in no vote."""
    return "voter-" + hashlib.sha256(owner.encode()).hexdigest()[:8]
