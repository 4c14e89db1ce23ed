"""Ranking votes as the page does: 100,000 votes over 100 models with 200 bootstrap rounds, from votes to the ranking.

The votes are simulated, with ties, and reach every pair of models. What is measured has been done once before: what is
imported for it is in memory.
"""

from __future__ import annotations

import random
import time
from math import exp
from statistics import median

from benchmarks.figure import Figure, Plan
from core.arena import exchange, rating
from core.arena.rating import Battle
from core.arena.votes import Choice, Side, Vote

MODELS, VOTES, ROUNDS = 100, 100_000, 200
OWN_VOTES, OWN_MODELS = 500, 8
"""What a class gathers."""


def measure(plan: Plan) -> list[Figure]:
    """The large ranking, one as a class has it, and the file of the large one read."""
    many = _battles(MODELS, VOTES)
    votes = [_vote(number, battle) for number, battle in enumerate(many)]
    data = exchange.export(votes, "arena", "csv")
    rating.rank(many[:1000], rounds=2)
    return [
        Figure(
            name="ranking.many",
            what=f"ranking {VOTES:,} votes over {MODELS} models, {ROUNDS} bootstrap rounds",
            value=median(_took_to_rank(many, ROUNDS) for _ in range(plan.repeat)),
            unit="s",
            target=("≤", 5),
        ),
        Figure(
            name="ranking.class",
            what=f"ranking {OWN_VOTES} votes over {OWN_MODELS} models, {rating.ROUNDS} rounds, as the page does",
            value=median(_took_to_rank(_battles(OWN_MODELS, OWN_VOTES), rating.ROUNDS) for _ in range(plan.repeat)),
            unit="s",
        ),
        Figure(
            name="ranking.import",
            what=f"reading {VOTES:,} votes without conversations from a CSV file",
            value=median(_took_to_read(data) for _ in range(plan.repeat)),
            unit="s",
            details={"megabytes": len(data) / 1e6},
        ),
    ]


def _took_to_rank(battles: list[Battle], rounds: int) -> float:
    began = time.perf_counter()
    rating.rank(battles, rounds=rounds)
    return time.perf_counter() - began


def _took_to_read(data: bytes) -> float:
    began = time.perf_counter()
    exchange.read(data)
    return time.perf_counter() - began


def _battles(models: int, count: int) -> list[Battle]:
    draw = random.Random(6)
    strengths = [draw.gauss(0, 0.8) for _ in range(models)]
    found = []
    for _ in range(count):
        a, b = draw.sample(range(models), 2)
        chance, drawn = 1 / (1 + exp(strengths[b] - strengths[a])), draw.random()
        tie = 0.4 * min(chance, 1 - chance)
        found.append(Battle(f"model {a}", f"model {b}", "tie" if drawn < tie else "a" if drawn < chance else "b"))
    return found


def _vote(number: int, battle: Battle) -> Vote:
    choice: Choice = battle.winner
    return Vote(id=f"{number:032x}", at=number, choice=choice, a=Side(label=battle.a), b=Side(label=battle.b))
