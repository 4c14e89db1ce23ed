"""Parameters typed as text: read, written, and what is wrong with them said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import sampling_text
from core.errors import SchemaInvalid, SchemaUnreadable, SettingInvalid
from core.llamacpp import grammar
from core.messages import ChatRequest, Sampling

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.text(min_size=1)))
def test_strings_read_back_as_they_were(values: list[str]) -> None:
    assert sampling_text.strings(sampling_text.strings_text(values)) == tuple(values)


def test_a_line_is_a_string_and_escapes_are_what_they_are_in_python() -> None:
    assert sampling_text.strings("\\n\nUser:\n\n a \n\\\\n\\d") == ("\n", "User:", " a ", "\\n\\d")
    assert sampling_text.strings_text(Sampling().dry_sequence_breakers) == '\\n\n:\n"\n*'


@given(st.dictionaries(st.integers(0, 2**31 - 1), st.floats(-1e9, 1e9)))
def test_biases_read_back_as_they_were(biases: dict[int, float]) -> None:
    assert sampling_text.logit_bias(sampling_text.logit_bias_text(biases)) == biases


def test_biases_as_a_person_types_them() -> None:
    assert sampling_text.logit_bias(" 12=-100 \n\n7 = 2,5\n") == {12: -100.0, 7: 2.5}
    assert sampling_text.logit_bias_text({12: -100.0, 7: 2.5}) == "12 = -100\n7 = 2.5"


@pytest.mark.parametrize(
    "line",
    ["hello", "12", "12 =", "= 3", "cat = 3", "-1 = 3", "1.5 = 3", "1 = nan", "1 = -inf", "1 = 1e10", f"{2**31} = 1"],
)
def test_a_line_that_is_no_bias_is_named(line: str) -> None:
    with pytest.raises(SettingInvalid) as raised:
        sampling_text.logit_bias(f"1 = 1\n{line}\nworse")
    assert raised.value.values["value"] == repr(line)


def test_a_token_twice_is_refused() -> None:
    with pytest.raises(SettingInvalid) as raised:
        sampling_text.logit_bias("1 = 2\n01 = 3")
    assert raised.value.values["value"] == "'01 = 3'"


@given(st.dictionaries(st.text(), JSON))
def test_a_schema_reads_back_as_it_was(schema: dict[str, Any]) -> None:
    assert sampling_text.json_schema(sampling_text.json_schema_text(schema)) == schema


def test_where_a_schema_is_no_json_is_said() -> None:
    with pytest.raises(SchemaUnreadable) as raised:
        sampling_text.json_schema('{\n  "type": "object",\n}')
    assert (raised.value.values["line"], raised.value.values["column"]) in {(2, 20), (3, 1)}


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "1", '"object"', "null", '{"a": NaN}', '{"a": 1e999}', '{"a": ' + "9" * 5000 + "}"),
        '{"a":' * 70 + "1" + "}" * 70,
        "[" * 100_000,
    ],
)
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(SchemaInvalid):
        sampling_text.json_schema(text)


def test_the_examples_can_be_used() -> None:
    schema = json.loads(sampling_text.SCHEMA_EXAMPLE)
    for request in (ChatRequest(json_schema=schema), ChatRequest(grammar=sampling_text.GRAMMAR_EXAMPLE)):
        assert "root ::=" in (grammar.of(request) or "")
