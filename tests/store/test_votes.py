"""Votes as they are kept: whole, each once, each its owner's; a hundred thousand of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.arena.votes import Side, Vote
from core.errors import NotThere
from core.events import Cost, Energy, Finished, Timings, Usage
from core.messages import Message
from core.store import votes as store
from core.store.database import Database
from core.store.votes import Votes

ANA, BEN = "ana", "ben"
END = Finished(
    "stop",
    Usage(prompt_tokens=4, generated_tokens=3, by_origin={"question": 4}),
    Timings(ttft_s=0.1, at=(0.1, 0.2)),
    Cost(amount=0.001, as_of="2025-01-01"),
    Energy(low=0.1, high=0.2, measured=False, method="m"),
)
A = Side(
    label="SmolLM2 Q4_1",
    model_id="a",
    local=True,
    conversation=(Message("user", "Où ?"), Message("assistant", "Là.\0")),
    finished=END,
    reasons=("useful",),
)
B = Side(label="GPT", local=False)


def vote(id: str, at: float = 1.0, **fields: Any) -> Vote:
    return Vote(id=id, at=at, **{"choice": "a", "a": A, "b": B, **fields})


@pytest.fixture
def votes(db: Database) -> Votes:
    return Votes(db)


def test_a_vote_comes_back_whole(votes: Votes) -> None:
    whole = vote("v", 3.5, choice="both_bad", pairing="small_big", category="code", language="fr", comment="Bof.")
    assert votes.add(ANA, whole)
    assert votes.list(ANA) == [whole] and votes.count(ANA) == 1


def test_sent_twice_it_counts_once_and_stays_as_it_was(votes: Votes) -> None:
    assert votes.add(ANA, vote("v"))
    assert not votes.add(ANA, vote("v", choice="b"))
    assert votes.list(ANA) == [vote("v")]
    assert votes.add(BEN, vote("v", choice="b")), "another's vote is another vote"
    assert votes.list(ANA) == [vote("v")] and votes.list(BEN) == [vote("v", choice="b")]


def test_reasons_and_a_comment_come_later(votes: Votes) -> None:
    votes.add(ANA, vote("v"))
    explained = msgspec.structs.replace(vote("v"), comment="Short.")
    votes.replace(ANA, explained)
    assert votes.list(ANA) == [explained] and votes.get(ANA, "v") == explained
    with pytest.raises(NotThere):
        votes.replace(ANA, vote("never"))
    assert votes.count(ANA) == 1


def test_newest_first_and_the_newest_n(votes: Votes) -> None:
    for number, at in enumerate((2.0, 3.0, 1.0, 3.0)):
        votes.add(ANA, vote(f"v{number}", at))
    assert [one.id for one in votes.list(ANA)] == ["v3", "v1", "v0", "v2"]
    assert [one.id for one in votes.list(ANA, limit=2)] == ["v3", "v1"]
    assert votes.list(ANA, limit=0) == []


def test_merging_adds_what_is_new(votes: Votes) -> None:
    votes.add(ANA, vote("v1"))
    coming = [vote("v1", choice="b"), vote("v2"), vote("v3"), vote("v3")]
    assert votes.merge(ANA, iter(coming)) == 2
    assert votes.merge(ANA, coming) == 0
    assert votes.merge(ANA, []) == 0
    assert {one.id: one.choice for one in votes.list(ANA)} == {"v1": "a", "v2": "a", "v3": "a"}


def test_a_vote_taken_back_is_gone(votes: Votes) -> None:
    votes.merge(ANA, [vote("v1"), vote("v2")])
    votes.delete(ANA, "v1")
    assert [one.id for one in votes.list(ANA)] == ["v2"]
    with pytest.raises(NotThere):
        votes.delete(ANA, "v1")


CALLS: dict[str, Callable[[Votes, str], Any]] = {
    "get": lambda v, owner: v.get(owner, "v"),
    "replace": lambda v, owner: v.replace(owner, vote("v", choice="b")),
    "delete": lambda v, owner: v.delete(owner, "v"),
}


@pytest.mark.parametrize("name", CALLS)
def test_another_owner_reads_and_changes_nothing(votes: Votes, name: str) -> None:
    votes.add(ANA, vote("v"))
    with pytest.raises(NotThere):
        CALLS[name](votes, BEN)
    assert votes.list(ANA) == [vote("v")] and votes.list(BEN) == [] and votes.count(BEN) == 0
    CALLS[name](votes, ANA)


def test_every_method_with_an_owner_is_tried() -> None:
    public = {n: f for n, f in inspect.getmembers(Votes, inspect.isfunction) if not n.startswith("_")}
    assert all("owner" in inspect.signature(function).parameters for function in public.values())
    assert set(public) == set(CALLS) | {"add", "merge", "list", "count"}


def test_within_a_callers_transaction_it_is_kept_with_the_rest_or_not(votes: Votes, db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction() as connection:
        assert store.insert(connection, ANA, vote("v"))
        raise ZeroDivisionError
    assert votes.count(ANA) == 0
    with db.transaction() as connection:
        assert store.insert(connection, ANA, vote("v")) and not store.insert(connection, ANA, vote("v"))
    assert votes.count(ANA) == 1


def test_half_a_character_is_no_reason_to_lose_a_vote(votes: Votes) -> None:
    votes.add(ANA, vote("v\udcff", comment="caf\udcff"))
    (kept,) = votes.list(ANA)
    assert kept.comment == "caf\ufffd" and kept.id == "v\ufffd"
    votes.delete(ANA, "v\udcff")


def test_what_this_version_cannot_read_is_left_out(votes: Votes, db: Database) -> None:
    votes.merge(ANA, [vote("v1"), vote("v2")])
    with db.transaction() as connection:
        connection.execute("UPDATE votes SET vote = '{\"choice\": \"all good\"}' WHERE id = 'v1'")
    assert [one.id for one in votes.list(ANA)] == ["v2"]


def test_a_hundred_thousand_votes_are_merged_and_listed(votes: Votes) -> None:
    many = [vote(f"v{number}", float(number), a=B) for number in range(100_000)]
    assert votes.merge(ANA, many) == 100_000
    assert votes.merge(ANA, many[:10]) == 0
    found = votes.list(ANA)
    assert len(found) == votes.count(ANA) == 100_000
    assert (found[0].id, found[-1]) == ("v99999", many[0])
