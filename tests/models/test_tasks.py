"""What kind of task a question is: by the rules that come with routes, and by a person's own."""

from __future__ import annotations

import pytest

from core.attachments import Attachment, composed
from core.messages import ChatRequest, Message
from core.models import tasks

CODE = "def f(x):\n    return x\n"


def task(question: str) -> str | None:
    """The first task that fits."""
    text = tasks.question(ChatRequest(messages=(Message("user", question),)))
    return next((name for name, patterns in tasks.TASKS.items() if tasks.found(patterns, text) is not None), None)


@pytest.mark.parametrize(
    "question",
    [
        f"What does this do?\n```python\n{CODE}```",
        f"~~~\n{CODE}~~~\nWhy?",
        "Why does main.py fail?",
        "Lis conf/réglages.yaml et dis-moi ce qui cloche",
        "How do I reverse a list in Python?",
        "C++ ou C# ?",
        "Write a short function that sorts names.",
        "Écris une fonction qui trie des noms.",
        "ecris un petit script de sauvegarde",
        "Corrigez cette requête SQL",
        "I get a stack trace here",
    ],
)
def test_code(question: str) -> None:
    assert task(question) == "code"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Translate this into Spanish: good morning", "translation"),
        ("Traduis en anglais : bonjour", "translation"),
        ("Propose une traduction de ce poème", "translation"),
        ("Solve x squared equals four", "maths"),
        ("Résous cette équation", "maths"),
        ("Combien font 12 × 7 ?", "maths"),
        (r"Why is \frac{1}{2} less than one?", "maths"),
        ("Summarize this page.", "summary"),
        ("Fais-moi un résumé de ce chapitre", "summary"),
        ("What is the capital of France?", None),
        ("Quelle est la fonction du foie ?", None),
        ("Écris un exposé sur le code civil", None),
        ("Meet me on 2026-11-21 at 10-12", None),
        ("Voir https://example.org/cours.html", None),
        ("Écris à prof@lycee.py", None),
        ("", None),
    ],
)
def test_the_others_and_none(question: str, expected: str | None) -> None:
    assert task(question) == expected


def test_only_the_last_question_counts() -> None:
    said = (Message("user", "Fix main.py"), Message("assistant", "```\nx\n```"), Message("user", "Thank you!"))
    assert tasks.question(ChatRequest(messages=said)) == "Thank you!"
    begun = (*said, Message("assistant", "You are"))
    assert tasks.question(ChatRequest(messages=begun, continue_last=True)) == "Thank you!"
    assert tasks.question(ChatRequest(prompt="def f(")) == "def f("
    assert tasks.question(ChatRequest(prompt=(1, 2))) == ""


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        (Attachment("notes.txt", "```\nPython\n```", "text"), None),
        (Attachment("marks.csv", "name,mark\nsolve,3\n", "csv"), None),
        (Attachment("sort", CODE, "code"), "code"),
        (Attachment("sort.py", "nothing", "text"), "code"),
    ],
)
def test_of_attached_files_only_the_name_and_code_count(attachment: Attachment, expected: str | None) -> None:
    assert task(composed("What is this about?", [attachment])) == expected


def test_what_was_found_is_one_short_line() -> None:
    assert tasks.found(tasks.TASKS["code"], "see  MAIN.py") == "MAIN.py"
    assert tasks.found([r"a.*z"], "a" + "b" * 100 + "z") == "a" + "b" * (tasks.LONGEST_FOUND - 1)
    assert tasks.found([r"(?s)one.*two"], "one\n\n two") == "one two"
    assert tasks.found([r"(?=soup)"], "soup") == "(?=soup)"
    assert tasks.found([], "anything") is None


def test_a_pattern_that_takes_for_ever_is_not_found() -> None:
    forever = r"^(\w+\s?)*\1$(?!x)"
    assert tasks.fault(forever) is None
    assert tasks.found([forever, "b"], "a" * 5000 + "!b") == "b"


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "", " ", "a{2,1}", "(?P<x>a)(?P=y)", "x" * 301, r"\p{Nope}"])
def test_a_pattern_that_is_none(pattern: str) -> None:
    assert tasks.fault(pattern)


@pytest.mark.parametrize("pattern", ["soup", r"(?i)^classe de \d+e", r"\p{Greek}+", "é|è"])
def test_a_pattern_that_is_one(pattern: str) -> None:
    assert tasks.fault(pattern) is None


def test_every_task_has_a_name_and_rules_that_are_sound() -> None:
    assert set(tasks.NAMES) == {*tasks.TASKS, tasks.GENERAL}
    assert [pattern for patterns in tasks.TASKS.values() for pattern in patterns if tasks.fault(pattern)] == []
