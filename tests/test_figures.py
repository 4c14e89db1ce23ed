"""Figures as people read them: locale, units, precision, what is not known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import figures


def plain(text: str) -> str:
    """The text with every no-break space made an ordinary one."""
    return text.replace(figures.NO_BREAK, " ").replace(figures.NARROW, " ")


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (92.43, "92.4 tokens/s", "92,4 tokens/s"),
        (8.426, "8.43 tokens/s", "8,43 tokens/s"),
        (148.7, "149 tokens/s", "149 tokens/s"),
        (12345.6, "12,346 tokens/s", "12 346 tokens/s"),
        (0.0, "0 tokens/s", "0 tokens/s"),
    ],
)
def test_rate(value: float, english: str, french: str) -> None:
    assert plain(figures.rate(value, "en")) == english
    assert plain(figures.rate(value, "fr")) == french


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (0.00045, "0.45 ms", "0,45 ms"),
        (0.12, "120 ms", "120 ms"),
        (0.9996, "1 s", "1 s"),
        (1.34, "1.3 s", "1,3 s"),
        (42.4, "42 s", "42 s"),
        (59.7, "1 min", "1 min"),
        (125, "2 min 5 s", "2 min 5 s"),
        (3780, "1 h 3 min", "1 h 3 min"),
    ],
)
def test_seconds(value: float, english: str, french: str) -> None:
    assert plain(figures.seconds(value, "en")) == english
    assert plain(figures.seconds(value, "fr")) == french


@pytest.mark.parametrize(
    ("low", "high", "english", "french"),
    [
        (0.3, 1.1, "0.3–1.1 Wh", "0,3–1,1 Wh"),
        (0.0196, 0.0237, "20–24 mWh", "20–24 mWh"),
        (0.04, 0.04, "40 mWh", "40 mWh"),
        (0.0996, 0.0996, "0.1 Wh", "0,1 Wh"),
        (0.00061, 0.00061, "0.61 mWh", "0,61 mWh"),
        (12.4, 31.2, "12–31 Wh", "12–31 Wh"),
        (412.0, 1234.0, "0.41–1.2 kWh", "0,41–1,2 kWh"),
        (0.0, 0.0, "0 mWh", "0 mWh"),
        (math.nan, 1.0, "unknown", "inconnu"),
        (0.1, math.inf, "unknown", "inconnu"),
    ],
)
def test_energy(low: float, high: float, english: str, french: str) -> None:
    assert plain(figures.energy(low, high, "en")) == english
    assert plain(figures.energy(low, high, "fr")) == french


def test_an_estimated_energy_is_marked() -> None:
    assert plain(figures.energy(0.3, 1.1, "en", estimated=True)) == "≈ 0.3–1.1 Wh"


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (0.12, "12%", "12 %"),
        (0.0042, "0.4%", "0,4 %"),
        (0.0001, "< 0.1%", "< 0,1 %"),
        (0, "0%", "0 %"),
        (1, "100%", "100 %"),
    ],
)
def test_percent(share: float, english: str, french: str) -> None:
    assert plain(figures.percent(share, "en")) == english
    assert plain(figures.percent(share, "fr")) == french


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (0, "0 bytes", "0 octets"),
        (98_123_456, "98.1 MB", "98,1 Mo"),
        (1_213_000_000, "1.21 GB", "1,21 Go"),
        (999_999, "1 MB", "1 Mo"),
    ],
)
def test_size(value: int, english: str, french: str) -> None:
    assert plain(figures.size(value, "en")) == english
    assert plain(figures.size(value, "fr")) == french


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [(0, "0 tokens", "0 token"), (1, "1 token", "1 token"), (1234, "1,234 tokens", "1 234 tokens")],
)
def test_tokens_in_the_plural_of_the_language(value: int, english: str, french: str) -> None:
    assert plain(figures.tokens(value, "en")) == english
    assert plain(figures.tokens(value, "fr")) == french


def test_french_separates_with_narrow_no_break_spaces() -> None:
    assert figures.count(1234567, "fr") == "1\u202f234\u202f567"
    assert figures.rate(92.43, "fr") == "92,4\u202ftokens/s"
    assert figures.percent(0.5, "fr") == "50\u202f%"


def test_an_estimate_is_marked() -> None:
    assert plain(figures.tokens(640, "en", estimated=True)) == "≈ 640 tokens"
    assert plain(figures.rate(92.43, "fr", estimated=True)) == "≈ 92,4 tokens/s"


@pytest.mark.parametrize("function", [figures.rate, figures.seconds, figures.percent, figures.size])
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_unknown_is_said(function: Callable[..., str], value: float | None) -> None:
    assert function(value, "en") == "unknown"
    assert function(value, "fr") == "inconnu"


@pytest.mark.parametrize("function", [figures.count, figures.tokens, figures.date_time])
def test_an_unknown_whole_number_is_said(function: Callable[..., str]) -> None:
    assert (function(None, "en"), function(None, "fr")) == ("unknown", "inconnu")


def test_a_moment_names_the_month() -> None:
    assert "Feb" in figures.date_time(1_234_567_890, "en")
    assert "févr." in figures.date_time(1_234_567_890, "fr")


@given(st.integers(min_value=0, max_value=10**15))
def test_a_count_loses_no_digit(value: int) -> None:
    assert int(figures.count(value, "en").replace(",", "")) == value
    assert int(figures.count(value, "fr").replace(figures.NARROW, "")) == value


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_a_rate_is_right_to_three_digits(value: float) -> None:
    number = figures.rate(value, "en").split(figures.NO_BREAK)[0].replace(",", "")
    assert float(number) == pytest.approx(value, rel=0.006)


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (12.3, "US$12.30", "12,30 $US"),
        (1234.5, "US$1,234.50", "1 234,50 $US"),
        (0.00042, "US$0.00042", "0,00042 $US"),
        (0.0004256, "US$0.00043", "0,00043 $US"),
        (0.052, "US$0.052", "0,052 $US"),
        (0.0, "US$0.00", "0,00 $US"),
        (1e-9, "US$0.000000001", "0,000000001 $US"),
    ],
)
def test_money(value: float, english: str, french: str) -> None:
    assert plain(figures.money(value, "USD", "en")) == english
    assert plain(figures.money(value, "USD", "fr")) == french


def test_money_of_other_currencies_and_none() -> None:
    assert plain(figures.money(2, "EUR", "fr", estimated=True)) == "≈ 2,00 €"
    assert figures.money(None, "USD", "en") == "unknown" != figures.money(0, "USD", "en")
    assert figures.money(math.nan, "USD", "en") == "unknown"


@pytest.mark.parametrize(
    ("value", "english"),
    [
        (134_515_008, "135 million parameters"),
        (7_615_616_512, "7.62 billion parameters"),
        (999_900_000, "1 billion parameters"),
        (None, "unknown"),
    ],
)
def test_parameters(value: int | None, english: str) -> None:
    assert plain(figures.parameters(value, "en")) == english


def test_month() -> None:
    assert figures.month("2024-07-18", "en") == "Jul 2024" and figures.month("2024-07-18", "fr") == "juil. 2024"
    assert figures.month("soon", "en") == figures.month(None, "en") == "unknown"
