"""Checks of answers: what passes, what does not and why, and that nothing hostile hangs or fetches."""

from __future__ import annotations

import json

import pytest

from core.arena import checks
from core.arena.checks import Check, Kind
from core.errors import CheckInvalid
from tests.models.remote.playing import Playing

PASSES: list[tuple[Kind, str, str]] = [
    ("contains", "L’EAU gelée", "dans l’eau\n gele\u0301e."),
    ("contains", "10 000", "soit 10\u202f000 m"),
    ("regex", r"(?i)\byes\b[\W_]*\z", "So the answer is **Yes**.\n"),
    ("json_schema", '{"type": "object", "required": ["a"]}', '{"a": 1}'),
    ("json_schema", '{"type": "object", "required": ["a"]}', 'Here:\n```json\n{"a": 1}\n```\nDone.'),
    ("json_schema", '{"properties": {"d": {"pattern": "^\\\\d{4}$"}}}', '{"d": "2026"}'),
    ("json_schema", '{"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}', "[1, 2]"),
    ("equals", "1.5", "Donc 1,5 heure."),
    ("equals", "1234,5", "It is 1,234.5"),
    ("equals", "1 234", "about 1.234 units"),
    ("equals", "-4", "x = −4"),
    ("equals", "205", "9:40 to 13:05 is\n\n**205**"),
    ("equals", "2000", "2e3"),
]

FAILS: list[tuple[Kind, str, str, str]] = [
    ("contains", "Paris", "Lyon", "This text is not in the answer."),
    ("regex", "^OK$", "OK!", "Nothing in the answer matches."),
    ("json_schema", "{}", "well, {", "The answer is no JSON: {detail}."),
    ("json_schema", "{}", "[" * 100_000, "The answer is no JSON: {detail}."),
    ("json_schema", '{"properties": {"a": {"type": "string"}}}', '{"a": 1}', "At {place}: {detail}."),
    ("equals", "5", "There are five.", "There is no number in the answer."),
    ("equals", "5", "5 and then 6", "The last number is {found}."),
    ("equals", "1.2345", "1,234", "The last number is {found}."),
]


@pytest.mark.parametrize(("kind", "expected", "answer"), PASSES)
def test_what_does_as_it_should_passes(kind: Kind, expected: str, answer: str) -> None:
    assert checks.run(checks.sound(Check(kind, expected)), answer) == checks.Checked(Check(kind, expected), True)


@pytest.mark.parametrize(("kind", "expected", "answer", "detail"), FAILS)
def test_what_does_not_says_why(kind: Kind, expected: str, answer: str, detail: str) -> None:
    checked = checks.run(checks.sound(Check(kind, expected)), answer)
    assert (checked.passed, checked.detail) == (False, detail)
    assert checked.detail.format_map(checked.values)


def nested_references(depth: int) -> str:
    """A schema that is looked at 2^depth times."""
    both = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(depth)}
    return json.dumps({"$defs": {**both, f"d{depth}": {"type": "object"}}, "$ref": "#/$defs/d0"})


@pytest.mark.parametrize(
    ("kind", "expected", "answer"),
    [
        ("regex", "(a+)+$", "a" * 5000 + "b"),
        ("json_schema", '{"pattern": "(a+)+$"}', json.dumps("a" * 5000 + "b")),
        ("json_schema", nested_references(22), "{}"),
        ("json_schema", '{"$ref": "#"}', "{}"),
        ("json_schema", '{"uniqueItems": true}', json.dumps([[]] * 5000)),
    ],
)
def test_what_would_take_for_ever_is_given_up(kind: Kind, expected: str, answer: str) -> None:
    checked = checks.run(checks.sound(Check(kind, expected)), answer)
    assert (checked.passed, checked.detail) == (False, "The check took too long and was given up.")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("contains", " \n"),
        ("regex", "("),
        ("regex", "x" * 1001),
        ("regex", "(((((a{1000}){1000}){1000}){1000}){1000})"),
        ("regex", "a{" + "9" * 900 + "}"),
        ("regex", "(" * 400 + "a" + ")" * 400),
        ("regex", "(?R)"),
        ("regex", "(?P<x>a(?&x)?)"),
        ("json_schema", "{"),
        ("json_schema", '{"type": "objekt"}'),
        ("json_schema", "[" * 100_000),
        ("json_schema", '{"pattern": "("}'),
        ("json_schema", '{"patternProperties": {"(a+)+$": {}}}'),
        ("json_schema", '{"$ref": "file:///etc/hostname"}'),
        ("equals", "many"),
        ("equals", "1 or 2"),
    ],
)
def test_what_cannot_be_checked_is_refused(kind: Kind, expected: str) -> None:
    with pytest.raises(CheckInvalid) as refused:
        checks.sound(Check(kind, expected))
    assert refused.value.values["kind"] == kind or kind == "json_schema"
    assert not checks.run(Check(kind, expected), "anything").passed


def test_nothing_is_fetched_for_a_schema() -> None:
    with Playing(answers={"/schema": {"json": {}}}) as server:
        for reference in (f"{server.url}/schema", "#/$defs/nowhere"):
            assert not checks.run(Check("json_schema", json.dumps({"$ref": reference})), "{}").passed
        with_base = {"$id": f"{server.url}/", "$defs": {"a": {"$ref": "#/$defs/b"}}, "$ref": "#/$defs/a"}
        assert not checks.run(Check("json_schema", json.dumps(with_base)), "{}").passed
        assert server.asked == []


def test_only_so_much_of_an_answer_is_looked_at() -> None:
    assert not checks.run(Check("contains", "end"), "x" * checks.LONGEST_ANSWER + "end").passed
