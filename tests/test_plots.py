"""Figures say what the timings say, and their colours can be told apart by everyone."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from itertools import accumulate, combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import plots
from core.metrics import timings

# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# severity 1.0, on linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WORDS = plots.SpeedWords(
    title="10 tokens/s, steady",
    rate="tokens/s",
    gap="gap, ms",
    seconds="seconds since the request",
    first_token="first token 0.5 s",
    overall="10 tokens/s",
    median="median 100 ms",
    p95="95 % below 100 ms",
)


def linear(colour: str) -> Any:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: Any) -> Any:
    x, y, z = np.cbrt(TO_XYZ @ np.clip(rgb, 1e-4, 1) / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def even(count: int, *, first: float = 0.5, gap: float = 0.1) -> list[float]:
    return [first + gap * number for number in range(count)]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [tuple(plots.ORIGIN_COLOURS.values()), plots.MODEL_COLOURS])
def test_any_two_colours_of_a_palette_stay_apart(palette: Sequence[plots.Colour], vision: str, dark: bool) -> None:
    seen = [lab(VISION[vision] @ linear(colour.on(dark=dark))) for colour in palette]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) > 15


@pytest.mark.parametrize(("dark", "theme"), [(False, "light"), (True, "dark")])
def test_colours_stand_out_from_the_page(dark: bool, theme: str) -> None:
    config = tomllib.loads((Path(__file__).parents[1] / ".streamlit/config.toml").read_text("utf-8"))
    ground = config["theme"][theme]["backgroundColor"]
    shapes = {*plots.ORIGIN_COLOURS.values(), *plots.MODEL_COLOURS} - {plots.ORIGIN_COLOURS["free"]}
    assert min(contrast(colour.on(dark=dark), ground) for colour in shapes) >= 3
    assert min(contrast(colour.on(dark=dark), ground) for colour in (plots.TEXT, plots.QUIET)) >= 4.5


def test_a_model_keeps_its_colour_in_any_company() -> None:
    models = ["a.gguf", "b.gguf", "c.gguf"]
    colours = plots.model_colours(models)
    assert len(set(colours.values())) == 3
    assert plots.model_colours(["a.gguf"])["a.gguf"] == plots.model_colours(["a.gguf", "z"])["a.gguf"]


@given(models=st.lists(st.text(max_size=8), max_size=12))
def test_as_many_models_as_colours_all_differ(models: list[str]) -> None:
    colours = plots.model_colours(models)
    assert colours.keys() == set(models)
    assert len(set(colours.values())) == min(len(set(models)), len(plots.MODEL_COLOURS))


def test_course_tells_steady_slowing_quickening_and_uneven_apart() -> None:
    slowing = list(accumulate([0.1] * 20 + [0.15] * 20, initial=0.5))
    quickening = list(accumulate([0.15] * 20 + [0.1] * 20, initial=0.5))
    uneven = list(accumulate(([0.05] * 24 + [0.5]) * 4, initial=0.5))
    hardly = list(accumulate([0.05] * 60 + [0.2] + [0.05] * 60, initial=0.5))
    assert plots.course(even(40)) == "steady"
    assert plots.course(slowing) == "slowing"
    assert plots.course(quickening) == "quickening"
    assert plots.course(uneven) == "uneven"
    assert plots.course(hardly) == "steady"


def test_course_says_nothing_where_nothing_can_be_said() -> None:
    assert plots.course([]) is None
    assert plots.course(even(2 * plots.WINDOW - 1)) is None
    assert plots.course([1.0] * 40) is None


def test_sliding_rate_of_even_tokens_is_flat() -> None:
    points = plots.sliding_rate(even(20))
    assert [moment for moment, _ in points] == even(20)[8:]
    assert [rate for _, rate in points] == pytest.approx([10.0] * 12)


@given(at=st.lists(st.floats(0, 1000), max_size=50).map(sorted))
def test_sliding_rate_is_finite_for_any_stamps(at: list[float]) -> None:
    for moment, rate in plots.sliding_rate(at):
        assert moment in at
        assert rate > 0


def test_figure_carries_the_timings() -> None:
    found = timings(even(40))
    figure = plots.answer_speed(found, words=WORDS)
    rate, wait = figure.data
    assert list(rate.y) == pytest.approx([10.0] * 32)
    assert list(wait.x) == list(found.at[1:])
    assert list(wait.y) == pytest.approx([100.0] * 39)
    assert figure.layout.title.text == WORDS.title
    band = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (band.x0, band.x1) == (0, found.ttft_s)
    written = {note.text for note in figure.layout.annotations}
    assert written == {WORDS.rate, WORDS.gap, WORDS.first_token, WORDS.overall, WORDS.median, WORDS.p95}


def test_figure_starts_at_zero_and_the_panels_share_time() -> None:
    layout = plots.answer_speed(timings(even(40)), words=WORDS).layout
    assert layout.xaxis.matches == "x2"
    assert {axis.range[0] for axis in (layout.xaxis, layout.xaxis2, layout.yaxis, layout.yaxis2)} == {0}


@pytest.mark.parametrize("at", [[], [0.4], [0.4, 0.4], [0.4, 0.5]])
def test_figure_of_a_very_short_answer_has_no_more_than_is_known(at: list[float]) -> None:
    figure = plots.answer_speed(timings(at), words=WORDS)
    assert all(0 < len(trace.x) < len(at) for trace in figure.data)
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [band.x1 for band in bands] == ([at[0]] * 2 if at else [])
    assert (WORDS.overall in {note.text for note in figure.layout.annotations}) == (at == [0.4, 0.5])


def test_template_follows_the_theme_and_leaves_the_page_visible() -> None:
    light, dark = (plots.template(dark=dark, separators=", ").layout for dark in (False, True))
    assert light.font.color != dark.font.color
    assert light.colorway != dark.colorway
    assert {layout.paper_bgcolor for layout in (light, dark)} == {"rgba(0,0,0,0)"}
    assert light.separators == ", "


def test_csv_has_one_line_a_token() -> None:
    rows = list(csv.DictReader(io.StringIO(plots.answer_csv(timings([0.5, 0.75, 1.0])))))
    assert [row["token"] for row in rows] == ["1", "2", "3"]
    assert [float(row["at_s"]) for row in rows] == [0.5, 0.75, 1.0]
    assert [row["gap_s"] for row in rows] == ["", "0.250000", "0.250000"]


def test_plotly_is_not_imported_before_a_figure_is_made() -> None:
    code = "import core.plots, sys; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
