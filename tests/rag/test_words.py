from __future__ import annotations

import pytest

from core.rag import claims
from core.rag.words import language, words


def test_french_is_stemmed_and_loses_its_stop_words_and_elisions() -> None:
    assert words("Les naissances de l'étoile qu'on étudiait", ("fr",)) == words("naissance étoile étudier", ("fr",))
    assert words("le la les de l' qu'", ("fr",)) == []


def test_english_is_stemmed_and_loses_its_stop_words() -> None:
    assert words("The engines were running", ("en",)) == words("engine run", ("en",))


def test_accents_do_not_matter() -> None:
    assert words("chateau", ("fr",)) == words("Château", ("fr",))
    assert words("Été", (None,)) == ["ete"]


def test_a_question_has_the_stems_of_every_language_of_the_collection_once() -> None:
    both = words("nationalities", ("en", "fr"))
    assert both == list(dict.fromkeys(words("nationalities", ("en",)) + words("nationalities", ("fr",))))
    assert words("basalt", ("en", "fr")) == ["basalt"]


def test_languages_without_spaces_are_cut_into_pairs() -> None:
    assert words("東京タワー2024") == ["東京", "京タ", "タワ", "ワー", "2024"]
    assert words("山") == ["山"]
    assert set(words("北京")) <= set(words("我爱北京天安门"))


def test_arabic_loses_its_vowel_marks_and_variants() -> None:
    assert words("كِتَابٌ") == words("كتاب")
    assert words("أحمد") == words("احمد")


def test_other_scripts_keep_their_letters() -> None:
    assert words("Ёлка и йод") == ["ёлка", "и", "йод"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the height of the tower?", "en"),
        ("Quelle est la hauteur de la tour ?", "fr"),
        ("Wie hoch ist der Turm?", None),
        ("", None),
    ],
)
def test_languages_are_told(text: str, expected: str | None) -> None:
    assert language(text) == expected


def test_sentences_are_found_in_both_languages() -> None:
    text = "M. Dupont arrive. Il dit : « Bonjour ! » Puis il part… Version 3.5 suit. Voir p. 12 pour la suite."
    assert claims.sentences(text) == [
        "M. Dupont arrive.",
        "Il dit : « Bonjour ! »",
        "Puis il part…",
        "Version 3.5 suit.",
        "Voir p. 12 pour la suite.",
    ]


def test_a_citation_belongs_to_the_sentence_before_it() -> None:
    assert claims.sentences("It is blue. [1] It is cold [2]. It melts. [2, 3]") == [
        "It is blue. [1]",
        "It is cold [2].",
        "It melts. [2, 3]",
    ]


def test_spans_are_where_the_sentences_stand() -> None:
    text = "  One.\n\n- two\n- three  \n"
    assert [text[start:end] for start, end in claims.spans(text)] == ["One.", "- two", "- three"]
    assert claims.spans(" \n ") == []
    assert claims.sentences("これは本です。それはペンです。") == ["これは本です。", "それはペンです。"]
