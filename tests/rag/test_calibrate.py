from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.rag.calibrate import LEAST, OF_EACH, SAMPLED, Calibration, _best, calibrate, stale
from core.rag.fusion import Floats
from core.rag.retrieve import UNCALIBRATED, Options, Searcher
from tests.rag.corpora import ENGLISH, FRENCH, chunk, chunks, embed, embed_nothing, searcher

WEIGHTS = [number / 20 for number in range(21)]
TOWNS = [f"{begin}{end}" for begin in ("Ar", "Bel", "Cor", "Dun", "El", "Far") for end in ("by", "ville", "ham", "ton")]


def test_an_embedding_that_cannot_read_leaves_it_to_the_keywords() -> None:
    towns = [
        f"{town} lies in the north. People visit {town} in spring. The history of {town} is long." for town in TOWNS
    ]
    passages = chunks(towns)
    blind = calibrate(Searcher(passages, embed_nothing(towns), embed_nothing))
    assert blind.known and blind.weight < 0.5
    keywords, vectors = blind.at(0.0), blind.at(1.0)
    assert keywords is not None and vectors is not None
    assert keywords > 0.9 and vectors < 0.5


def test_the_weight_is_the_best_point_of_its_curve() -> None:
    found = calibrate(searcher())
    assert [weight for weight, _ in found.curve] == [number / 20 for number in range(21)]
    assert found.at(found.weight) == max(gain for _, gain in found.curve)
    assert (found.passages, found.questions) == (12, 30)


def test_the_same_passages_give_the_same_weight_and_curve() -> None:
    assert calibrate(searcher()) == calibrate(searcher())


def test_the_passage_is_searched_without_its_sentence() -> None:
    # Sentences that share no word with the rest of their passage: neither way can find it, whatever the weight.
    apart = [f"Alpha{n} beta{n} gamma{n} delta{n}. Omega{n} sigma{n} theta{n} kappa{n}." for n in range(12)]
    found = calibrate(searcher(chunks(apart)))
    by_keywords = found.at(0.0)
    assert by_keywords == 0.0


def test_neighbours_that_overlap_are_no_candidates() -> None:
    sentence = "The tide at Cordouan rises twice a day."
    overlapping = [
        chunk(0, f"Cordouan is a lighthouse. {sentence}", document="sea"),
        chunk(1, f"{sentence} At Cordouan boats wait for it.", document="sea"),
    ]
    more = [chunk(n + 2, text) for n, text in enumerate(ENGLISH[1:] + FRENCH)]
    found = calibrate(searcher(overlapping + more))
    assert found.known  # and with them, the neighbour would always be first
    alone = calibrate(searcher(overlapping), sampled=5)
    assert (alone.questions, alone.known) == (4, False)


def test_too_few_passages_tell_nothing() -> None:
    found = calibrate(searcher(chunks(ENGLISH[:3])))
    assert not found.known and found.questions < LEAST
    assert (found.weight, found.curve) == (UNCALIBRATED, ())


def test_at_most_so_many_questions_are_asked_and_it_says_how_far_it_is() -> None:
    many = [f"{text} Copy number {n} says so." for n in range(60) for text in ENGLISH]
    told: list[tuple[int, int]] = []
    found = calibrate(searcher(chunks(many)), step=lambda done, total: told.append((done, total)))
    assert found.questions == SAMPLED
    assert told[0] == (0, SAMPLED) and told[-1] == (SAMPLED, SAMPLED)


def test_what_step_raises_ends_it() -> None:
    class Enough(Exception): ...

    def step(done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        calibrate(searcher(), step=step)


def test_a_collection_that_has_grown_much_is_calibrated_anew() -> None:
    found = Calibration(weight=0.4, questions=100, passages=100)
    assert stale(None, 5)
    assert not stale(found, 110)
    assert stale(found, 130)
    assert stale(found, 70)


def test_the_hybrid_search_uses_it() -> None:
    passages = chunks()
    texts = [one.text for one in passages]
    blind = Searcher(passages, embed_nothing(texts), embed_nothing)
    blind.weight = calibrate(blind).weight
    hits = blind.search("Where do bees find flowers?", Options(limit=1))
    assert hits[0].chunk.text == ENGLISH[1]
    assert embed([]).shape == (0, 64)


def gains(heights: Sequence[float], spread: float, questions: int) -> Floats:
    """A row a question: these heights at the weights 0, ½ and 1, and what a question has of its own at each."""
    at = np.interp(WEIGHTS, np.linspace(0, 1, len(heights)), heights)
    return at + np.random.default_rng(3).normal(0, spread, (questions, 1)) * np.linspace(-1, 1, len(WEIGHTS))


def best(asked: Floats) -> float:
    return _best(list(zip(WEIGHTS, asked.mean(axis=0).tolist(), strict=True)), asked)


def test_a_steep_side_is_kept_away_from() -> None:
    """The highest point stands at the edge of a cliff, and other questions find the edge a little elsewhere."""
    heights = np.interp(WEIGHTS, [0, 0.5, 0.55, 1], [0.4, 0.6, 0.3, 0.2])
    assert 0.3 <= best(gains(heights, 0.01, 200)) <= 0.4


@pytest.mark.parametrize(
    ("heights", "spread", "half"),
    [
        ((0.9, 0.905, 0.2), 0.3, 0.0),  # what vectors that read nothing add to some questions they take from others
        ((0.2, 0.905, 0.9), 0.3, 1.0),
        ((0.9, 0.95, 0.2), 0.1, None),  # surely better together
        ((0.6, 0.61, 0.5), 0.9, None),  # which half is the better one is not sure
    ],
)
def test_a_half_is_left_alone_where_it_is_far_ahead_and_a_mixture_may_be_better_by_chance(
    heights: tuple[float, float, float], spread: float, half: float | None
) -> None:
    found = best(gains(heights, spread, 200))
    assert found == half if half is not None else 0.2 < found < 0.8


def test_a_small_collection_is_asked_several_sentences_of_a_passage() -> None:
    several = [f"{ENGLISH[n % len(ENGLISH)]} Copy {n} says so. It says no more {n} times." for n in range(20)]
    found = calibrate(searcher(chunks(several)))
    assert (found.passages, found.questions) == (20, 20 * OF_EACH)
    assert calibrate(searcher(chunks(several)), sampled=25).questions == 25
