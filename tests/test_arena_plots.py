"""Figures of rankings say what the ranking says, and names of models are text in them and in tables."""

from __future__ import annotations

import csv
import io
import subprocess
import sys

import pytest

from core import arena_plots
from core.arena import rating
from core.arena.front import front
from core.arena.pairs import pairs
from core.arena.rating import Battle
from core.arena_plots import Words

WORDS = Words(title="x <is> ahead", x="score", y="model")
BATTLES = [Battle("=x", "<b>y</b>", "a")] * 6 + [Battle("<b>y</b>", "z", "tie")] * 3 + [Battle("z", "=x", "b")]
RANKING = rating.rank(BATTLES, rounds=20)
MODELS = [row.model for row in RANKING.rows]


def lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("dark", [False, True])
def test_every_model_stands_with_its_interval_and_its_name(dark: bool) -> None:
    figure = arena_plots.standing(RANKING.rows, words=WORDS, dark=dark)
    for row, trace in zip(RANKING.rows, figure.data, strict=True):
        assert trace.x[0] == row.score
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(row.high)
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(row.low)
    places = [trace.y[0] for trace in figure.data]
    assert places == sorted(places, reverse=True)
    assert [note.text for note in figure.layout.annotations] == ["=x", "z", "&lt;b&gt;y&lt;/b&gt;"]
    assert figure.layout.title.text == "x &lt;is&gt; ahead"
    assert figure.layout.xaxis.rangemode == "normal"


def test_heat_maps_have_the_tables_of_who_met_whom() -> None:
    found = pairs(BATTLES, MODELS)
    assert found.counts == [[0, 1, 6], [1, 0, 3], [6, 3, 0]]
    assert found.shares == [[None, 1.0, 1.0], [0.0, None, 0.5], [0.0, 0.5, None]]
    (won,) = arena_plots.shares(found, words=WORDS).data
    assert [list(row) for row in won.z] == found.shares
    assert [list(row) for row in won.text] == [["", "100", "100"], ["0", "", "50"], ["0", "50", ""]]
    (met,) = arena_plots.counts(found, words=WORDS).data
    assert [list(row) for row in met.text] == [["", "1", "6"], ["1", "", "3"], ["6", "3", ""]]


def test_pairs_leave_out_models_that_are_not_asked_for() -> None:
    assert pairs([*BATTLES, Battle("z", "z", "a")], ["z", "=x"]).counts == [[0, 1], [1, 0]]
    assert pairs(BATTLES, []).counts == []


def test_the_front_is_joined_and_its_points_are_filled() -> None:
    points = {row.model: (taken, row.score) for row, taken in zip(RANKING.rows, (3.0, 9.0, 1.0), strict=True)}
    best = front(points)
    figure = arena_plots.against(points, best, RANKING.rows, words=WORDS)
    line, *dots = figure.data
    assert list(zip(line.x, line.y, strict=True)) == [points[model] for model in best]
    symbols = {model: dot.marker.symbol for model, dot in zip(MODELS, dots, strict=True)}
    assert {model for model, symbol in symbols.items() if symbol == "circle"} == set(best) == {"<b>y</b>", "=x"}
    assert figure.layout.xaxis.range[0] == 0


def test_values_far_apart_stand_on_a_logarithmic_axis() -> None:
    points = {row.model: (10.0**number, row.score) for number, row in enumerate(RANKING.rows)}
    assert arena_plots.against(points, (), RANKING.rows, words=WORDS).layout.xaxis.type == "log"
    free = points | {MODELS[0]: (0.0, 1000.0)}
    assert arena_plots.against(free, (), RANKING.rows, words=WORDS).layout.xaxis.type is None
    assert len(arena_plots.against({}, (), RANKING.rows, words=WORDS).data) == 1


def test_tables_have_the_whole_of_it_and_nothing_in_them_runs() -> None:
    ranked = lines(arena_plots.ranking_csv(RANKING))
    assert [line["model"] for line in ranked] == ["'=x", "z", "<b>y</b>"]
    assert [float(line["score"]) for line in ranked] == pytest.approx([row.score for row in RANKING.rows], rel=1e-5)
    met = lines(arena_plots.pairs_csv(pairs(BATTLES, MODELS)))
    assert {(line["model"], line["against"], line["votes"], line["share_of_points"]) for line in met} >= {
        ("'=x", "z", "1", "1"),
        ("z", "<b>y</b>", "3", "0.5"),
    }
    (point,) = lines(arena_plots.against_csv({"z": (2.5, 900.0)}, ["z"], "size"))
    assert point == {"model": "z", "size": "2.5", "score": "900", "on_front": "True"}


def test_plotly_is_imported_with_the_first_figure() -> None:
    code = "import sys, core.arena_plots; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
