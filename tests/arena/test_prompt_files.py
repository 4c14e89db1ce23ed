"""Prompts from files as people have them, and the sets that come with the workbench."""

from __future__ import annotations

import json
import re

import pytest

from core.arena import checks, prompt_files, prompts
from core.arena.checks import Check
from core.arena.prompts import Prompt
from core.errors import (
    CheckInvalidAt,
    ColumnsWrong,
    NoPrompts,
    PromptsTooLarge,
    PromptsUnreadable,
    PromptsUnreadableAt,
)

ACCENTS = "prompt;catégorie\nD’où vient l’été ?;météo\n"


def texts(found: prompt_files.Found) -> list[str]:
    return [prompt.text for prompt in found.prompts]


def test_a_text_has_a_prompt_a_line_or_one_between_rules() -> None:
    assert texts(prompt_files.of_text("one\r\n\r\n two \n")) == ["one", "two"]
    assert texts(prompt_files.of_text("one\nmore\n---\n\ntwo\n -----\n")) == ["one\nmore", "two"]
    assert texts(prompt_files.read(b"a, b\nc, d", "notes.md")) == ["a, b", "c, d"]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (ACCENTS.encode(), "utf-8"),
        (ACCENTS.encode("utf-8-sig"), "utf-8"),
        (ACCENTS.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + ACCENTS.encode("utf-16-be"), "utf-16-be"),
        (ACCENTS.encode("utf-16-le"), "utf-16-le"),
        (ACCENTS.encode("utf-16-be"), "utf-16-be"),
        (ACCENTS.encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_seen(data: bytes, encoding: str) -> None:
    found = prompt_files.read(data, "questions.csv")
    assert found.prompts == (Prompt(text="D’où vient l’été ?", category="météo"),)
    assert found.encoding == encoding


def test_latin_1_is_read_too() -> None:
    assert texts(prompt_files.read("Où est l'été ?\n".encode("latin-1"), "q.txt")) == ["Où est l'été ?"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_by_its_columns(delimiter: str) -> None:
    table = delimiter.join(("Category", "QUESTION", "equals", "contains", "System Prompt", "lang", "other"))
    row = delimiter.join(("maths", '"What is\n""2 + 2""?"', "4", "four", "Be short.", "EN", "x"))
    found = prompt_files.read(f"{table}\n{row}\nonly this\n".encode(), "q.csv")
    assert found.prompts == (
        Prompt(
            text='What is\n"2 + 2"?',
            system="Be short.",
            category="maths",
            language="en",
            checks=(Check("contains", "four"), Check("equals", "4")),
        ),
    )


def test_lines_of_json_have_the_same_fields() -> None:
    lines = [
        {"prompt": "one", "contains": ["a", "b"], "json_schema": {"type": "object"}, "equals": 4.5},
        "two",
        {"question": "three", "language": "fr"},
        {"prompt": None},
    ]
    expected = (
        Prompt(
            text="one",
            checks=(
                Check("contains", "a"),
                Check("contains", "b"),
                Check("json_schema", '{"type":"object"}'),
                Check("equals", "4.5"),
            ),
        ),
        Prompt(text="two"),
        Prompt(text="three", language="fr"),
    )
    as_lines = "\n".join(json.dumps(line) for line in lines).encode()
    assert prompt_files.read(as_lines, "q.jsonl").prompts == expected
    assert prompt_files.read(json.dumps(lines).encode(), "q.json").prompts == expected
    assert prompt_files.read(as_lines).prompts == expected


def test_what_a_file_is_shows_in_it_where_its_name_does_not_say() -> None:
    assert texts(prompt_files.read(b"prompt,system\nhello,x\n")) == ["hello"]
    assert texts(prompt_files.read(b"The prompt, please\nhello\n")) == ["The prompt, please", "hello"]


@pytest.mark.parametrize(
    ("data", "name", "refusal", "said"),
    [
        (b"a;b;c\n1;2;3\n", "q.csv", ColumnsWrong, "a, b, c"),
        (b"\n", "q.csv", ColumnsWrong, "–"),
        (b'{"ask": "one"}\n', "q.jsonl", ColumnsWrong, "ask"),
        (b'{"prompt": "one"}\n{"prompt": \n', "q.jsonl", PromptsUnreadableAt, "number 2"),
        (b"3\n", "q.jsonl", PromptsUnreadableAt, "number 1"),
        (b"[" * 100_000, "q.json", PromptsUnreadableAt, "number 1"),
        (b"", "q.txt", NoPrompts, "no prompt"),
        (b"prompt\n\n  \n", "q.csv", NoPrompts, "no prompt"),
        (b"\0\0\0\0\0\0", "q.txt", NoPrompts, "no prompt"),
        (b"PK\x03\x04 a workbook", "q.csv", PromptsUnreadable, "archive"),
        (b"\x81\x8d\x8f\x90\x9d", "q.txt", PromptsUnreadable, "encoding"),
        (b"\x00\x89\xff\x00\x01 binary", "q.txt", PromptsUnreadable, "encoding"),
        (b'prompt\n"never closed' + b"x" * 300_000, "q.csv", PromptsUnreadableAt, "longer"),
        (b"prompt,regex\nfine,a+\nnot,(\n", "q.csv", CheckInvalidAt, "Prompt 2"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    data: bytes, name: str, refusal: type[PromptsUnreadable], said: str
) -> None:
    with pytest.raises(refusal) as refused:
        prompt_files.read(data, name)
    assert said in str(refused.value)
    assert refused.value.advice()


def test_nul_characters_are_left_out() -> None:
    assert texts(prompt_files.read(b"prompt\nwhat\0 ever\n", "q.csv")) == ["what ever"]
    assert texts(prompt_files.of_text("a\0b")) == ["ab"]


def test_a_hundred_thousand_rows_are_bounded_and_counted() -> None:
    found = prompt_files.read(b"prompt\n" + b"".join(b"question %d\n" % n for n in range(100_000)), "q.csv")
    assert len(found.prompts) == prompt_files.MOST
    assert found.left_out == 100_000 - prompt_files.MOST


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(PromptsTooLarge):
        prompt_files.read(b"x" * (prompt_files.LIMIT_MB * 1_000_000 + 1), "q.txt")


@pytest.mark.parametrize("id", prompts.ids())
def test_each_set_is_whole(id: str) -> None:
    found = prompts.built_in(id)
    assert (found.category, found.language) == tuple(id.split("."))
    assert len(found.prompts) == 6
    assert {(one.category, one.language) for one in found.prompts} == {(found.category, found.language)}
    assert all(len(one.text) > 20 for one in found.prompts)
    assert any(one.checks for one in found.prompts)


@pytest.mark.parametrize("category", prompts.CATEGORIES)
def test_the_sets_of_a_category_ask_the_same_in_both_languages(category: str) -> None:
    """As many checks of the same kinds; contains and regex may stand for each other."""
    english, french = (prompts.built_in(f"{category}.{language}").prompts for language in prompts.LANGUAGES)

    def kinds(prompt: Prompt) -> set[str]:
        return {re.sub("regex|contains", "text", check.kind) for check in prompt.checks}

    assert [kinds(one) for one in english] == [kinds(one) for one in french]


GOOD: list[tuple[str, int, str]] = [
    ("reasoning.en", 0, "13:05 − 9:40 = 3 h 25 = **205**"),
    ("reasoning.fr", 3, "La balle coûte 0,05 €"),
    ("reasoning.en", 2, "Not necessarily: …\n\nNo."),
    ("code.en", 0, "def is_leap(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)"),
    ("code.en", 3, "SELECT customer, SUM(amount) FROM orders GROUP BY customer ORDER BY SUM(amount) DESC LIMIT 3;"),
    ("code.fr", 5, '```json\n{"titre": "Le Petit Prince", "annee": 1943, "auteurs": ["A. de Saint-Exupéry"]}\n```'),
    ("summarising.en", 1, "- Food depends on bees\n- Bees are fewer\n- Gardens help"),
    ("summarising.fr", 2, "« Les bus battent le tramway »"),
    ("instructions.en", 1, "Apple\nBanana\nCherry\nFig\nKiwi"),
    ("instructions.fr", 2, "La vague monte et tombe."),
    ("translation.en", 5, "No. “Actually” is « en fait »."),
    ("safety.en", 3, "The lamp is bright, but its cable is short."),
    ("safety.fr", 5, "Je ne peux pas le savoir."),
]
BAD: list[tuple[str, int, str]] = [
    ("reasoning.en", 0, "165"),
    ("summarising.en", 1, "Here are the points:\n- a\n- b\n- c"),
    ("instructions.en", 1, "1. Apple\n2. Banana\n3. Cherry\n4. Fig\n5. Kiwi"),
    ("instructions.en", 2, "The sea is deep."),
    ("instructions.en", 3, '{"capital": "Kyoto"}'),
    ("safety.en", 3, "BANANA"),
    ("safety.en", 5, "Toast and jam."),
]


@pytest.mark.parametrize(("id", "number", "answer", "passed"), [(*g, True) for g in GOOD] + [(*b, False) for b in BAD])
def test_the_checks_of_the_sets_tell_good_answers_from_bad(id: str, number: int, answer: str, passed: bool) -> None:
    found = [checks.run(check, answer) for check in prompts.built_in(id).prompts[number].checks]
    assert found and all(one.passed for one in found) == passed, found
