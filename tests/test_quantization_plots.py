"""The plots of a study: what is drawn where, and the tables for a file."""

from __future__ import annotations

import csv
import io
import json

import pytest

from core import quantization_plots as plots
from core.quantization_plots import Words
from tests.gguf.test_verdict import fast, read, row, rows

ROWS = rows(
    row("Q8_0", 200, quality=read(0.01), speed=fast(20.0)), row("<b>Q2</b>", 100, quality=read(0.4), speed=fast(15.0))
)
WORDS = Words(title="It <i>costs</i>", x="size", y="KL", ticks=("50", "90", "95", "99", "99.9", "all"), line="there is")


def lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_the_front_is_what_nothing_else_beats() -> None:
    assert plots.best(plots.by_size(ROWS), less_is_better=True) == ("<b>Q2</b>", "Q8_0", "F16")
    assert plots.best(plots.by_speed(ROWS), less_is_better=False) == ("F16", "Q8_0")


@pytest.mark.parametrize("dark", [False, True])
def test_points_stand_where_they_were_measured(dark: bool) -> None:
    places = plots.by_size(ROWS)
    figure = plots.against(places, plots.best(places, less_is_better=True), words=WORDS, dark=dark)
    points = {trace.text[0].strip(): (trace.x[0], trace.y[0]) for trace in figure.data if trace.text}
    assert points["Q8_0"] == pytest.approx((0.0002, 0.01))
    assert points["F16"] == pytest.approx((0.0004, 0.0))
    assert "<b>" not in figure.to_json() and "<i>" not in figure.to_json()


def test_percentiles_rise() -> None:
    found = {one.name: one.quality.figures.kl for one in ROWS if one.quality and one.quality.figures.kl}
    figure = plots.percentiles(found, words=WORDS)
    assert all(list(trace.y) == sorted(trace.y) for trace in figure.data)
    assert json.loads(figure.to_json())["layout"]["yaxis"]["type"] == "log"


def test_names_do_not_stand_on_each_other() -> None:
    curves = {name: [(256, 10**9), (512, 2 * 10**9 + at)] for at, name in enumerate(("a", "b", "c"))}
    shifts = [note.yshift for note in plots.memory(curves, 300 * 10**9, words=WORDS).layout.annotations]
    assert shifts == pytest.approx([0, 14, 28], abs=0.1)


def test_memory_has_what_there_is_where_it_is_near() -> None:
    curves = {"Q8_0": [(256, 10**9), (512, 2 * 10**9)]}
    near = plots.memory(curves, 3 * 10**9, words=WORDS)
    far = plots.memory(curves, 300 * 10**9, words=WORDS)
    assert len(near.layout.shapes) == 1 and len(far.layout.shapes) == 0
    assert lines(plots.memory_csv(curves))[1] == {"name": "Q8_0", "context_tokens": "512", "bytes": "2000000000"}


def test_tables_hold_every_figure() -> None:
    found = lines(plots.rows_csv(ROWS))
    assert [one["name"] for one in found] == ["F16", "Q8_0", "<b>Q2</b>"]
    assert found[1]["kl_mean"] == "0.01" and found[0]["kl_mean"] == "" and found[1]["write_tokens_per_s"] == "20"
    assert float(found[1]["same_top"]) == 0.75
    tokens = lines(plots.tokens_csv(ROWS[1]))
    assert len(tokens) == 800 and tokens[0]["token"] == "a" and float(tokens[0]["kl"]) == pytest.approx(0.015)
