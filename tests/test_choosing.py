"""Which model fits: marks from figures, what is unknown, what a person weighs, and the order that comes out."""

from __future__ import annotations

import pytest

from core import choosing
from core.choosing import CRITERIA, Choice, Criterion, Measured, Money
from core.models.base import ModelInfo, Price
from core.store.tally import Speed

HERE = ModelInfo(id="small", name="Small", provider="local", local=True, parameters=135_000_000)
CHEAP = Price(input=0.5, output=1.5)
AWAY = ModelInfo(
    id="https://api.example.org/v1#large-70b", name="large-70b", provider="Example", local=False, price=CHEAP
)
SERVER = ModelInfo(id="http://localhost:8080/v1#m", name="m", provider="localhost", local=False)
LAN = ModelInfo(id="http://192.168.1.7:8000/v1#m", name="m", provider="192.168.1.7", local=False)


def speed(model_id: str = "small", **figures: float | str | None) -> Speed:
    known = {"ttft_s": 0.5, "decode_rate": 50.0, "prompt_tokens": 100, "generated_tokens": 200}
    return Speed(model_id=model_id, **({"cost": None, "currency": None} | known | figures))  # type: ignore[arg-type]


def only(info: ModelInfo, known: Measured | None = None) -> Choice:
    (choice,) = choosing.choices([info], {info.id: known} if known else {})
    return choice


def test_medians_of_the_answers_of_each_model() -> None:
    speeds = [speed(ttft_s=0.2), speed(ttft_s=0.4), speed(ttft_s=9.0), speed("other", ttft_s=None, decode_rate=None)]
    known = choosing.measured(speeds, {"other": 2, "third": 1})
    assert (known["small"].answers, known["small"].failures, known["small"].ttft_s) == (3, 0, 0.4)
    assert (known["other"].answers, known["other"].failures, known["other"].ttft_s) == (1, 2, None)
    assert (known["third"].answers, known["third"].failures) == (0, 1)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([(0.002, "USD"), (0.004, "USD")], Money(3.0, "USD")),
        ([(0.002, "USD"), (None, None)], None),
        ([(0.002, "USD"), (0.002, "EUR")], None),
        ([(None, None)], None),
    ],
)
def test_what_a_thousand_answers_cost(costs: list[tuple[float | None, str | None]], expected: Money | None) -> None:
    known = choosing.measured([speed(cost=cost, currency=currency) for cost, currency in costs], {})
    assert known["small"].cost_1000 == expected


def test_nothing_is_paid_for_what_this_machine_does() -> None:
    for info in (HERE, SERVER):
        choice = only(info)
        assert (choice.cost_1000, choice.marks["cost"]) == (Money(0.0, "USD"), 1.0)


def test_an_unknown_cost_is_none_and_not_nothing() -> None:
    assert (only(LAN).cost_1000, only(LAN).marks["cost"]) == (None, None)


def test_a_list_price_is_an_estimate_by_the_size_of_ones_own_answers() -> None:
    known = Measured(answers=1, failures=0, prompt_tokens=1000, generated_tokens=100)
    cost = only(AWAY, known).cost_1000
    assert cost is not None and cost.estimated
    assert cost.amount == pytest.approx(1000 * (1000 * 0.5 + 100 * 1.5) / 1e6)
    paid = Money(2.0, "USD")
    assert only(AWAY, Measured(answers=1, failures=0, cost_1000=paid)).cost_1000 == paid


def test_another_currency_is_shown_and_not_compared() -> None:
    choice = only(AWAY, Measured(answers=1, failures=0, cost_1000=Money(2.0, "EUR")))
    assert choice.cost_1000 == Money(2.0, "EUR") and choice.marks["cost"] is None


@pytest.mark.parametrize(("info", "mark"), [(HERE, 1.0), (SERVER, 1.0), (LAN, 0.6), (AWAY, 0.0)])
def test_confidentiality_is_where_it_goes(info: ModelInfo, mark: float) -> None:
    assert only(info).marks["confidentiality"] == mark


@pytest.mark.parametrize(
    ("ttft_s", "decode_rate", "mark"),
    [(0.1, 1000.0, 1.0), (10.0, 4.0, 0.0), (None, 50.0, None), (0.5, None, None), (0.5, 0.0, None)],
)
def test_latency_is_a_typical_answer(ttft_s: float | None, decode_rate: float | None, mark: float | None) -> None:
    known = Measured(answers=1, failures=0, ttft_s=ttft_s, decode_rate=decode_rate)
    assert only(HERE, known).marks["latency"] == mark


def test_a_quicker_model_never_has_a_lower_mark() -> None:
    marks = [
        only(HERE, Measured(answers=1, failures=0, ttft_s=0.5, decode_rate=rate)).marks["latency"] or 0.0
        for rate in (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
    ]
    assert marks == sorted(marks) and marks[0] < marks[-1]


def test_reliability_is_the_share_that_did_not_fail() -> None:
    assert only(HERE, Measured(answers=3, failures=1)).marks["reliability"] == 0.75
    assert only(HERE, Measured(answers=0, failures=0)).marks["reliability"] is None
    assert only(HERE).marks["reliability"] is None


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("llama-3.3-70b-versatile", 70_000_000_000),
        ("qwen3-30b-a3b", 30_000_000_000),
        ("SmolLM2-135M-Instruct", 135_000_000),
        ("google/gemma-2-9b-it:free", 9_000_000_000),
        ("gpt-4o-mini", None),
        ("v1.5beta", None),
        ("model-16bit", None),
    ],
)
def test_parameters_are_read_from_a_name_that_has_them(name: str, parameters: int | None) -> None:
    choice = only(ModelInfo(id=f"https://x.org/v1#{name}", name=name, provider="X", local=False))
    assert choice.parameters == parameters and choice.parameters_by_name == (parameters is not None)
    assert (choice.marks["capability"] is None) == (parameters is None)


def test_what_the_file_says_counts_more_than_the_name() -> None:
    choice = only(ModelInfo(id="f", name="merged-70b", provider="local", local=True, parameters=7_000_000_000))
    assert (choice.parameters, choice.parameters_by_name) == (7_000_000_000, False)


@pytest.mark.parametrize(("matters", "first"), [("confidentiality", HERE), ("cost", HERE), ("capability", AWAY)])
def test_what_matters_decides(matters: Criterion, first: ModelInfo) -> None:
    for models in ([HERE, AWAY], [AWAY, HERE]):
        assert choosing.choices(models, {}, [matters])[0].info == first


def test_a_sentence_has_only_what_matters() -> None:
    small = next(one for one in choosing.choices([HERE, AWAY], {}) if one.info == HERE)
    assert small.strengths(["confidentiality", "capability"]) == ["confidentiality"]
    assert small.weaknesses(["confidentiality", "capability"]) == ["capability"]
    assert small.strengths(["latency"]) == [] == small.weaknesses(["latency"]), "not measured"


def test_marks_are_shares_and_unknown_is_middling() -> None:
    for info in (HERE, AWAY, SERVER, LAN):
        choice = only(info)
        assert all(mark is None or 0 <= mark <= 1 for mark in choice.marks.values())
        assert choice.mark == pytest.approx(
            sum(0.5 if choice.marks[one] is None else choice.marks[one] or 0.0 for one in CRITERIA) / 5
        )


def test_among_equals_the_measured_one_comes_first() -> None:
    twin = ModelInfo(id="twin", name="Twin", provider="local", local=True, parameters=135_000_000)
    known = {"twin": Measured(answers=0, failures=0)}
    assert [one.info.id for one in choosing.choices([HERE, twin], known)] == ["twin", "small"]
    assert [one.info.id for one in choosing.choices([HERE, twin], {})] == ["small", "twin"]
