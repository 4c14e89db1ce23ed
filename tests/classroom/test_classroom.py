"""Opening, counting and closing a vote of the class, and what becomes of one whose server dies."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from core.classroom import polls as opening
from core.classroom.addresses import LOOPBACK
from core.classroom.ballots import Ballot, Poll, Tally
from core.classroom.guard import Devices
from core.classroom.hall import Hall
from core.classroom.polls import Classroom
from core.errors import (
    AddressTaken,
    AnswersMissing,
    ClassHasVoted,
    NotThere,
    PollClosed,
    PollsFull,
    StoreUnavailable,
    TooManyBallots,
)
from core.settings import Settings
from core.store import polls as store
from core.store.comparisons import Comparisons
from core.store.database import Database
from core.store.polls import Polls
from core.store.votes import Votes
from core.workbench import open_workbench
from tests.answering import until
from tests.classroom.conftest import ME
from tests.classroom.phones import Phone, paper, reachable, side

A, B = Ballot(choice="a"), Ballot(choice="b", reasons_b=("clear",))


@pytest.fixture
def comparison(database: Database) -> str:
    """The id of a comparison of mine."""
    return a_comparison(database)


def test_closing_makes_one_vote_of_each_ballot(poll: Poll, polls: Polls, classroom: Classroom, votes: Votes) -> None:
    polls.cast(poll.id, "one", A)
    polls.cast(poll.id, "two", B)
    polls.cast(poll.id, "one", B)
    assert classroom.tally(ME, poll.id) == Tally(b=2)
    assert votes.count(ME) == 0
    closed = classroom.close(ME, poll.id)
    assert not closed.open
    kept = votes.list(ME)
    assert {(vote.voter, vote.choice, vote.source) for vote in kept} == {
        ("device-one", "b", "classroom"),
        ("device-two", "b", "classroom"),
    }
    assert {vote.b.reasons for vote in kept} == {("clear",)}
    assert classroom.close(ME, poll.id) == closed
    assert votes.count(ME) == 2


def test_a_vote_that_is_deleted_does_not_come_back(
    poll: Poll, polls: Polls, classroom: Classroom, votes: Votes
) -> None:
    polls.cast(poll.id, "one", A)
    classroom.close(ME, poll.id)
    votes.delete(ME, votes.list(ME)[0].id)
    classroom.close(ME, poll.id)
    classroom.recover()
    assert votes.count(ME) == 0


def test_no_ballot_is_taken_after_closing(poll: Poll, polls: Polls, classroom: Classroom, votes: Votes) -> None:
    classroom.close(ME, poll.id)
    with pytest.raises(PollClosed):
        polls.cast(poll.id, "late", A)
    with pytest.raises(PollClosed):
        polls.cast("no such poll", "late", A)
    assert votes.count(ME) == 0


def test_it_is_its_owners(poll: Poll, classroom: Classroom) -> None:
    for ask in (classroom.get, classroom.tally, classroom.close):
        with pytest.raises(NotThere):
            ask("somebody else", poll.id)
        with pytest.raises(NotThere):
            ask(ME, "no such poll")
    assert classroom.get(ME, poll.id).open
    assert reachable(poll.url)


def test_the_same_answers_are_voted_on_once(classroom: Classroom, polls: Polls, comparison: str) -> None:
    first = classroom.open(ME, paper(), comparison_id=comparison, address=LOOPBACK)
    assert classroom.open(ME, paper(), comparison_id=comparison, address=LOOPBACK) == first
    classroom.close(ME, first.id)
    second = classroom.open(ME, paper(), comparison_id=comparison, address=LOOPBACK)
    assert second.id != first.id, "nobody had voted"
    polls.cast(second.id, "one", A)
    classroom.close(ME, second.id)
    with pytest.raises(ClassHasVoted):
        classroom.open(ME, paper(), comparison_id=comparison, address=LOOPBACK)
    third = classroom.open(ME, paper(turn=2), comparison_id=comparison, address=LOOPBACK)
    assert classroom.of(ME, comparison) == third
    assert classroom.of("somebody else", comparison) is None


def test_both_answers_must_be_there(classroom: Classroom) -> None:
    with pytest.raises(AnswersMissing):
        classroom.open(ME, paper(b=side("Silent", " \n")), address=LOOPBACK)


def test_so_many_may_be_open(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_OPEN", 1)
    first = classroom.open(ME, paper(), address=LOOPBACK)
    with pytest.raises(PollsFull):
        classroom.open(ME, paper(), address=LOOPBACK)
    classroom.close(ME, first.id)
    assert classroom.open(ME, paper(), address=LOOPBACK).open


def test_so_many_devices_can_vote(poll: Poll, polls: Polls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_BALLOTS", 2)
    for device in ("one", "two", "one"):
        polls.cast(poll.id, device, A)
    with pytest.raises(TooManyBallots):
        polls.cast(poll.id, "three", A)
    assert polls.tally(ME, poll.id).total == 2


def test_an_address_that_is_not_this_machines(classroom: Classroom, polls: Polls) -> None:
    with pytest.raises(AddressTaken):
        classroom.open(ME, paper(), address="192.0.2.254")
    assert polls.open() == []


def test_nothing_listens_where_the_poll_cannot_be_kept(classroom: Classroom, database: Database) -> None:
    url = classroom.open(ME, paper(), address=LOOPBACK).url
    classroom.end()
    database.close()
    with pytest.raises(StoreUnavailable):
        classroom.open(ME, paper(), address=LOOPBACK)
    assert not reachable(url)


def test_it_closes_by_itself(classroom: Classroom, polls: Polls, votes: Votes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a machine that slept past its time."""
    monkeypatch.setattr(opening, "LOOK_S", 0.05)
    poll = classroom.open(ME, paper(), address=LOOPBACK)
    polls.cast(poll.id, "one", A)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + opening.LIMIT_S + 1)
    until(lambda: not classroom.get(ME, poll.id).open)
    until(lambda: not reachable(poll.url))
    assert votes.count(ME) == 1


def test_nobody_votes_after_its_time(classroom: Classroom, polls: Polls) -> None:
    poll = classroom.open(ME, paper(), address=LOOPBACK)
    phone = Phone(poll.url)
    phone.look()
    late = msgspec.structs.replace(poll, closes_at=time.time() - 1)
    with pytest.raises(PollClosed):
        Hall(late, polls, Devices()).cast("one", A)
    assert phone.vote("a").status == 303


def test_what_a_dead_server_left_open_is_counted_at_the_next_start(tmp_path: Path) -> None:
    """Once, however often it is started; the comparison it belonged to may be gone."""
    before = Database(tmp_path / "workbench.db")
    dying = Classroom(Polls(before))
    id = a_comparison(before)
    poll = dying.open(ME, paper(), comparison_id=id, address=LOOPBACK)
    Polls(before).cast(poll.id, "one", B)
    with before.transaction() as connection:
        connection.execute("DELETE FROM comparisons WHERE id = ?", (id,))
    dying.end()
    before.close()

    after = Database(tmp_path / "workbench.db")
    for _ in range(2):
        next_one = Classroom(Polls(after))
        next_one.recover()
        assert not next_one.get(ME, poll.id).open
        assert [vote.choice for vote in Votes(after).list(ME)] == ["b"]
    assert not reachable(poll.url)
    after.close()


def test_a_workbench_ends_it_and_the_next_one_counts_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    before = open_workbench(settings)
    poll = before.classroom.open(ME, paper(), address=LOOPBACK)
    phone = Phone(poll.url)
    phone.look()
    assert phone.vote("tie").status == 303
    before.close()
    assert not reachable(poll.url)
    after = open_workbench(settings)
    assert not after.classroom.get(ME, poll.id).open
    assert [vote.choice for vote in after.votes.list(ME)] == ["tie"]
    after.close()


def test_starting_leaves_what_is_open_here(poll: Poll, classroom: Classroom) -> None:
    classroom.recover()
    assert classroom.get(ME, poll.id).open


def test_closing_can_be_tried_again(poll: Poll, polls: Polls, classroom: Classroom, database: Database) -> None:
    """While the database is held by another, nothing is lost and nothing listens."""
    phone = Phone(poll.url)
    phone.look()
    phone.vote("a")
    impatient = Database(database.path, patience_s=0.05)
    other = Classroom(Polls(impatient))
    other._rooms = classroom._rooms
    with database.transaction(), pytest.raises(StoreUnavailable):
        other.close(ME, poll.id)
    assert not reachable(poll.url)
    assert classroom.get(ME, poll.id).open
    classroom.close(ME, poll.id)
    assert Votes(database).count(ME) == 1
    impatient.close()


def a_comparison(database: Database) -> str:
    return Comparisons(database).create(ME, [], kind="duel").id
