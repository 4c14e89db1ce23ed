"""Two texts word by word: nothing is lost, what differs is marked, and no text takes long."""

from __future__ import annotations

import random

import pytest

from core.arena.diff import LIMIT, Difference, Piece, difference


def joined(found: Difference) -> tuple[str, str]:
    return "".join(piece.text for piece in found.left), "".join(piece.text for piece in found.right)


def only(pieces: tuple[Piece, ...]) -> list[str]:
    return [piece.text for piece in pieces if not piece.same]


def test_what_only_one_says_is_told_apart() -> None:
    found = difference("The cat sat on the mat.", "The old cat lay on the mat!")
    assert only(found.left) == ["sat ", "."]
    assert only(found.right) == ["old ", "lay ", "!"]
    assert [piece.text for piece in found.left if piece.same] == ["The ", "cat ", "on the mat"]
    assert found.alike == pytest.approx(2 * 5 / (7 + 8)) and found.whole


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [("", "", 1.0), ("same here", "same  here\n", 1.0), ("", "new", 0.0), ("  \n ", "a", 0.0), ("one", "two", 0.0)],
)
def test_the_edges(left: str, right: str, alike: float) -> None:
    found = difference(left, right)
    assert joined(found) == (left, right)
    assert found.alike == alike


def test_a_script_without_spaces_is_compared_by_its_characters() -> None:
    found = difference("今日は天気がいい", "今日は天気が悪い")
    assert (only(found.left), only(found.right)) == (["い"], ["悪"])


def test_spaces_and_every_character_come_back_as_they_were() -> None:
    chance = random.Random(7)
    alphabet = ["word", "Wort", " ", "\n\n", "\t", ".", ",", "é", "_x_", "語", "🙂", "\u00a0", "-"]
    for _ in range(200):
        texts = ["".join(chance.choices(alphabet, k=chance.randrange(30))) for _ in range(2)]
        assert list(joined(difference(*texts))) == texts


SIZE = 100_000

HOSTILE = {
    "one word": ("a " * SIZE, "a b " * (SIZE // 2)),
    "two words by chance": tuple(" ".join(random.Random(seed).choices("ab", k=SIZE)) for seed in (1, 2)),
    "every second one": (" ".join(f"w{n} p" for n in range(SIZE // 2)), " ".join(f"w{n} q" for n in range(SIZE // 2))),
    "backwards": (" ".join(f"w{n}" for n in range(SIZE)), " ".join(f"w{n}" for n in reversed(range(SIZE)))),
    "one long word": ("x" * 1_000_000, "x" * 999_999 + "y"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_is_compared_for_long(name: str) -> None:
    left, right = HOSTILE[name]
    found = difference(left, right)  # without the limit, minutes
    assert joined(found) == (left, right)


def test_beyond_the_limit_the_rest_counts_as_different_and_that_is_said() -> None:
    left, right = (" ".join(f"w{n} {mark}" for n in range(50)) for mark in "pq")
    whole, short = difference(left, right), difference(left, right, limit=400)
    assert whole.whole and not short.whole
    assert 0 < short.alike < whole.alike == 0.5
    assert joined(short) == (left, right)
    assert difference(left, left, limit=0).whole and LIMIT > 400


def test_a_word_changed_in_a_long_answer_is_all_that_is_marked() -> None:
    words = [f"word{n % 300}" for n in range(20_000)]
    changed = [*words[:10_000], "other", *words[10_001:]]
    found = difference(" ".join(words), " ".join(changed))
    assert [text.strip() for text in only(found.left)] == ["word100"]
    assert [text.strip() for text in only(found.right)] == ["other"]
    assert found.whole
