"""Files and their memory in, plotly figures and tables for a file out, in the look of core/plots.

Knows no language: sentences and labels come from the caller. Names in a file are somebody else's words: in a figure
their marks are disarmed. Plotly is imported when a figure is made, never before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from core.arena.spreadsheet import table
from core.gguf.anatomy import Cell, Share
from core.gguf.blocks import BY_NAME
from core.models.local.room import Memory, Point
from core.plots import GRID, MODEL_COLOURS, QUIET, TEXT, Colour, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

GIGA = 1e9
SEEN_UP_TO = 3.0
"""A line of the machine's memory is drawn up to so many times what the model takes: further up it says nothing."""

_BLUE, _VERMILION, _GREEN, _PURPLE, _SKY, _YELLOW, _GREY = MODEL_COLOURS
_BY_BITS: tuple[tuple[float, Colour], ...] = (
    (2.99, _VERMILION),
    (3.99, _PURPLE),
    (5.05, _YELLOW),
    (6.2, _GREEN),
    (7.0, _SKY),
    (9.1, _BLUE),
)
"""Up to so many bits a weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a figure says, in the reader's language. `x`, `y`: names of the axes, with units; `parts`: of the layers of
    an area or of memories, by their English name."""

    title: str
    x: str = ""
    y: str = ""
    separators: str = ".,"
    parts: Mapping[str, str]


def type_colour(name: str) -> Colour:
    """The colour of a tensor type: by its bits a weight, everywhere the same; floating point is grey."""
    bits = BY_NAME[name].bits_per_weight if name in BY_NAME else 32.0
    return next((colour for most, colour in _BY_BITS if bits <= most), _GREY)


def memory_curve(
    points: Sequence[Point], memories: Mapping[str, Memory], *, chosen: int, words: Words, dark: bool = False
) -> Figure:
    """What loading takes by context length, its parts on each other; a line for what each memory has free, by name."""
    import plotly.graph_objects as go

    figure = go.Figure()
    lengths = [point.context_length for point in points]
    parts = (("weights", _BLUE), ("kv_cache", _VERMILION), ("compute", _YELLOW))
    for part, colour in parts:
        figure.add_scatter(
            x=lengths,
            y=[getattr(point.needed, part) / GIGA for point in points],
            name=words.parts[part],
            stackgroup="memory",
            mode="lines",
            line={"color": colour.on(dark=dark), "width": 1},
            hovertemplate=f"{escape(words.parts[part])}: %{{y:.2f}} GB<extra></extra>",
        )
    most = max(point.needed.total for point in points) / GIGA
    shown = {name: memory.free / GIGA for name, memory in memories.items() if memory.free / GIGA < SEEN_UP_TO * most}
    for name, free in shown.items():
        figure.add_hline(y=free, line={"color": TEXT.on(dark=dark), "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            x=1, xref="x domain", y=free, text=escape(name), showarrow=False, xanchor="right", yanchor="bottom"
        )
    figure.add_vline(x=chosen, line={"color": QUIET.on(dark=dark), "width": 1, "dash": "dot"})
    _name_areas(figure, points[-1], parts, words)
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        height=340,
        margin={"l": 8, "r": 110, "t": 48, "b": 8},
        hovermode="x unified",
    )
    figure.update_xaxes(title_text=words.x, range=[0, max(lengths[-1], chosen)], tickformat=",d")
    figure.update_yaxes(title_text=words.y, range=[0, 1.08 * max(most, *shown.values(), 0.0) if shown else 1.08 * most])
    return figure


def _name_areas(figure: Figure, last: Point, parts: Sequence[tuple[str, Colour]], words: Words) -> None:
    """Each area's name at its right end; the thin ones have theirs on hover only."""
    bottom = 0.0
    for part, _colour in parts:
        height = getattr(last.needed, part) / GIGA
        if height > 0.06 * last.needed.total / GIGA:
            figure.add_annotation(
                x=1.01,
                xref="x domain",
                y=bottom + height / 2,
                text=escape(words.parts[part]),
                showarrow=False,
                xanchor="left",
                font={"size": 12},
            )
        bottom += height


def share_bar(shares: Sequence[Share], *, words: Words, dark: bool = False) -> Figure:
    """One bar: the bytes of each type, named in it where there is room."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for share in shares:
        figure.add_bar(
            x=[share.share],
            y=[""],
            orientation="h",
            text=[f"{escape(share.type)}<br>{share.bits_per_weight:g} bits" if share.share > 0.07 else ""],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            insidetextfont={"color": _readable_on(type_colour(share.type).on(dark=dark))},
            marker={"color": type_colour(share.type).on(dark=dark), "line": {"color": GRID.on(dark=dark), "width": 1}},
            hovertemplate=f"{escape(share.type)}: {share.n_bytes / 1e6:,.1f} MB, {share.tensors} ×<extra></extra>",
        )
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        barmode="stack",
        height=150,
        margin={"l": 8, "r": 8, "t": 48, "b": 8},
    )
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    figure.update_yaxes(visible=False)
    return figure


def _readable_on(colour: str) -> str:
    """Black or white, whichever has the higher contrast (WCAG 2.2, relative luminance)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#FFFFFF"


def tensor_map(cells: Sequence[Cell], *, words: Words, dark: bool = False) -> Figure:
    """Layer × tensor: a square for each, coloured by type, larger with its bytes. At the left what is in no layer."""
    import plotly.graph_objects as go

    kinds = list(dict.fromkeys(cell.kind for cell in cells))
    largest = max((cell.tensor.n_bytes for cell in cells), default=1)
    in_layers = max((cell.tensor.n_bytes for cell in cells if cell.layer is not None), default=largest)
    figure = go.Figure()
    for name in dict.fromkeys(cell.tensor.type.name for cell in cells):
        own = [cell for cell in cells if cell.tensor.type.name == name]
        figure.add_scatter(
            x=[-1.5 if cell.layer is None else cell.layer for cell in own],
            y=[kinds.index(cell.kind) for cell in own],
            mode="markers",
            name=escape(name),
            marker={
                "symbol": "square",
                "size": [4 + 14 * min(cell.tensor.n_bytes / in_layers, 1.6) ** 0.5 for cell in own],
                "color": type_colour(name).on(dark=dark),
                "line": {"width": 0},
                "opacity": 1,
            },
            customdata=[[escape(cell.tensor.name), _shape(cell), f"{cell.tensor.n_bytes / 1e6:,.2f}"] for cell in own],
            hovertemplate=f"%{{customdata[0]}}<br>{escape(name)} · %{{customdata[1]}}<br>%{{customdata[2]}} MB"
            "<extra></extra>",
        )
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": escape(words.title)},
        height=130 + 24 * max(len(kinds), 3),
        margin={"l": 8, "r": 8, "t": 72, "b": 8},
        showlegend=True,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(title_text=words.x, rangemode="normal", zeroline=False, dtick=5, tick0=0)
    names = [escape(kind.removesuffix(".weight")) for kind in kinds]
    figure.update_yaxes(
        tickvals=list(range(len(kinds))), ticktext=names, autorange="reversed", rangemode="normal", zeroline=False
    )
    return figure


def _shape(cell: Cell) -> str:
    return " × ".join(map(str, cell.tensor.shape))


def memory_csv(points: Sequence[Point]) -> bytes:
    """A line for each context length, bytes."""
    rows = [(p.context_length, p.needed.weights, p.needed.kv_cache, p.needed.compute, p.needed.total) for p in points]
    return _csv(("context_length", "weights", "kv_cache", "compute", "total"), rows)


def tensors_csv(cells: Sequence[Cell]) -> bytes:
    """A line for each tensor."""
    head = ("tensor", "layer", "type", "bits_per_weight", "shape", "parameters", "bytes")
    rows = [
        (
            cell.tensor.name,
            cell.layer,
            cell.tensor.type.name,
            cell.tensor.type.bits_per_weight,
            _shape(cell),
            cell.tensor.elements,
            cell.tensor.n_bytes,
        )
        for cell in cells
    ]
    return _csv(head, rows)


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    return table(head, [["" if cell is None else str(cell) for cell in row] for row in rows])
