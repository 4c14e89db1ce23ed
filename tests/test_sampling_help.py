"""Every field of `Sampling` has its row and says what its value does; the numbers in the sentences are right."""

from __future__ import annotations

import math
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messages import Sampling
from core.models.local.limits import RANGES
from core.sampling_help import meaning
from core.sampling_table import GROUPS, PARAMETERS, rows

FIELDS = list(Sampling.__struct_fields__)


def said(name: str, **values: Any) -> str:
    """The sentence of a field in English, all other fields at their defaults."""
    return meaning(name, Sampling(**values)).said("en")


def test_every_field_has_a_row_and_every_row_a_group() -> None:
    assert set(PARAMETERS) == set(FIELDS)
    drawn = [row.name for group in ("first", *GROUPS) for row in rows(group)]  # type: ignore[arg-type]
    assert drawn == list(PARAMETERS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_row_offers_the_default_and_no_more_than_a_model_takes(name: str) -> None:
    row, default = PARAMETERS[name], getattr(Sampling(), name)
    if row.low is None or row.high is None:
        assert row.kind in ("switch", "lines", "biases")
        return
    low, high = RANGES[name]
    assert low <= row.low < row.high <= high
    assert default is None or row.low <= default <= row.high
    assert {type(row.low), type(row.step)} == {int if row.whole else float}


@pytest.mark.parametrize("name", FIELDS)
def test_a_neutral_value_says_that_it_has_no_effect(name: str) -> None:
    neutral = PARAMETERS[name].neutral
    if neutral is None or name == "temperature":
        return
    others = {"repeat_penalty": 1.1} if name == "repeat_last_n" else {}
    others |= {"dry_multiplier": 0.8} if name == "dry_penalty_last_n" else {}
    assert said(name, **{**others, name: neutral}).startswith("No effect")


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("temperature", {"temperature": 0.0}, "0: always the most probable token, so always the same answer."),
        ("temperature", {"temperature": 0.05}, "0.05: probable tokens are favoured, more than the model would."),
        ("top_k", {}, "Only the 40 most probable tokens may be drawn."),
        ("top_k", {"top_k": 0}, "No effect: any token may be drawn."),
        ("top_p", {}, "The least likely 5% are cut."),
        ("top_p", {"top_p": 0.9}, "The least likely 10% are cut."),
        ("top_p", {"top_p": 0.995}, "The least likely 0.5% are cut."),
        ("min_p", {}, "Tokens less than 5% as probable as the best one are cut."),
        ("repeat_penalty", {}, "No effect."),
        ("repeat_last_n", {"repeat_penalty": 1.1, "repeat_last_n": 1}, "Only the last token counts as used."),
        (
            "dry_allowed_length",
            {"dry_multiplier": 0.8},
            "2 tokens in a row may be repeated freely; the next one is pena",
        ),
        (
            "mirostat",
            {"mirostat": 2},
            "The two values below decide; top-k, top-p, min-p, typical-p and XTC are not used.",
        ),
        (
            "mirostat_tau",
            {"mirostat": 2},
            "Aims at 5 bits of surprise a token, as when drawing from 32 equally probable ones.",
        ),
        ("xtc_threshold", {"xtc_probability": 0.5}, "Obvious is a token with a probability of 10% or more."),
        ("seed", {}, "A new seed for each answer, so each answer is another one."),
        ("logit_bias", {"logit_bias": {1: 2.0}}, "One token is made more or less likely."),
        ("logit_bias", {"logit_bias": {1: 2.0, 2: 2.0}}, "2 tokens are made more or less likely."),
    ],
)
def test_what_a_value_does(name: str, values: dict[str, Any], sentence: str) -> None:
    assert said(name, **values).startswith(sentence)


@pytest.mark.parametrize(
    ("values", "silenced"),
    [
        ({"temperature": 0.0}, {"top_k", "top_p", "min_p", "mirostat", "mirostat_tau", "seed", "xtc_probability"}),
        ({"mirostat": 2}, {"top_k", "top_p", "min_p", "typical_p", "xtc_probability", "xtc_threshold"}),
        ({"top_k": 1}, {"temperature", "top_p", "min_p", "seed"}),
        ({"repeat_last_n": 0, "repeat_penalty": 1.2, "presence_penalty": 1.0}, {"repeat_penalty", "presence_penalty"}),
        ({"dry_penalty_last_n": 0, "dry_multiplier": 0.8}, {"dry_multiplier", "dry_base", "dry_sequence_breakers"}),
        ({"xtc_threshold": 0.6, "xtc_probability": 0.5}, {"xtc_probability", "xtc_threshold"}),
    ],
)
def test_one_value_leaves_others_without_effect(values: dict[str, Any], silenced: set[str]) -> None:
    assert {name for name in silenced if not said(name, **values).startswith("No effect: ")} == set()


def test_at_temperature_zero_the_penalties_still_count() -> None:
    greedy = {"temperature": 0.0, "presence_penalty": 0.5, "logit_bias": {1: 1.0}}
    assert said("presence_penalty", **greedy) == "The logit of a token already used changes by -0.5."
    assert said("logit_bias", **greedy) == "One token is made more or less likely."


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_a_penalty_is_said_as_what_it_does_to_the_odds(temperature: float) -> None:
    factor = math.exp(0.4 / temperature)
    shown = said("presence_penalty", presence_penalty=0.4, temperature=temperature)
    assert shown == f"Against the others, a token already used is {factor:.3g} times less likely."
    assert "times more likely" in said("frequency_penalty", frequency_penalty=-0.4, temperature=temperature)


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert "0,5" in meaning("temperature", Sampling(temperature=0.5)).said("fr")


_numbers = {
    name: st.integers(int(low), int(high)) if isinstance(low, int) else st.floats(low, high)
    for name, (low, high) in RANGES.items()
    if name != "seed"
}


@given(values=st.fixed_dictionaries(_numbers), mirostat=st.sampled_from([0, 2]))
def test_every_value_a_model_takes_has_a_sentence_that_fits_a_line_or_two(values: Any, mirostat: int) -> None:
    sampling = msgspec.structs.replace(Sampling(mirostat=mirostat), **values)
    for name in FIELDS:
        sentence = meaning(name, sampling)
        wanted = {field for _, field, _, _ in string.Formatter().parse(sentence.text) if field}
        assert wanted <= set(sentence.values)
        assert 0 < len(sentence.said("en")) < 140
