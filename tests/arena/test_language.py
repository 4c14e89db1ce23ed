"""The language of a question."""

from __future__ import annotations

import pytest

from core.arena.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the capital of France?", "en"),
        ("Quelle est la capitale de la France ?", "fr"),
        ("Pourquoi l’eau est-elle transparente ?", "fr"),
        ("Write a Python function that reverses a string.", "en"),
        ("Qu'est-ce qu'un jeton", "fr"),
        ("EXPLIQUE À UN ENFANT CE QU'EST UN JETON", "fr"),
        ("Was ist die Hauptstadt von Frankreich?", None),
        ("¿Cuál es la capital de Francia?", None),
        ("Qual è la capitale della Francia?", None),
        ("Qual é a capital da França?", None),
        ("2 + 2", None),
        ("", None),
        ("日本の首都はどこですか", None),
    ],
)
def test_the_commonest_words_tell(text: str, language: str | None) -> None:
    assert language_of(text) == language
