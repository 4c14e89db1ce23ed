"""Rankings in, plotly figures and tables for a file out, in the look of core/plots.

Knows no language: sentences and labels come from the caller. Names of models are somebody else's words: in a figure
their marks are disarmed, in a table nothing of them runs. Plotly is imported when a figure is made, never before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from statistics import median
from typing import TYPE_CHECKING

from core.arena.front import Point
from core.arena.pairs import Pairs
from core.arena.spreadsheet import table
from core.arena.standings import Ranking, Row
from core.plots import GRID, MODEL_COLOURS, QUIET, TEXT, model_colours, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NAME_LENGTH = 40
"""Characters of a model's name in a figure; a table has the whole of it."""

TEXT_IN_CELLS = 12
"""Models up to which the cells of a heat map have room for a figure."""

WIDE = 30.0
"""From how many times the least value on the values stand on a logarithmic axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a figure says, in the reader's language. `x`, `y`: names of the axes, with units."""

    title: str
    x: str = ""
    y: str = ""
    separators: str = ".,"


def standing(rows: Sequence[Row], *, words: Words, dark: bool = False) -> Figure:
    """Each model's score as a point with its 95 % interval, the best at the top, its name above it."""
    import plotly.graph_objects as go

    colours = model_colours([row.model for row in rows])
    places = list(range(len(rows), 0, -1))
    figure = go.Figure()
    for row, place in zip(rows, places, strict=True):
        colour = colours[row.model].on(dark=dark)
        figure.add_scatter(
            x=[row.score],
            y=[place],
            mode="markers",
            marker={"color": colour, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [row.high - row.score],
                "arrayminus": [row.score - row.low],
                "color": colour,
                "thickness": 2,
            },
            hovertemplate=f"{_name(row.model)}<br>%{{x:.0f}} ({row.low:.0f}–{row.high:.0f})<extra></extra>",
        )
        _note(figure, _name(row.model), place, dark=dark)
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        height=110 + 44 * len(rows),
        margin={"l": 8, "r": 8, "t": 48, "b": 8},
    )
    figure.update_xaxes(title_text=words.x, rangemode="normal")
    figure.update_yaxes(visible=False, range=[0.5, len(rows) + 0.9], rangemode="normal")
    return figure


def shares(found: Pairs, *, words: Words, dark: bool = False) -> Figure:
    """How many hundredths of the points the model of a row won against that of a column."""
    low, high = MODEL_COLOURS[1].on(dark=dark), MODEL_COLOURS[0].on(dark=dark)
    scale = [[0.0, low], [0.5, GRID.on(dark=dark)], [1.0, high]]
    cells = [["" if share is None else f"{100 * share:.0f}" for share in row] for row in found.shares]
    return _heat(found, found.shares, cells, scale, (0.0, 1.0), words=words, dark=dark)


def counts(found: Pairs, *, words: Words, dark: bool = False) -> Figure:
    """How many votes there are between the model of a row and that of a column."""
    scale = [[0.0, GRID.on(dark=dark)], [1.0, MODEL_COLOURS[0].on(dark=dark)]]
    cells = [[str(count) if count else "" for count in row] for row in found.counts]
    values = [[count or None for count in row] for row in found.counts]
    most = max((count for row in found.counts for count in row), default=0)
    return _heat(found, values, cells, scale, (0.0, max(most, 1)), words=words, dark=dark)


def _heat(
    found: Pairs,
    values: Sequence[Sequence[float | None]],
    cells: Sequence[Sequence[str]],
    scale: Sequence[Sequence[object]],
    ends: tuple[float, float],
    *,
    words: Words,
    dark: bool,
) -> Figure:
    import plotly.graph_objects as go

    names = [_name(model) for model in found.models]
    figure = go.Figure()
    figure.add_heatmap(
        x=list(range(len(names))),
        y=list(range(len(names))),
        z=[list(row) for row in values],
        text=[list(row) for row in cells],
        customdata=[[[one, other] for other in names] for one in names],
        texttemplate="%{text}" if len(names) <= TEXT_IN_CELLS else "",
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{text}<extra></extra>",
        colorscale=[list(stop) for stop in scale],
        zmin=ends[0],
        zmax=ends[1],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
    )
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        height=110 + 34 * len(names),
        margin={"l": 8, "r": 8, "t": 80, "b": 8},
    )
    places = [str(number) for number in range(1, len(names) + 1)]
    numbered = [f"{name} · {place}" for name, place in zip(names, places, strict=True)]
    ticks = {"tickvals": list(range(len(names))), "showgrid": False, "zeroline": False, "rangemode": "normal"}
    figure.update_xaxes(ticktext=places, side="top", **ticks)
    figure.update_yaxes(autorange="reversed", ticktext=numbered, **ticks)
    return figure


def against(
    points: Mapping[str, Point], best: Sequence[str], rows: Sequence[Row], *, words: Words, dark: bool = False
) -> Figure:
    """Scores with their intervals against what the models take or give. A line joins `best`, the Pareto front."""
    import plotly.graph_objects as go

    shown = [row for row in rows if row.model in points]
    colours = model_colours([row.model for row in rows])
    middle = median(taken for taken, _score in points.values()) if points else 0.0
    figure = go.Figure()
    figure.add_scatter(
        x=[points[model][0] for model in best],
        y=[points[model][1] for model in best],
        mode="lines",
        line={"color": QUIET.on(dark=dark), "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    for row in shown:
        colour = colours[row.model].on(dark=dark)
        figure.add_scatter(
            x=[points[row.model][0]],
            y=[row.score],
            mode="markers+text",
            text=[_name(row.model)],
            textposition="middle right" if points[row.model][0] <= middle else "middle left",
            textfont={"size": 12, "color": TEXT.on(dark=dark)},
            marker={"color": colour, "size": 11, "symbol": "circle" if row.model in best else "circle-open"},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [row.high - row.score],
                "arrayminus": [row.score - row.low],
                "color": colour,
                "thickness": 1,
            },
            hovertemplate=f"{_name(row.model)}<br>%{{x}} · %{{y:.0f}} ({row.low:.0f}–{row.high:.0f})<extra></extra>",
        )
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        height=420,
        margin={"l": 8, "r": 24, "t": 48, "b": 8},
    )
    figure.update_xaxes(title_text=words.x, **_axis([points[row.model][0] for row in shown]))
    figure.update_yaxes(title_text=words.y, rangemode="normal")
    return figure


def _axis(values: Sequence[float]) -> dict[str, object]:
    """From zero, or logarithmic where the values are far apart; with room for the names at both ends."""
    if not values or max(values) <= 0:
        return {}
    if min(values) > 0 and max(values) > WIDE * min(values):
        low, high = math.log10(min(values)), math.log10(max(values))
        return {"type": "log", "range": [low - 0.2 * (high - low), high + 0.2 * (high - low)], "rangemode": "normal"}
    return {"range": [0, 1.2 * max(values)]}


def _note(figure: Figure, text: str, place: float, *, dark: bool) -> None:
    figure.add_annotation(
        x=0,
        xref="paper",
        xanchor="left",
        y=place,
        yanchor="bottom",
        yshift=8,
        text=text,
        showarrow=False,
        font={"size": 12, "color": TEXT.on(dark=dark)},
    )


def _name(model: str) -> str:
    short = model if len(model) <= NAME_LENGTH else model[: NAME_LENGTH - 1] + "…"
    return escape(short, quote=False)


def ranking_csv(ranking: Ranking) -> bytes:
    """A line for each model, by group and score."""
    names = ("model", "score", "low", "high", "battles", "wins", "ties", "losses", "shrunk", "best", "worst", "group")
    return table(names, ([_cell(getattr(row, name)) for name in names] for row in ranking.rows))


def pairs_csv(found: Pairs) -> bytes:
    """A line for each two models that met, once in either order."""
    lines = (
        (one, other, str(found.counts[i][j]), _cell(found.shares[i][j]))
        for i, one in enumerate(found.models)
        for j, other in enumerate(found.models)
        if found.counts[i][j]
    )
    return table(("model", "against", "votes", "share_of_points"), lines)


def against_csv(points: Mapping[str, Point], best: Sequence[str], of: str) -> bytes:
    """A line for each model: what it takes or gives, named `of`, its score, and whether it is on the Pareto front."""
    lines = ((name, _cell(taken), _cell(score), str(name in best)) for name, (taken, score) in points.items())
    return table(("model", of, "score", "on_front"), lines)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
