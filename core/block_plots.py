"""A block and what rounding makes of it in, plotly figures and tables for a file out, in the look of core/plots.

Knows no language: sentences and labels come from the caller. Plotly is imported when a figure is made, never before.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from core.arena.spreadsheet import table
from core.gguf.block_view import Block, Step
from core.gguf.block_wire import BINS, SPAN, Measured
from core.gguf_plots import Words, type_colour
from core.plots import QUIET, TEXT, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FRAME_MS, MOVE_MS = 1600, 700


def steps(block: Block, titles: Sequence[str], *, words: Words, dark: bool = False) -> Figure:
    """The block as it is, then each step's rendering of it, to be played or stepped through.

    titles: of the original, then of each step. Faint lines are the values that a group can take; a thin one leads from
    each weight to what it becomes.
    """
    import plotly.graph_objects as go

    places = list(range(len(block.weights)))
    original = go.Scatter(
        x=places,
        y=list(block.weights),
        mode="markers",
        marker={"color": QUIET.on(dark=dark), "size": 5},
        hovertemplate=f"{escape(words.parts['original'])} %{{y:.5f}}<extra></extra>",
    )
    drawn = [_nothing(go), *(_step(go, block, step, words, dark=dark) for step in block.steps)]
    names = ["f16", *(step.type for step in block.steps)]
    figure = go.Figure(
        data=[*drawn[0], original],
        frames=[
            go.Frame(data=traces, traces=[0, 1, 2], name=name, layout={"title": {"text": escape(title)}})
            for name, traces, title in zip(names, drawn, titles, strict=True)
        ],
    )
    reach = 1.1 * max(max(map(abs, block.weights), default=1.0), *(abs(w) for s in block.steps for w in s.weights))
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(titles[0])},
        height=430,
        margin={"l": 8, "r": 8, "t": 48, "b": 8},
        updatemenus=[_buttons(words)],
        sliders=[_slider(names)],
    )
    figure.update_xaxes(title_text=words.x, rangemode="normal", zeroline=False)
    # no grid: the only lines across are the values that the weights can take
    figure.update_yaxes(title_text=words.y, range=[-reach, reach], rangemode="normal", showgrid=False)
    return figure


def _nothing(go: Any) -> list[Any]:
    return [go.Scatter(x=[None], y=[None], mode="lines") for _ in range(3)]


def _step(go: Any, block: Block, step: Step, words: Words, *, dark: bool) -> list[Any]:
    colour = type_colour(step.type).on(dark=dark)
    places = list(range(len(step.weights)))
    lines_x: list[float | None] = []
    lines_y: list[float | None] = []
    for place, before, after in zip(places, block.weights, step.weights, strict=True):
        lines_x += [place, place, None]
        lines_y += [before, after, None]
    levels_x, levels_y = _levels(step)
    scales = [step.scales[place // step.group] for place in places]
    minimums = [step.minimums[place // step.group] for place in places]
    data = [
        [number, f"{scale:.6g}", f"{minimum:.6g}", f"{after - before:+.6f}"]
        for number, scale, minimum, before, after in zip(
            step.numbers, scales, minimums, block.weights, step.weights, strict=True
        )
    ]
    number, scale, minimum, error = (escape(words.parts[key]) for key in ("number", "scale", "minimum", "error"))
    return [
        go.Scatter(
            x=levels_x,
            y=levels_y,
            mode="lines",
            line={"color": colour, "width": 1},
            opacity=0.3,
            hoverinfo="skip",
        ),
        go.Scatter(x=lines_x, y=lines_y, mode="lines", line={"color": colour, "width": 1}, hoverinfo="skip"),
        go.Scatter(
            x=places,
            y=list(step.weights),
            mode="markers",
            marker={"color": colour, "size": 7, "symbol": "square"},
            customdata=data,
            hovertemplate=f"{escape(step.type)}: %{{y:.5f}}<br>{number} %{{customdata[0]}}<br>{scale} "
            f"%{{customdata[1]}}<br>{minimum} %{{customdata[2]}}<br>{error} %{{customdata[3]}}<extra></extra>",
        ),
    ]


def _levels(step: Step) -> tuple[list[float | None], list[float | None]]:
    """Of at most 5 bits: more would be a grey area."""
    x: list[float | None] = []
    y: list[float | None] = []
    if step.bits > 5:
        return [None], [None]
    for group, (scale, minimum) in enumerate(zip(step.scales, step.minimums, strict=True)):
        begin = group * step.group
        for number in range(step.low, step.low + (1 << step.bits)):
            value = scale * number + minimum
            x += [begin - 0.5, begin + step.group - 0.5, None]
            y += [value, value, None]
    return x, y


def _buttons(words: Words) -> dict[str, Any]:
    moving = {"frame": {"duration": FRAME_MS, "redraw": True}, "transition": {"duration": MOVE_MS}, "fromcurrent": True}
    still = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    return {
        "type": "buttons",
        "direction": "left",
        "x": 0,
        "y": -0.18,
        "xanchor": "left",
        "yanchor": "top",
        "showactive": False,
        "bgcolor": TEXT.dark,  # light on both backgrounds, as is what plotly gives a button under the pointer
        "font": {"color": TEXT.light},
        "buttons": [
            {"label": words.parts["play"], "method": "animate", "args": [None, moving]},
            {"label": words.parts["stop"], "method": "animate", "args": [[None], still]},
        ],
    }


def _slider(names: Sequence[str]) -> dict[str, Any]:
    now = {"frame": {"duration": 0, "redraw": True}, "mode": "immediate", "transition": {"duration": 0}}
    return {
        "x": 0.22,
        "len": 0.78,
        "y": -0.1,
        "currentvalue": {"visible": False},
        "steps": [{"label": name, "method": "animate", "args": [[name], now]} for name in names],
    }


def histograms(measured: Measured, *, words: Words, dark: bool = False) -> Figure:
    """How the weights are spread, and the errors of each type, each with its highest step at 1."""
    import plotly.graph_objects as go

    figure = go.Figure()
    spread = [(words.parts["weights"], measured.rms, measured.histogram, QUIET.on(dark=dark))]
    spread += [
        (error.type, error.rmse, error.histogram, type_colour(error.type).on(dark=dark)) for error in measured.errors
    ]
    for name, unit, counts, colour in spread:
        width = 2 * SPAN * (unit or 1.0) / BINS
        most = max(counts) or 1
        figure.add_scatter(
            x=[-SPAN * (unit or 1.0) + (place + 0.5) * width for place in range(BINS)],
            y=[count / most for count in counts],
            name=escape(name),
            mode="lines",
            line={"color": colour, "width": 2, "shape": "hvh"},
            fill="tozeroy" if name == words.parts["weights"] else None,
            hovertemplate=f"{escape(name)}: %{{x:.5f}}<extra></extra>",
        )
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        height=300,
        margin={"l": 8, "r": 8, "t": 72, "b": 8},
        showlegend=True,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(title_text=words.x, rangemode="normal")
    figure.update_yaxes(visible=False)
    return figure


def block_csv(block: Block) -> bytes:
    """A line for each weight: as it is, and its number, scale, minimum, value and error by type."""
    head = ["place", "weight"]
    for step in block.steps:
        head += [f"{step.type}_{what}" for what in ("number", "scale", "minimum", "value", "error")]
    rows = []
    for place, weight in enumerate(block.weights):
        row: list[float] = [place, weight]
        for step in block.steps:
            group, value = place // step.group, step.weights[place]
            row += [step.numbers[place], step.scales[group], step.minimums[group], value, value - weight]
        rows.append([f"{cell:.9g}" for cell in row])
    text = io.StringIO(newline="")
    csv.writer(text).writerows([head, *rows])  # numbers only: nothing in it is a formula, a minus stays a minus
    return text.getvalue().encode("utf-8-sig")


def errors_csv(found: Sequence[Measured], shapes: Mapping[str, str]) -> bytes:
    """A line for each tensor and type."""
    head = ("tensor", "shape", "type", "rmse", "relative", "cosine", "largest", "weights_used", "weights")
    rows = [
        (
            one.name,
            shapes.get(one.name, ""),
            error.type,
            f"{error.rmse:.9g}",
            f"{error.relative:.9g}",
            f"{error.cosine:.9g}",
            f"{error.largest:.9g}",
            str(one.weights),
            str(one.of),
        )
        for one in found
        for error in one.errors
    ]
    return table(head, rows)
