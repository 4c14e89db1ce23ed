"""The page for phones over real HTTP: voting, changing one's mind, and everything that is refused."""

from __future__ import annotations

import http.client
import json
import threading

import pytest

from core.classroom import door
from core.classroom import phone as phones
from core.classroom.addresses import LOOPBACK
from core.classroom.ballots import Poll, Tally
from core.classroom.polls import Classroom
from core.store.database import Database
from core.store.votes import Votes
from tests.classroom.conftest import ME
from tests.classroom.phones import QUESTION, SECRETS, Phone, paper

VOTERS = 30


@pytest.fixture
def phone(poll: Poll) -> Phone:
    """One that has opened the link."""
    opened = Phone(poll.url)
    assert opened.look().status == 200
    return opened


def test_the_paper_has_the_question_and_both_answers_as_text(poll: Poll) -> None:
    page = Phone(poll.url).look()
    assert page.status == 200
    assert QUESTION in page.text
    assert "Because of &lt;b&gt;Rayleigh&lt;/b&gt; scattering." in page.text
    assert "It is not.\nLook again." in page.text
    assert page.text.index("Because of") < page.text.index("Look again")
    assert [page.text.count(f'name="choice" value="{choice}"') for choice in ("a", "b", "tie", "both_bad")] == [1] * 4
    assert page.chosen is None


def test_nothing_that_a_phone_gets_names_a_model(poll: Poll, phone: Phone) -> None:
    replies = [Phone(poll.url).look("/"), phone.look(), phone.vote("a"), phone.look(), phone.look("/phone.js")]
    replies += [phone.look("/nothing"), phone.look("/AAAAAA"), phone.ask("DELETE", phone.path), phone.vote("c")]
    for reply in replies:
        for secret in SECRETS:
            assert secret.lower() not in (reply.text + str(reply.headers)).lower().replace("-", " ")


def test_a_vote_is_counted_and_can_be_changed(poll: Poll, phone: Phone, classroom: Classroom) -> None:
    answer = phone.vote("a")
    assert (answer.status, answer.headers["location"]) == (303, phone.path)
    assert classroom.tally(ME, poll.id) == Tally(a=1)
    page = phone.look()
    assert page.chosen == "a"
    assert "your vote is counted" in page.text
    phone.vote("a")
    assert classroom.tally(ME, poll.id) == Tally(a=1)
    phone.vote("both_bad", reasons_a=["wrong", "superficial"], reasons_b=["clear"])
    assert classroom.tally(ME, poll.id) == Tally(both_bad=1)
    page = phone.look()
    assert page.chosen == "both_bad"
    assert [f'name="reasons_{side}" value="{reason}" checked' in page.text
            for side, reason in (("a", "wrong"), ("a", "superficial"), ("b", "clear"), ("b", "wrong"))] == [
        True, True, True, False]  # fmt: skip


def test_reasons_are_in_the_vote(poll: Poll, phone: Phone, classroom: Classroom, votes: Votes) -> None:
    phone.vote("b", reasons_b=["clear", "useful", "clear"])
    classroom.close(ME, poll.id)
    (vote,) = votes.list(ME)
    assert (vote.choice, vote.a.reasons, vote.b.reasons) == ("b", (), ("clear", "useful"))


def test_a_device_votes_once_whatever_the_code_looks_like(poll: Poll, phone: Phone, classroom: Classroom) -> None:
    phone.vote("a")
    phone.path = phone.path.lower()
    phone.vote("b")
    assert classroom.tally(ME, poll.id) == Tally(b=1)


def test_the_code_can_be_typed(poll: Poll) -> None:
    phone = Phone(poll.url)
    assert 'name="code"' in phone.look("/").text
    typed = phone.look(f"/?code=+{poll.code[:3].lower()}-{poll.code[3:]}")
    assert (typed.status, typed.headers["location"]) == (303, f"/{poll.code}")
    assert phone.look("/?code=AAAAAA").status == 404


def test_words_are_those_of_the_browser(poll: Poll) -> None:
    page = Phone(poll.url).look(**{"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.8"})
    assert '<html lang="fr">' in page.text
    assert '<html lang="en">' in Phone(poll.url).look(**{"Accept-Language": "de"}).text


def test_headers(poll: Poll) -> None:
    phone = Phone(poll.url)
    for path in (phone.path, "/", "/phone.css", "/phone.js", "/nothing"):
        headers = phone.look(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "server" not in headers
    cookie = Phone(poll.url).look().headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "<script>" not in phone.look().text


def test_a_device_that_is_known_keeps_its_name(phone: Phone) -> None:
    assert "set-cookie" not in phone.look().headers
    phone.cookie = "classroom_device=forged.00"
    assert "set-cookie" in phone.look().headers


@pytest.mark.parametrize("cookie", ["", "classroom_device=forged.00", "classroom_device=", "other=1", "\x7f=;;;"])
def test_a_device_without_a_name_of_ours_is_not_counted(standing: tuple[Classroom, Poll], cookie: str) -> None:
    classroom, poll = standing
    phone = Phone(poll.url)
    phone.cookie = cookie
    assert phone.vote("a").status == 403
    assert classroom.tally(ME, poll.id).total == 0


def test_a_forged_code_is_not_counted(poll: Poll, phone: Phone, classroom: Classroom) -> None:
    own = phone.path
    for code in ("/AAAAAA", "/" + poll.code[:-1], "/" + poll.code + "A", "/%00", "/%C3%A9"):
        phone.path = code
        assert phone.look().status == 404
        assert phone.vote("a").status == 404
        assert phone.look(f"{code}/events").status == 404
    assert classroom.tally(ME, poll.id).total == 0
    phone.path = own
    assert phone.vote("a").status == 303


def test_guesses_are_bounded(poll: Poll, phone: Phone) -> None:
    """Whoever has been in goes on; the others at the same address wait."""
    allowed = int(phones.GUESSES[0])
    guessing = Phone(poll.url)
    statuses = [guessing.look("/AAAAAA").status for _ in range(allowed + 5)]
    assert statuses[:allowed] == [404] * allowed
    assert statuses[-1] == 429
    assert Phone(poll.url).look().status == 429
    assert phone.look().status == 200
    assert phone.vote("a").status == 303


def test_who_asks_too_often_waits(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUESTS", (10.0, 0.001))
    phone = Phone(classroom.open(ME, paper(), address=LOOPBACK).url)
    statuses = [phone.look("/phone.css").status for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"", b"choice=c", b"choice=a&choice=b", b"choice", b"\xff\xfe", b"choice=a&reasons_a=lovely", b"choice=a&id=1",
        b"reasons_a=clear", b'{"choice": "a"}', b"choice=a&" + b"reasons_a=clear&" * 100, b"choice=a&x=" + b"y" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_ballot_is_not_counted(standing: tuple[Classroom, Poll], body: bytes) -> None:
    classroom, poll = standing
    phone = Phone(poll.url)
    phone.look()
    assert phone.ask("POST", phone.path, body).status == 400
    assert classroom.tally(ME, poll.id).total == 0


def test_a_page_of_another_server_cannot_vote(poll: Poll, phone: Phone, classroom: Classroom) -> None:
    assert phone.vote("a", headers={"Origin": "http://evil.example"}).status == 403
    assert classroom.tally(ME, poll.id).total == 0
    assert phone.vote("a", headers={"Origin": f"http://{phone.host}"}).status == 303
    assert phone.vote("a", headers={"Origin": "null"}).status == 303


def test_another_name_than_this_machines_is_refused(poll: Poll, phone: Phone, classroom: Classroom) -> None:
    foreign = {"Host": "evil.example"}
    assert phone.look(Host="evil.example").status == 403
    assert QUESTION not in phone.look(Host="evil.example").text
    assert phone.vote("a", headers=foreign).status == 403
    assert classroom.tally(ME, poll.id).total == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(standing: tuple[Classroom, Poll], method: str) -> None:
    phone = Phone(standing[1].url)
    assert phone.ask(method, phone.path).status == 405
    assert phone.look().status == 200


def test_a_database_that_fails_is_not_described(poll: Poll, phone: Phone, database: Database) -> None:
    database.close()
    answer = phone.vote("a")
    assert answer.status == 503
    assert str(database.path) not in answer.text
    assert "Something went wrong" in answer.text


@pytest.mark.parametrize("reveal", [True, False])
def test_phones_hear_of_the_end(poll: Poll, phone: Phone, classroom: Classroom, reveal: bool) -> None:
    phone.vote("a")
    following = follow(phone)
    classroom.close(ME, poll.id, reveal=reveal)
    lines = json.loads(said(following))["lines"]
    assert "closed" in lines[0]
    assert [any(secret in line for line in lines) for secret in SECRETS] == [reveal, reveal]
    assert any("1 vote" in line for line in lines) is reveal


def test_thirty_vote_at_once_and_all_are_counted(poll: Poll, classroom: Classroom, votes: Votes) -> None:
    """Each opens the page and votes; every third votes twice."""
    choices = ("a", "b", "tie", "both_bad", "a")
    start = threading.Barrier(VOTERS)
    failed: list[object] = []

    def one(number: int) -> None:
        phone = Phone(poll.url)
        start.wait(20)
        statuses = [phone.look().status, phone.vote(choices[number % 5]).status]
        if number % 3 == 0:
            statuses.append(phone.vote(choices[number % 5]).status)
        if statuses[:2] != [200, 303] or statuses[2:] not in ([], [303]) or phone.look().chosen is None:
            failed.append((number, statuses))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(VOTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert classroom.tally(ME, poll.id) == Tally(a=12, b=6, tie=6, both_bad=6)
    classroom.close(ME, poll.id)
    kept = votes.list(ME)
    assert len(kept) == len({vote.voter for vote in kept}) == VOTERS


def follow(phone: Phone) -> http.client.HTTPResponse:
    """The event stream of the poll, once it has begun."""
    connection = http.client.HTTPConnection(phone.host, timeout=30)
    connection.request("GET", f"{phone.path}/events", headers={"Cookie": phone.cookie})
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    return response


def said(following: http.client.HTTPResponse) -> str:
    """Reads it to its end; what was said when the poll was over."""
    lines = following.read().decode().splitlines()
    assert "event: closed" in lines
    return next(line.removeprefix("data: ") for line in lines if line.startswith("data: "))
