"""Scores are those of Bradley and Terry by other means, and the intervals hold what they promise."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import minimize

from core.arena import exchange, rating
from core.arena.rating import Battle, Ranking, Row
from core.arena.votes import Side, Vote

# As the public data set has them; who won how often is by hand.
PUBLIC = (
    ("llama", "mistral", 14, 6, 4),
    ("llama", "gemma", 9, 12, 3),
    ("mistral", "gemma", 5, 11, 6),
    ("gemma", "qwen", 8, 7, 0),
    ("qwen", "mistral", 10, 3, 2),
)


def fought(*results: tuple[str, str, int, int, int]) -> list[Battle]:
    """Battles by (a, b, a's wins, b's wins, ties)."""
    return [
        Battle(a, b, winner)
        for a, b, *times in results
        for winner, count in zip(("a", "b", "tie"), times, strict=True)
        for _ in range(count)
    ]


def by_model(ranking: Ranking) -> dict[str, Row]:
    return {row.model: row for row in ranking.rows}


def by_minorization(battles: Sequence[Battle]) -> dict[str, float]:
    """Hunter's MM algorithm (The Annals of Statistics 32, 2004, equation 3), with the vote more that each model has."""
    models = sorted({name for one in battles for name in (one.a, one.b)})
    points = dict.fromkeys(permutations(models, 2), 0.0)
    for one in battles:
        share = {"a": 1.0, "b": 0.0, "tie": 0.5}[one.winner]
        points[one.a, one.b] += share
        points[one.b, one.a] += 1 - share
    met = {pair: points[pair] + points[pair[::-1]] for pair in points}
    total = {model: sum(met[model, other] for other in models if other != model) for model in models}
    for pair in points:
        points[pair] += met[pair] * (1 / total[pair[0]] + 1 / total[pair[1]]) / 4
    strength = dict.fromkeys(models, 1.0)
    for _ in range(5000):
        strength = {
            one: sum(points[one, other] for other in models if other != one)
            / sum(
                (points[one, other] + points[other, one]) / (strength[one] + strength[other])
                for other in models
                if other != one
            )
            for one in models
        }
        mean = math.exp(sum(map(math.log, strength.values())) / len(models))
        strength = {model: value / mean for model, value in strength.items()}
    return {model: 1000 + 400 * math.log10(value) for model, value in strength.items()}


def simulated(random: np.random.Generator, strengths: np.ndarray, count: int, *, ties: float) -> list[Battle]:
    """Votes between pairs drawn by chance; of what is not clear, a share are ties, which favour nobody."""
    found = []
    for _ in range(count):
        a, b = random.choice(len(strengths), 2, replace=False)
        chance = 1 / (1 + math.exp(strengths[b] - strengths[a]))
        tie = ties * 2 * min(chance, 1 - chance)
        drawn = random.random()
        winner = "tie" if drawn < tie else "a" if drawn < tie / 2 + chance else "b"
        found.append(Battle(f"{a:02}", f"{b:02}", winner))
    return found


def test_scores_are_those_of_an_independent_fit() -> None:
    battles = fought(*PUBLIC)
    found = by_model(rating.rank(battles, rounds=20))
    assert {model: row.score for model, row in found.items()} == pytest.approx(by_minorization(battles), abs=0.01)


def test_scores_minimise_the_loss_of_the_model() -> None:
    battles = fought(*PUBLIC)
    models = sorted({name for one in battles for name in (one.a, one.b)})
    prior = rating.prior_votes(rating.counted(battles))

    def loss(strengths: np.ndarray) -> float:
        at = dict(zip(models, strengths, strict=True))
        cast = sum(
            np.logaddexp(0, at[one.b] - at[one.a]) * (1 if one.winner == "a" else 0.5 if one.winner == "tie" else 0)
            + np.logaddexp(0, at[one.a] - at[one.b]) * (1 if one.winner == "b" else 0.5 if one.winner == "tie" else 0)
            for one in battles
        )
        added = sum(weight * np.logaddexp(0, at[loser] - at[winner]) for (winner, loser), weight in prior.items())
        return float(cast + added)

    best = minimize(loss, np.zeros(len(models)), method="BFGS", options={"gtol": 1e-8}).x
    expected = 1000 + 400 / math.log(10) * (best - best.mean())
    found = by_model(rating.rank(battles, rounds=20))
    assert [found[model].score for model in models] == pytest.approx(expected, abs=0.01)


def test_a_table_in_the_public_layout_gives_the_same_ranking() -> None:
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(("timestamp", "model_a_name", "model_b_name", "chosen_model_name", "both_equal"))
    for number, one in enumerate(fought(*PUBLIC)):
        chosen = {"a": one.a, "b": one.b, "tie": ""}[one.winner]
        out.writerow((f"2025-03-01 10:{number // 60:02}:{number % 60:02}", one.a, one.b, chosen, one.winner == "tie"))
    votes = exchange.read(text.getvalue().encode()).votes
    assert rating.rank(rating.battles(votes), rounds=20) == rating.rank(fought(*PUBLIC), rounds=20)


def test_two_models_are_as_far_apart_as_their_odds() -> None:
    first, second = rating.rank(fought(("x", "y", 9, 4, 6)), rounds=20).rows
    odds = (9 + 3 + 0.5) / (4 + 3 + 0.5)
    assert first.score - second.score == pytest.approx(400 * math.log10(odds), abs=0.01)
    assert first.score + second.score == pytest.approx(2000)
    assert (first.battles, first.wins, first.losses, first.ties) == (19, 9, 4, 6)


def test_a_model_that_always_wins_is_finite_and_uncertain() -> None:
    found = by_model(rating.rank(fought(("x", "y", 10, 0, 0), ("y", "z", 6, 6, 0), ("x", "z", 10, 0, 0)), rounds=200))
    assert found["x"].score < 2500 and found["x"].high < 4000
    assert found["x"].high - found["x"].low > 300 > found["x"].score - found["x"].low
    assert found["x"].low > max(found["y"].score, found["z"].score)


def test_where_all_votes_are_ties_all_are_equal_and_nothing_is_decided() -> None:
    ranking = rating.rank(fought(("x", "y", 0, 0, 8), ("y", "z", 0, 0, 8)), rounds=50)
    assert [row.score for row in ranking.rows] == pytest.approx([1000] * 3)
    assert all(row.low < 1000 < row.high for row in ranking.rows)
    assert {(one.a, one.b, one.needed) for one in ranking.undecided} == {
        ("x", "y", None),
        ("x", "z", None),
        ("y", "z", None),
    }
    assert {(row.best, row.worst) for row in ranking.rows} == {(1, 3)}


def test_groups_that_never_met_are_ranked_apart() -> None:
    ranking = rating.rank(fought(("x", "y", 30, 2, 0), ("u", "v", 3, 2, 0)), rounds=50)
    assert ranking.groups == (("x", "y"), ("u", "v"))
    assert [(row.model, row.group) for row in ranking.rows] == [("x", 0), ("y", 0), ("u", 1), ("v", 1)]
    assert sum(row.score for row in ranking.rows if row.group) == pytest.approx(2000)
    assert {(row.best, row.worst) for row in ranking.rows if row.group == 0} == {(1, 1), (2, 2)}
    assert [(one.a, one.b) for one in ranking.undecided] == [("u", "v")]
    alone = rating.rank(fought(("x", "y", 30, 2, 0)), rounds=50)
    assert [row.score for row in ranking.rows[:2]] == [row.score for row in alone.rows]


def test_the_order_of_the_votes_does_not_matter() -> None:
    battles = fought(*PUBLIC)
    assert rating.rank(battles[::-1], rounds=20) == rating.rank(battles, rounds=20)
    assert rating.rank(battles, rounds=20, seed=1) != rating.rank(battles, rounds=20)


def test_left_and_right_do_not_matter() -> None:
    battles = fought(*PUBLIC)
    swapped = [Battle(one.b, one.a, {"a": "b", "b": "a", "tie": "tie"}[one.winner]) for one in battles]
    scores = [[row.score for row in rating.rank(some, rounds=2).rows] for some in (battles, swapped)]
    assert scores[0] == pytest.approx(scores[1], abs=0.01)


def test_nothing_gives_nothing_and_a_model_against_itself_says_nothing() -> None:
    assert rating.rank([]) == Ranking()
    assert rating.rank([Battle("x", "x", "a")] * 3) == Ranking()


def test_a_weight_counts_as_that_many_votes() -> None:
    twice = [Battle("x", "y", "a", 2.0)] * 3 + [Battle("x", "y", "b")] * 2
    (first, _) = rating.rank(twice, rounds=2).rows
    assert first.score - 1000 == pytest.approx(200 * math.log10(6.5 / 2.5), abs=0.01)


def test_the_shrunk_score_begins_at_the_mean() -> None:
    found = by_model(rating.rank(fought(("x", "y", 3, 0, 1), ("y", "z", 2, 0, 0)), rounds=2))
    mean = (3.5 / 4 + 2.5 / 6 + 0 / 2) / 3
    assert found["x"].shrunk == pytest.approx((3.5 + 2 * mean) / 6)
    assert found["z"].shrunk == pytest.approx(2 * mean / 4)


@pytest.mark.parametrize(
    ("models", "votes", "ties", "spread", "repeats"),
    [(2, 12, 0.0, 0.7, 150), (4, 24, 0.3, 0.7, 60), (6, 150, 0.2, 1.2, 40), (10, 800, 0.3, 0.7, 20)],
)
def test_intervals_hold_the_true_scores(models: int, votes: int, ties: float, spread: float, repeats: int) -> None:
    """Of simulated votes with known strengths: in 90 to 98 of 100 cases."""
    random = np.random.default_rng(votes)
    held = total = 0
    for repeat in range(repeats):
        strengths = random.normal(size=models) * spread
        true = 1000 + 400 / math.log(10) * (strengths - strengths.mean())
        ranking = rating.rank(simulated(random, strengths, votes, ties=ties), rounds=100, seed=repeat)
        if len(ranking.rows) == models and len(ranking.groups) == 1:
            held += sum(row.low <= true[int(row.model)] <= row.high for row in ranking.rows)
            total += models
    assert total >= models * repeats * 0.8
    assert 0.90 <= held / total <= 0.98


def vote(id: str, source: str = "duel", **fields: object) -> Vote:
    return Vote(id=id, at=0, choice="both_bad", a=Side(label="x"), b=Side(label="y"), source=source, **fields)  # type: ignore[arg-type]


def test_votes_are_chosen_and_judges_only_when_asked_for() -> None:
    votes = [
        vote("1", category="code", language="fr", voter="ada"),
        vote("2", "classroom", category="code"),
        vote("3", "judge", category="code"),
        vote("4", "import", language="fr"),
    ]

    def ids(**wanted: object) -> str:
        return "".join(one.id for one in rating.chosen(votes, **wanted))  # type: ignore[arg-type]

    assert (ids(), ids(voters=("people",)), ids(voters=("class",)), ids(voters=("judge",))) == ("124", "14", "2", "3")
    assert (ids(category="code"), ids(language="fr"), ids(voter="ada")) == ("12", "14", "1")
    assert ids(category="code", voters=("people", "class", "judge")) == "123"
    assert rating.battles(votes, voter="ada") == [Battle("x", "y", "tie")]
