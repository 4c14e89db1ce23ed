"""What a class votes on and what it says, as frozen values. Knows no network, no store and no page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from core.arena.votes import Choice, Pairing, Side, Vote
from core.errors import N_

Reason = Literal["useful", "complete", "creative", "clear", "wrong", "superficial", "off_instruction"]

CHOICES: dict[Choice, str] = {
    "a": N_("A is better"),
    "b": N_("B is better"),
    "tie": N_("Tie"),
    "both_bad": N_("Both are bad"),
}
REASON_NAMES: dict[Reason, str] = {
    "useful": N_("Useful"),
    "complete": N_("Complete"),
    "creative": N_("Creative"),
    "clear": N_("Clear"),
    "wrong": N_("Wrong"),
    "superficial": N_("Superficial"),
    "off_instruction": N_("Off instruction"),
}
"""What both are called, in the order they are offered; good reasons before bad ones."""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """What is voted on: two answers, as the votes will have them. `a` stands on the left, for everybody alike, so that
    a class can talk about it. The other fields are those of `Vote`."""

    a: Side
    b: Side
    duel_id: str = ""
    turn: int = 1
    pairing: Pairing | None = None
    category: str | None = None
    language: str | None = None
    even_pace: bool = False

    @property
    def question(self) -> str:
        """What both were asked last."""
        return next((m.content for m in reversed(self.a.conversation) if m.role == "user"), "")


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """What one device says."""

    choice: Choice
    reasons_a: tuple[Reason, ...] = ()
    reasons_b: tuple[Reason, ...] = ()


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many ballots there are for each choice."""

    a: int = 0
    b: int = 0
    tie: int = 0
    both_bad: int = 0

    @property
    def total(self) -> int:
        return self.a + self.b + self.tie + self.both_bad

    def of(self, choice: Choice) -> int:
        """The ballots for one choice."""
        return int(getattr(self, choice))


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """A vote of a class. `host`: address and port that its phones ask; times are seconds since 1970, UTC.

    `closes_at`: when it closes by itself. `closed_at`: None while it is open.
    """

    id: str
    owner: str
    comparison_id: str | None
    opened_at: float
    closes_at: float
    closed_at: float | None = None
    code: str
    host: str
    paper: Paper

    @property
    def open(self) -> bool:
        return self.closed_at is None

    @property
    def url(self) -> str:
        """What phones open; on the QR code."""
        return f"http://{self.host}/{self.code}"


def tally(ballots: Iterable[Ballot]) -> Tally:
    """The ballots, counted."""
    counts = {"a": 0, "b": 0, "tie": 0, "both_bad": 0}
    for ballot in ballots:
        counts[ballot.choice] += 1
    return Tally(**counts)


def to_vote(poll: Poll, device: str, ballot: Ballot, at: float) -> Vote:
    """The vote that a ballot becomes. One device's ballot in one poll always has the same id."""
    paper = poll.paper
    return Vote(
        id=hashlib.sha256(f"{poll.id}/{device}".encode()).hexdigest()[:32],
        at=at,
        choice=ballot.choice,
        a=msgspec.structs.replace(paper.a, reasons=ballot.reasons_a),
        b=msgspec.structs.replace(paper.b, reasons=ballot.reasons_b),
        source="classroom",
        voter=f"device-{device}",
        duel_id=paper.duel_id,
        turn=paper.turn,
        pairing=paper.pairing,
        category=paper.category,
        language=paper.language,
        even_pace=paper.even_pace,
    )
