"""In which order a route asks its models, and why: by price, by what was measured, by what the question is about."""

from __future__ import annotations

import pytest

from core.messages import ChatRequest
from core.models import choices
from core.models.base import ModelInfo, Price
from core.models.choices import Choice, Known, Speed
from core.models.routes import ByTask, Cheapest, Fastest, LocalFirst, RemoteFirst, Row, Rule
from tests.asking import request

FREE = "http://localhost:11434/v1#llama"
Offer = tuple[float, float, str] | None


def known(prices: dict[str, Offer], speeds: dict[str, Speed] | None = None) -> Known:
    """Models elsewhere with these prices, dollars or so for a million tokens sent and written."""
    infos = {id: ModelInfo(id=id, name=id, provider="p", local=False, price=price(one)) for id, one in prices.items()}
    infos["here"] = ModelInfo(id="here", name="here", provider="local", local=True)
    return Known(infos, lambda: speeds or {})


def price(offer: Offer) -> Price | None:
    return None if offer is None else Price(input=offer[0], output=offer[1], currency=offer[2])


def order(rule: Rule, within: Known, what: ChatRequest | None = None) -> list[str]:
    return [choice.model_id for choice in choices.of(rule, what or request(), within)]


def first(rule: Rule, within: Known, what: ChatRequest | None = None) -> Choice:
    return choices.of(rule, what or request(), within)[0]


def test_one_before_the_other() -> None:
    nothing = known({})
    assert choices.of(RemoteFirst("away", "here"), request(), nothing)[1:] == [Choice("here")]
    whole, away, trimmed = choices.of(LocalFirst("here", "away"), request(), nothing)
    assert (whole.model_id, whole.whole, trimmed.model_id, trimmed.trimmed) == ("here", True, "here", True)
    assert away == Choice("away")


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        ({"a": (9.0, 9.0, "USD"), "b": (1.0, 2.0, "USD")}, ["b", "a"]),
        ({"a": None, "b": (1.0, 2.0, "USD"), "c": None}, ["b", "a", "c"]),
        ({"a": (9.0, 9.0, "USD"), "b": (1.0, 1.0, "EUR"), "c": (3.0, 3.0, "USD")}, ["c", "a", "b"]),
        ({"a": None, "b": (1.0, 1.0, "EUR"), "c": (3.0, 3.0, "EUR")}, ["b", "c", "a"]),
        ({"a": (0.1, 0.1, "USD"), FREE: None}, [FREE, "a"]),
        ({"a": (0.0, 0.0, "USD"), "b": None}, ["a", "b"]),
        ({"a": None, "b": None}, ["a", "b"]),
    ],
)
def test_the_cheapest_comes_first_and_the_unknown_last(offers: dict[str, Offer], expected: list[str]) -> None:
    assert order(Cheapest(tuple(offers)), known(offers)) == expected


def test_what_is_not_there_is_unknown() -> None:
    assert order(Cheapest(("gone", "here", "here")), known({})) == ["here", "gone"]


def test_the_price_is_that_of_prompt_and_answer() -> None:
    within = known({"reader": (1.0, 50.0, "USD"), "writer": (5.0, 10.0, "USD")})
    rule = Cheapest(("reader", "writer"))
    chosen = first(rule, within, request("x" * 4_000_000, max_tokens=1000))
    assert (chosen.model_id, chosen.values) == ("reader", {"amount": "1.1", "currency": "USD"})
    chosen = first(rule, within, request("x" * 4, max_tokens=1000))
    assert (chosen.model_id, chosen.values) == ("writer", {"amount": "0.01", "currency": "USD"})
    assert chosen.reason == "it is the cheapest: about {amount} {currency} for this answer"


def test_why_it_is_the_cheapest_where_there_is_no_price() -> None:
    assert first(Cheapest(("here", "a")), known({})).reason == "it is the cheapest: it costs nothing on this machine"
    assert first(Cheapest(("a", "b")), known({})).reason.startswith("the price of none of the models is known")


def test_the_fastest_for_an_answer_of_this_length() -> None:
    speeds = {"quick start": Speed(0.1, 10.0, 5), "quick pen": Speed(2.0, 100.0, 7)}
    within = known({}, speeds)
    rule = Fastest(("unknown", "quick start", "quick pen"))
    assert order(rule, within, request(max_tokens=5)) == ["quick start", "quick pen", "unknown"]
    assert order(rule, within, request(max_tokens=500)) == ["quick pen", "quick start", "unknown"]
    chosen = first(rule, within, request(max_tokens=5))
    assert chosen.values == {"seconds": "0.1", "rate": "10", "answers": "5"}


def test_the_fastest_where_none_was_measured() -> None:
    chosen = first(Fastest(("a", "b")), known({}))
    assert chosen.model_id == "a" and chosen.reason.startswith("none of the models was measured")


@pytest.mark.parametrize(
    ("question", "expected", "values"),
    [
        ("Fix main.py please", ["coder", "talker"], {"task": "code", "found": "main.py"}),
        ("Ma classe de 6e est bavarde", ["teacher", "talker"], {"task": "mes élèves", "found": "classe de 6e"}),
        ("Ma classe de 6e apprend SQL", ["coder", "talker"], {"task": "code", "found": "SQL"}),
        ("Traduis ceci", ["talker"], {"task": "translation", "found": "Traduis"}),
        ("Hello", ["talker"], {}),
    ],
)
def test_by_task(question: str, expected: list[str], values: dict[str, str]) -> None:
    own = Row("mes élèves", "teacher", r"\bclasse de \de\b")
    rows = (Row("general", "talker"), Row("code", "coder"), own, Row("translation", "talker"))
    assert order(ByTask(rows), known({}), request(question)) == expected
    assert first(ByTask(rows), known({}), request(question)).values == values


@pytest.mark.parametrize(
    ("what", "tokens"),
    [(request("x" * 400), 100), (ChatRequest(prompt="x" * 40), 10), (ChatRequest(prompt=(1, 2, 3)), 3)],
)
def test_how_long_a_request_is(what: ChatRequest, tokens: int) -> None:
    assert choices.prompt_tokens(what) == tokens
