"""A study's figures in, plotly figures and tables for a file out, in the look of core/plots.

Knows no language: sentences and labels come from the caller. Names are somebody else's words, their marks disarmed.
Plotly is imported when a figure is made, never before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from core.arena.front import front
from core.arena.spreadsheet import table
from core.gguf.estimates import Divergence
from core.gguf.study import Row
from core.plots import GRID, QUIET, TEXT, model_colours, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MEGA = 1e6
GIGA = 1e9

PLOT_HEIGHT, LINE_HEIGHT = 280, 14
"""Pixels, about: of what is drawn in, and of a name."""

PERCENTILES = ("median", "p90", "p95", "p99", "p999", "max")
"""Fields of `Divergence`, from what is usual to what is rare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a figure says, in the reader's language. `x`, `y`: names of the axes, with units; `ticks`: of a plot over
    categories; `line`: of what is drawn across it."""

    title: str
    x: str = ""
    y: str = ""
    ticks: tuple[str, ...] = ()
    line: str = ""
    separators: str = ".,"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A variant in a plot: what it takes or gives, its mean KL divergence, and the standard error of that."""

    at: float
    kl: float
    error: float


def by_size(rows: Sequence[Row]) -> dict[str, Place]:
    """Size in megabytes against mean KL divergence, of what has been measured; the reference is at 0."""
    return {row.name: _place(row, row.bytes / MEGA) for row in rows if row.bytes and row.quality is not None}


def by_speed(rows: Sequence[Row]) -> dict[str, Place]:
    """Tokens written a second against mean KL divergence."""
    timed = [(row, row.speed.write.mean) for row in rows if row.speed is not None and row.speed.write is not None]
    return {row.name: _place(row, rate) for row, rate in timed if row.quality is not None}


def best(places: Mapping[str, Place], *, less_is_better: bool) -> tuple[str, ...]:
    """The Pareto front: no other one is at least as good in both respects, and better in one."""
    return front({name: (one.at, -one.kl) for name, one in places.items()}, less_is_better=less_is_better)


def against(places: Mapping[str, Place], on_front: Sequence[str], *, words: Words, dark: bool = False) -> Figure:
    """Mean KL divergence, downwards better, against size or speed; the Pareto front joined by a line, and filled."""
    import plotly.graph_objects as go

    colours = model_colours(list(places))
    figure = go.Figure()
    figure.add_scatter(
        x=[places[name].at for name in on_front],
        y=[places[name].kl for name in on_front],
        mode="lines",
        line={"color": QUIET.on(dark=dark), "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    for name, one in places.items():
        colour = colours[name].on(dark=dark)
        figure.add_scatter(
            x=[one.at],
            y=[one.kl],
            mode="markers+text",
            text=[f" {escape(name, quote=False)}"],
            textposition="middle right",
            cliponaxis=False,
            marker={
                "color": colour,
                "size": 11,
                "symbol": "circle" if name in on_front else "circle-open",
                "line": {"width": 2, "color": colour},
            },
            error_y={"type": "data", "array": [2 * one.error], "color": colour, "thickness": 1},
            hovertemplate=f"{escape(name, quote=False)}<br>%{{x:.4g}} · KL %{{y:.3g}} ± {one.error:.2g}<extra></extra>",
        )
    _dress(figure, words, dark=dark)
    most = max((one.at for one in places.values()), default=1.0)
    figure.update_xaxes(range=[0, 1.25 * most])
    figure.update_yaxes(range=[0, 1.2 * max((one.kl + 2 * one.error for one in places.values()), default=1.0) or 1.0])
    return figure


def percentiles(found: Mapping[str, Divergence], *, words: Words, dark: bool = False) -> Figure:
    """KL divergence of each variant from its median to its maximum, on a logarithmic axis; named at the right end."""
    import plotly.graph_objects as go

    colours = model_colours(list(found))
    figure = go.Figure()
    floor = 1e-9  # of a logarithmic axis: a model that is the reference has nothing above it
    for name, one in found.items():
        values = [max(getattr(one, field), floor) for field in PERCENTILES]
        figure.add_scatter(
            x=list(words.ticks),
            y=values,
            mode="lines+markers",
            line={"color": colours[name].on(dark=dark), "width": 2},
            hovertemplate=f"{escape(name, quote=False)}<br>%{{x}}: %{{y:.3g}}<extra></extra>",
        )
    ends = {name: math.log10(max(one.max, floor)) for name, one in found.items()}
    lowest = min((math.log10(max(one.median, floor)) for one in found.values()), default=0.0)
    _names(figure, ends, lowest, dark=dark)
    _dress(figure, words, dark=dark, right=96)
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="log", rangemode="normal", exponentformat="power", dtick=1)
    return figure


def memory(curves: Mapping[str, Sequence[tuple[int, int]]], budget: int, *, words: Words, dark: bool = False) -> Figure:
    """Gigabytes that each variant takes, by context length in tokens, and what there is, as a line across."""
    import plotly.graph_objects as go

    colours = model_colours(list(curves))
    figure = go.Figure()
    for name, curve in curves.items():
        figure.add_scatter(
            x=[length for length, _ in curve],
            y=[taken / GIGA for _, taken in curve],
            mode="lines",
            line={"color": colours[name].on(dark=dark), "width": 2},
            hovertemplate=f"{escape(name, quote=False)}<br>%{{x}}: %{{y:.2f}} GB<extra></extra>",
        )
    most = max((taken for curve in curves.values() for _, taken in curve), default=0) / GIGA
    _names(figure, {name: curve[-1][1] / GIGA for name, curve in curves.items() if curve}, 0.0, dark=dark)
    if budget / GIGA <= 2 * most:
        figure.add_hline(
            y=budget / GIGA,
            line={"color": QUIET.on(dark=dark), "width": 1, "dash": "dash"},
            annotation_text=escape(words.line),
        )
    _dress(figure, words, dark=dark, right=96)
    return figure


def _names(figure: Figure, ends: Mapping[str, float], lowest: float, *, dark: bool) -> None:
    """The names of lines at their right ends, moved upwards as far as they need not to stand on each other."""
    span = max(ends.values(), default=1.0) - lowest or 1.0
    above = -math.inf
    for name, end in sorted(ends.items(), key=lambda item: item[1]):
        own = PLOT_HEIGHT * (end - lowest) / span
        placed = max(own, above + LINE_HEIGHT)
        above = placed
        figure.add_annotation(
            x=1.01,
            xref="paper",
            xanchor="left",
            y=end,
            yshift=placed - own,
            text=escape(name, quote=False),
            showarrow=False,
            font={"size": 12, "color": TEXT.on(dark=dark)},
        )


def _dress(figure: Figure, words: Words, *, dark: bool, right: int = 24) -> None:
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        height=400,
        margin={"l": 8, "r": right, "t": 56, "b": 8},
    )
    figure.update_xaxes(title_text=words.x, gridcolor=GRID.on(dark=dark))
    figure.update_yaxes(title_text=words.y)


def _place(row: Row, at: float) -> Place:
    assert row.quality is not None
    kl = row.quality.figures.kl
    return Place(at=at, kl=max(kl.mean.value, 0.0) if kl else 0.0, error=kl.mean.error if kl else 0.0)


COLUMNS = (
    "name",
    "reference",
    "bytes",
    "perplexity",
    "perplexity_error",
    "ratio",
    "ratio_error",
    "kl_mean",
    "kl_error",
    *(f"kl_{field}" for field in PERCENTILES),
    "same_top",
    "same_top_error",
    "delta_p_rms",
    "read_tokens_per_s",
    "read_deviation",
    "write_tokens_per_s",
    "write_deviation",
    "load_s",
    "peak_bytes",
    "others",
)


def rows_csv(rows: Sequence[Row]) -> bytes:
    """A line for each model of a study, with everything that was measured."""
    return table(COLUMNS, ([_cell(flat(row).get(column)) for column in COLUMNS] for row in rows))


def flat(row: Row) -> dict[str, Any]:
    """A row's figures by the names of `COLUMNS`; what is not known is left out."""
    found: dict[str, Any] = {"name": row.name, "reference": row.reference, "bytes": row.bytes}
    if row.quality is not None:
        own = row.quality.figures
        found |= {"perplexity": own.perplexity.value, "perplexity_error": own.perplexity.error}
        if own.ratio is not None and own.kl is not None and own.same_top is not None and own.delta_p_rms is not None:
            found |= {"ratio": own.ratio.value, "ratio_error": own.ratio.error}
            found |= {"kl_mean": own.kl.mean.value, "kl_error": own.kl.mean.error}
            found |= {f"kl_{field}": getattr(own.kl, field) for field in PERCENTILES}
            found |= {"same_top": own.same_top.value, "same_top_error": own.same_top.error}
            found |= {"delta_p_rms": own.delta_p_rms.value}
    if row.speed is not None:
        for name, rate in (("read", row.speed.read), ("write", row.speed.write)):
            if rate is not None:
                found |= {f"{name}_tokens_per_s": rate.mean, f"{name}_deviation": rate.deviation}
        found |= {"load_s": row.speed.load_s, "peak_bytes": row.speed.peak_bytes, "others": row.speed.others}
    return found


def tokens_csv(row: Row) -> bytes:
    """A line for each scored token of one variant: chunk, place, its text, and what was found there."""
    columns = ("chunk", "place", "token", "nll", "base_nll", "kl", "delta_p", "same_top")
    chunks = row.quality.chunks if row.quality is not None else ()
    lines = (
        [str(chunk.number + 1), str(place + 1), piece, *(_cell(value) for value in values)]
        for chunk in chunks
        if chunk.kl
        for place, (piece, *values) in enumerate(
            zip(chunk.pieces, chunk.nll, chunk.base_nll, chunk.kl, chunk.delta_p, chunk.same_top, strict=True)
        )
    )
    return table(columns, lines)


def memory_csv(curves: Mapping[str, Sequence[tuple[int, int]]]) -> bytes:
    """A line for each variant and context length: the bytes it takes."""
    lines = ((name, str(length), str(taken)) for name, curve in curves.items() for length, taken in curve)
    return table(("name", "context_tokens", "bytes"), lines)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
