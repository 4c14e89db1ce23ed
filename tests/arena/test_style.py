"""Style is told from substance where it decides, and is left alone where it does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.arena import rating, style
from core.arena.style import Styled
from core.arena.votes import Choice, Side, Vote
from core.messages import Message

USUAL = 0.45
"""The root mean square of the differences in length that are drawn here, about."""


def side(label: str, text: str) -> Side:
    return Side(label=label, conversation=(Message("user", "Why?"), Message("assistant", text)))


def vote(number: int, a: Side, b: Side, choice: Choice) -> Vote:
    return Vote(id=str(number), at=0, choice=choice, a=a, b=b)


def liking_length(count: int, *, by: float) -> list[Vote]:
    """Two models as good as each other, of which "wordy" writes twice as much; longer answers win."""
    random, votes = np.random.default_rng(5), []
    for number in range(count):
        lengths = {"wordy": 2 * random.integers(20, 400), "brief": random.integers(20, 400)}
        a, b = random.permutation(list(lengths))
        apart = (lengths[a] - lengths[b]) / (lengths[a] + lengths[b]) / USUAL
        won = random.random() < 1 / (1 + math.exp(-by * apart))
        votes.append(vote(number, side(a, "x" * lengths[a]), side(b, "x" * lengths[b]), "a" if won else "b"))
    return votes


def ahead(ranking: rating.Ranking) -> float:
    """How far the wordy model is before the other."""
    scores = {row.model: row.score for row in ranking.rows}
    return scores["wordy"] - scores["brief"]


def test_what_length_won_is_taken_away() -> None:
    votes = liking_length(400, by=1.2)
    plain, styled = rating.rank(rating.battles(votes), rounds=50), style.rank(votes, rounds=50)
    assert ahead(plain) > 80 and plain.undecided == ()
    assert abs(ahead(styled.ranking)) < 60 and len(styled.ranking.undecided) == 1
    (length, *others) = styled.effects
    assert (length.element, length.low > 1.5) == ("length", True)
    assert [(one.element, one.odds) for one in others] == [("headings", 1), ("lists", 1), ("bold", 1)]


def test_without_any_difference_of_style_the_scores_are_the_plain_ones() -> None:
    choices: list[Choice] = ["a"] * 9 + ["b"] * 4 + ["tie"] * 2 + ["both_bad"]
    votes = [vote(n, side("x", "as long"), side("y", "as long"), choice) for n, choice in enumerate(choices)]
    votes += [vote(n, side("z", "as long"), side("y", "as long"), "a") for n in range(3)]
    plain, styled = rating.rank(rating.battles(votes), rounds=20), style.rank(votes, rounds=20)
    assert [(row.model, row.battles) for row in styled.ranking.rows] == [(row.model, row.battles) for row in plain.rows]
    assert [row.score for row in styled.ranking.rows] == pytest.approx([row.score for row in plain.rows], abs=0.01)


def test_swapping_left_and_right_changes_nothing() -> None:
    votes = liking_length(60, by=1.0)
    swapped = [vote(n, one.b, one.a, "b" if one.choice == "a" else "a") for n, one in enumerate(votes)]
    assert ahead(style.rank(swapped, rounds=2).ranking) == pytest.approx(
        ahead(style.rank(votes, rounds=2).ranking), abs=0.01
    )


def test_marks_are_counted_outside_of_code() -> None:
    text = "# One\n\n- a\n* b\n1. c\n2) d\n\n**Bold** and __this__.\n```python\n# no heading\n- no **list**\n```\n#no"
    assert style.marks(side("x", text)) == {"length": len(text), "headings": 1, "lists": 4, "bold": 2}


def test_votes_without_answers_are_left_out_and_counted() -> None:
    bare = vote(0, Side(label="x"), Side(label="y"), "a")
    assert style.rank([bare, bare], rounds=2) == Styled(rating.Ranking(), (), 2)
    mixed = style.rank([bare, vote(1, side("x", "a"), side("y", "b"), "a")], rounds=2)
    assert (mixed.without_text, [row.battles for row in mixed.ranking.rows]) == (1, [1, 1])


def test_style_that_always_wins_has_a_finite_effect() -> None:
    votes = [vote(n, side("x", "**b** " * 5), side("y", "plain"), "a") for n in range(8)]
    styled = style.rank(votes, rounds=50)
    assert all(0 < one.low <= one.odds <= one.high < 1000 for one in styled.effects)
    assert all(-2000 < row.low <= row.score <= row.high < 4000 for row in styled.ranking.rows)
