"""The parts of a class's vote that need no network: ballots, codes, limits, devices, addresses, QR codes, languages."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import segno

from core.arena.votes import BAD_REASONS, GOOD_REASONS
from core.classroom import codes, qr
from core.classroom.addresses import ranked
from core.classroom.ballots import CHOICES, REASON_NAMES, Ballot, Poll, Tally, tally, to_vote
from core.classroom.drawing import preferred
from core.classroom.guard import Devices, Limit, host_known, origin_foreign
from tests.classroom.phones import ANSWER_B, QUESTION, SECRETS, paper

POLL = Poll(
    id="p", owner="me", comparison_id=None, opened_at=1.0, closes_at=2.0, code="ABC346", host="192.0.2.1:8510",
    paper=paper(pairing="quantizations", language="en", category="reasoning", turn=2, even_pace=True),
)  # fmt: skip


def test_a_ballot_becomes_a_whole_vote() -> None:
    ballot = Ballot(choice="b", reasons_a=("wrong",), reasons_b=("clear", "useful"))
    vote = to_vote(POLL, "0123", ballot, 7.0)
    assert (vote.choice, vote.at, vote.source, vote.voter) == ("b", 7.0, "classroom", "device-0123")
    assert (vote.a.label, vote.b.label, vote.b.answer) == (*SECRETS, ANSWER_B)
    assert (vote.a.reasons, vote.b.reasons) == (("wrong",), ("clear", "useful"))
    assert (vote.duel_id, vote.turn, vote.pairing, vote.category) == ("duel", 2, "quantizations", "reasoning")
    assert (vote.language, vote.even_pace) == ("en", True)


def test_a_vote_has_an_id_for_each_poll_and_device() -> None:
    first, again = (to_vote(POLL, "one", Ballot(choice=choice), 1.0).id for choice in ("a", "b"))
    assert first == again
    assert first != to_vote(POLL, "two", Ballot(choice="a"), 1.0).id


def test_the_question_is_the_last_one() -> None:
    assert POLL.paper.question == QUESTION


def test_ballots_are_counted() -> None:
    counted = tally(Ballot(choice=choice) for choice in ("a", "a", "tie", "both_bad"))
    assert counted == Tally(a=2, tie=1, both_bad=1)
    assert [counted.of(choice) for choice in CHOICES] == [2, 0, 1, 1]
    assert counted.total == 4


def test_all_reasons_can_be_given() -> None:
    assert tuple(REASON_NAMES) == GOOD_REASONS + BAD_REASONS


def test_codes_are_typed_as_they_are_read() -> None:
    code = codes.new()
    assert len(code) == 6
    assert not set(code) & set("0O1IL2Z5S")
    assert codes.same(f" {code[:3].lower()}-{code[3:].lower()} ", code)
    assert not codes.same(code[:-1], code)
    assert not codes.same("é" * 6, code)
    assert len({codes.new() for _ in range(200)}) == 200


def test_a_limit_lets_a_burst_through_and_then_a_rate() -> None:
    now = [0.0]
    limit = Limit(3, 0.5, clock=lambda: now[0])
    assert [limit.spend("a") for _ in range(5)] == [True, True, True, False, False]
    assert limit.spend("b")
    now[0] = 2.0
    assert (limit.left("a"), limit.spend("a"), limit.left("a")) == (True, True, False)
    now[0] = 1000.0
    assert [limit.spend("a") for _ in range(4)] == [True, True, True, False]


def test_a_limit_remembers_so_many_addresses() -> None:
    limit = Limit(1, 0.0, addresses=2, clock=lambda: 0.0)
    assert [limit.spend(address) for address in "aab"] == [True, False, True]
    assert limit.spend("c")
    assert limit.spend("a"), "the one that asked longest ago is forgotten"
    assert not limit.left("c")


def test_a_device_is_known_by_what_was_given_to_it() -> None:
    devices = Devices()
    token = devices.new()
    name = devices.name(token)
    assert name is not None
    assert devices.name(token) == name
    assert name not in (devices.name(devices.new()), None)
    forged = ["", name, f"{name}.", f"{name}.{'0' * 64}", f"other.{token.split('.')[1]}", token[:-1], "é.é"]
    assert [devices.name(one) for one in forged] == [None] * len(forged)
    assert Devices().name(token) is None


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("192.168.1.10:8510", True),
        ("127.0.0.1", True),
        ("[::1]:8510", True),
        ("localhost:8510", True),
        (socket.gethostname(), True),
        ("evil.example:8510", False),
        ("192.168.1.10.evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_hosts(host: str, known: bool) -> None:
    assert host_known(host) is known


@pytest.mark.parametrize(
    ("origin", "foreign"),
    [(None, False), ("null", False), ("http://192.0.2.1:8510", False), ("http://192.0.2.1", True), ("http://[", True)],
)
def test_origins(origin: str | None, foreign: bool) -> None:
    assert origin_foreign(origin, "192.0.2.1:8510") is foreign


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de, fr; q=0.5, en; q=0.4", "fr"),
        ("fr;q=0.1, en-US", "en"),
        ("fr;q=0, de", "en"),
        ("fr;q=nonsense", "en"),
        ("", "en"),
        ("*", "en"),
    ],
)
def test_the_language_of_a_browser(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def nic(*addresses: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(family=socket.AF_INET, address=address) for address in addresses] + [
        SimpleNamespace(family=socket.AF_INET6, address="fd00::2")
    ]


def test_the_likeliest_address_stands_first() -> None:
    interfaces = {
        "lo": nic("127.0.0.1"),
        "docker0": nic("172.17.0.1"),
        "tun0": nic("10.8.0.2"),
        "eth1": nic("11.22.33.44"),
        "eth0": nic("10.0.0.5"),
        "wlan0": nic("192.168.1.23"),
        "wlan1": nic("169.254.3.4"),
        "eth9": nic("192.168.9.9"),
    }
    states = {name: SimpleNamespace(isup=name != "eth9") for name in interfaces}
    found = [address.interface for address in ranked(interfaces, states)]
    assert found[0] == "wlan0"
    assert found == ["wlan0", "eth0", "eth1", "docker0", "tun0", "wlan1"]


def test_a_qr_code_is_black_on_white_with_its_quiet_zone() -> None:
    drawn = ElementTree.fromstring(qr.svg(POLL.url))
    modules = segno.make_qr(POLL.url, error="m").symbol_size(border=0)[0]
    assert drawn.get("width") == str((modules + 8) * 10)
    background, dark = list(drawn.iter())[-2:]
    assert background.get("fill") == "#fff"
    assert dark.get("stroke") == "#000"


def test_a_poster_has_the_code_beside_it() -> None:
    drawn = ElementTree.fromstring(qr.poster(POLL.url, above="a < b", large=POLL.code))
    assert [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")] == ["a < b", POLL.code]
    assert qr.svg(POLL.url) in qr.poster(POLL.url, above="", large="")
