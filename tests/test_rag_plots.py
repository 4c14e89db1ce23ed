from __future__ import annotations

import numpy as np
import pytest

from core.rag.calibrate import calibrate
from core.rag.evaluate import evaluate
from core.rag_plots import (
    BarWords,
    CurveWords,
    MapPoint,
    MapWords,
    RankWords,
    calibration_csv,
    calibration_curve,
    map_csv,
    measure_bars,
    measured_csv,
    passage_map,
    projected,
    rank_paths,
    ranks_csv,
)
from tests.rag.corpora import searcher
from tests.rag.test_evaluate import ASKED


def test_a_projection_keeps_what_lies_in_a_plane() -> None:
    drawing = np.random.default_rng(3)
    flat = np.zeros((30, 8))
    flat[:, 2:4] = drawing.normal(size=(30, 2)) * [3, 1]
    places, question, share = projected(flat, flat[4])
    assert share == pytest.approx(1.0)
    assert question == pytest.approx(places[4])
    distances = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    assert np.linalg.norm(places[:, None] - places[None], axis=2) == pytest.approx(distances)
    assert projected(flat, flat[4])[0] == pytest.approx(places)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_vectors_are_no_failure(number: int) -> None:
    places, question, share = projected(np.eye(4)[:number], np.zeros(4))
    assert places.shape == (number, 2) and question.shape == (2,) and 0 <= share <= 1


@pytest.mark.parametrize("dark", [False, True])
def test_the_map_names_what_was_given_and_the_question(dark: bool) -> None:
    points = [MapPoint(x=0, y=1, label="a <b>"), MapPoint(x=1, y=0, label="c", number=1)]
    words = MapWords(title="T", question="the question", axes=("x", "y"))
    figure = passage_map(points, (0.5, 0.5), words=words, dark=dark)
    others, given, star = figure.data
    assert (list(others.x), list(given.text), list(star.text)) == ([0], ["1"], ["the question"])
    assert "<b>" not in others.text[0]
    table = map_csv(points, (0.5, 0.5)).splitlines()
    assert table[:2] == ["passage,number,x,y", "question,,0.500000,0.500000"] and len(table) == 4


def test_a_passage_has_a_line_through_its_ranks() -> None:
    ranks = [("[1] a", {"dense": 3, "bm25": 1, "hybrid": 1}), ("[2] b", {"dense": 1, "hybrid": 2})]
    words = RankWords(title="T", rank="rank", stages={"dense": "meaning", "bm25": "words", "hybrid": "both"})
    figure = rank_paths(ranks, words=words)  # type: ignore[arg-type]
    assert [list(line.y) for line in figure.data] == [[3, 1, 1], [1, 2]]
    assert [list(line.x) for line in figure.data] == [[0, 1, 2], [0, 2]]
    assert list(figure.layout.xaxis.ticktext) == ["meaning", "words", "both"]
    assert [note.text for note in figure.layout.annotations] == ["[1] a", "[2] b"]
    assert ranks_csv(ranks).splitlines()[1:] == ["[1] a,3,1,1,,", "[2] b,1,,2,,"]  # type: ignore[arg-type]


def test_the_curve_marks_the_weight_in_use() -> None:
    found = calibrate(searcher())
    words = CurveWords(title="T", weight="w", measure="m", keywords="k", vectors="v", chosen="here")
    line, mark = calibration_curve(found, words=words, used=0.5).data
    assert len(line.x) == 21 and list(mark.x) == [0.5]
    assert list(mark.y) == [found.at(0.5)]
    rows = calibration_csv(found).splitlines()
    assert rows[0] == "weight,ndcg@10" and len(rows) == 22


def test_bars_have_intervals_and_start_at_zero() -> None:
    measured = evaluate(searcher(), ASKED)
    words = BarWords(title="T", measure="nDCG@10", names={"dense": "meaning"}, values={"dense": "0.5"})
    (bars,) = measure_bars(measured, "ndcg@10", words=words).data
    assert list(bars.y) == ["hybrid_rrf", "hybrid", "bm25", "meaning"]
    assert list(bars.x) == [one.means["ndcg@10"].mean for one in reversed(measured)]
    assert all(up >= 0 for up in bars.error_x.array) and all(down >= 0 for down in bars.error_x.arrayminus)
    table = measured_csv(measured).splitlines()
    assert table[0] == "retriever,id,question,rank,ndcg@10,recall@5,recall@10,mrr"
    assert len(table) == 1 + 4 * len(ASKED)
