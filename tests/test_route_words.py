"""Why a route chose a model, in words: numbers and names in their places; what a file brought is never a format."""

from __future__ import annotations

import pytest

from core.events import Routed
from core.route_words import why


def routed(reason: str, **values: str) -> Routed:
    return Routed("m", "M", reason, values)


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "after 0.25 s, 1,234 tokens"), ("fr", "after 0,25 s, 1 234 tokens")]
)
def test_numbers_are_written_as_the_language_does(language: str, expected: str) -> None:
    said = why(routed("after {seconds} s, {rate} tokens", seconds="0.25", rate="1234"), language)
    assert said.replace("\u202f", " ").replace("\u00a0", " ") == expected


@pytest.mark.parametrize("value", ["1e-05", "0", "12.50"])
def test_every_form_of_a_number_is_one(value: str) -> None:
    assert float(why(routed("{amount}", amount=value), "en")) == float(value)


@pytest.mark.parametrize("value", ["", "nan", "1e999999999", "9" * 400, "١٢", "soup", "{rate}"])
def test_what_is_no_number_stays_as_it_is(value: str) -> None:
    assert why(routed("x {rate}", rate=value), "en") == f"x {value}"


def test_names_stay_as_they_are_and_words_are_translated() -> None:
    said = why(routed("{before}: {why}", before="Question", why="Question"), "fr")
    assert said.startswith("Question: ")


@pytest.mark.parametrize(
    "reason",
    ["{", "}", "{}", "{0}", "{missing}", "{why.__class__}", "{why!r}", "{why:>999999999}", "{{why}}", "{why[0]}", "%s"],
)
def test_a_reason_from_elsewhere_is_no_format(reason: str) -> None:
    said = why(routed(reason, why="w"), "en")
    assert said == reason.replace("{why}", "w")
