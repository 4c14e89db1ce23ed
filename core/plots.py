"""Timings in, plotly figures out. Holds the palettes and the one plotly template.

Every colour is a pair (on light, on dark), after Okabe and Ito ("Color Universal Design", 2008), moved until any two of
a palette stay apart for people with protanopia, deuteranopia and tritanopia, and each colour but `free` has a contrast
of 3 or more on its background. Knows no language: sentences and labels come from the caller. Plotly is imported when a
figure is made, never before.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal
from zlib import crc32

from core.events import Origin, Timings
from core.metrics import gaps

if TYPE_CHECKING:
    from plotly.graph_objects import Figure
    from plotly.graph_objects.layout import Template


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour with its two shades, `#RRGGBB`."""

    light: str
    dark: str

    def on(self, *, dark: bool) -> str:
        """The shade for a light or a dark background."""
        return self.dark if dark else self.light


_BLUE = Colour("#03478F", "#3B6FE9")
_SKY = Colour("#5A84E8", "#AAECF2")
_GREEN = Colour("#00A05F", "#00B474")
_YELLOW = Colour("#B28500", "#E9D444")
_VERMILION = Colour("#A8380F", "#D8641F")
_PURPLE = Colour("#CB5FB4", "#C57CC4")
_GREY = Colour("#4A4A4A", "#7C8490")

ORIGIN_COLOURS: dict[Origin | Literal["free"], Colour] = {
    "system": _BLUE,
    "history": _SKY,
    "documents": _GREEN,
    "tools": _YELLOW,
    "question": _VERMILION,
    "answer": _PURPLE,
    "free": Colour("#DDE1E7", "#3C424D"),
}
"""Where tokens in the context come from, in the order they are drawn."""

MODEL_COLOURS = (_BLUE, _VERMILION, _GREEN, _PURPLE, _SKY, _YELLOW, _GREY)

TEXT = Colour("#2B2F36", "#E3E6EA")
QUIET = Colour("#646B76", "#A3ABB7")
GRID = Colour("#E4E7EC", "#343A45")

WINDOW = 8
"""Tokens over which the speed at one moment is taken."""


def model_colours(models: Sequence[str]) -> dict[str, Colour]:
    """A colour for each model id: always the same one, unless an id before it in `models` has taken that."""
    chosen: dict[str, Colour] = {}
    for model in dict.fromkeys(models):
        start = crc32(model.encode()) % len(MODEL_COLOURS)
        order = MODEL_COLOURS[start:] + MODEL_COLOURS[:start]
        chosen[model] = next((colour for colour in order if colour not in chosen.values()), order[0])
    return chosen


def template(*, dark: bool = False, separators: str = ".,") -> Template:
    """The look of every figure. `separators`: the decimal mark, then the mark between thousands."""
    import plotly.graph_objects as go

    text, quiet, grid = TEXT.on(dark=dark), QUIET.on(dark=dark), GRID.on(dark=dark)
    family = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'
    axis = {
        "gridcolor": grid,
        "zerolinecolor": grid,
        "linecolor": grid,
        "tickfont": {"color": quiet, "size": 12},
        "title": {"font": {"color": quiet, "size": 12}},
        "automargin": True,
        "rangemode": "tozero",
    }
    return go.layout.Template(
        layout={
            "font": {"family": family, "size": 13, "color": text},
            "title": {"x": 0, "xref": "container", "xanchor": "left", "font": {"size": 15, "color": text}},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": quiet, "activecolor": text},
            "hoverlabel": {"font": {"family": family}},
            "colorway": [colour.on(dark=dark) for colour in MODEL_COLOURS],
            "separators": separators,
            "showlegend": False,
            "xaxis": axis,
            "yaxis": axis,
        }
    )


Course = Literal["steady", "slowing", "quickening", "uneven"]


def course(at: Sequence[float]) -> Course | None:
    """How the speed went over an answer; None below two windows of tokens, where nothing can be said.

    `uneven`: gaps of over three times the median take more than a tenth of the time. Otherwise the second half of the
    answer is set against the first: more than a tenth faster is `quickening`, more than a tenth slower `slowing`.
    """
    middle = len(at) // 2
    if len(at) < 2 * WINDOW or at[middle] == at[0] or at[-1] == at[middle]:
        return None
    waits = gaps(at)
    usual = median(waits)
    pauses = sum(wait for wait in waits if wait > 3 * usual)
    if pauses > 0.1 * (at[-1] - at[0]):
        return "uneven"
    first = middle / (at[middle] - at[0])
    second = (len(at) - 1 - middle) / (at[-1] - at[middle])
    return "quickening" if second > 1.1 * first else "slowing" if second < 0.9 * first else "steady"


def sliding_rate(at: Sequence[float], *, window: int = WINDOW) -> list[tuple[float, float]]:
    """(moment in seconds, tokens/s over the `window` tokens before it); a shorter window for a short answer."""
    window = max(1, min(window, (len(at) - 1) // 2))
    spans = ((late, late - early) for early, late in zip(at, at[window:], strict=False))
    return [(moment, window / span) for moment, span in spans if span > 0]


def answer_csv(timings: Timings) -> str:
    """One line for each generated token: its number, seconds since the request, seconds since the token before it."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(("token", "at_s", "gap_s"))
    waits: list[float | None] = [None, *gaps(timings.at)]
    for number, (at, gap) in enumerate(zip(timings.at, waits, strict=False), start=1):
        out.writerow((number, f"{at:.6f}", "" if gap is None else f"{gap:.6f}"))
    return text.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedWords:
    """What `answer_speed` writes, in the reader's language and with figures already formatted.

    `rate`, `gap`: the names of the two panels, with units. `overall`, `median`, `p95`, `first_token`: labels of the
    lines, and of the band before the first token.
    """

    title: str
    rate: str
    gap: str
    seconds: str
    first_token: str
    overall: str
    median: str
    p95: str
    separators: str = ".,"


def answer_speed(timings: Timings, *, words: SpeedWords, dark: bool = False) -> Figure:
    """Speed over one answer, by seconds since the request: tokens/s above, gaps between tokens (ms) below."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.58, 0.42],
        vertical_spacing=0.2,
        subplot_titles=(words.rate, words.gap),
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 12, "color": QUIET.on(dark=dark)})
    figure.update_layout(
        template=template(dark=dark, separators=words.separators),
        title={"text": words.title, "y": 0.98, "yanchor": "top"},
        height=320,
        margin={"l": 8, "r": 128, "t": 64, "b": 8},
        hovermode="x",
    )
    end = timings.at[-1] if timings.at else 1.0
    figure.update_xaxes(range=[0, end * 1.01])
    figure.update_xaxes(title_text=words.seconds, row=2, col=1)
    _first_token_band(figure, timings, words.first_token, dark=dark)
    _rate_panel(figure, timings, words, colour=_BLUE.on(dark=dark))
    _gap_panel(figure, timings, words, colour=_VERMILION.on(dark=dark))
    return figure


def _first_token_band(figure: Figure, timings: Timings, label: str, *, dark: bool) -> None:
    if timings.ttft_s is None:
        return
    figure.add_vrect(
        x0=0,
        x1=timings.ttft_s,
        fillcolor=QUIET.on(dark=dark),
        opacity=0.18,
        line_width=0,
        layer="below",
        exclude_empty_subplots=False,
    )
    figure.add_annotation(
        x=0,
        y=1,
        yref="y domain",
        text=label,
        showarrow=False,
        xanchor="left",
        yanchor="top",
        font={"size": 12, "color": TEXT.on(dark=dark)},
    )


def _rate_panel(figure: Figure, timings: Timings, words: SpeedWords, *, colour: str) -> None:
    points = sliding_rate(timings.at)
    if not points:
        return
    figure.add_scatter(
        x=[moment for moment, _ in points],
        y=[rate for _, rate in points],
        mode="lines",
        line={"color": colour, "width": 2},
        hovertemplate="%{y:.1f} tokens/s<extra></extra>",
        row=1,
        col=1,
    )
    figure.update_yaxes(range=[0, 1.3 * max(rate for _, rate in points)], nticks=4, row=1, col=1)
    if timings.decode_rate is not None:
        _line_with_label(figure, timings.decode_rate, words.overall, row=1, colour=colour)


def _gap_panel(figure: Figure, timings: Timings, words: SpeedWords, *, colour: str) -> None:
    waits = gaps(timings.at)
    if not waits:
        return
    figure.add_scatter(
        x=list(timings.at[1:]),
        y=[1000 * gap for gap in waits],
        mode="lines",
        line={"color": colour, "width": 1, "shape": "vh"},
        hovertemplate="%{y:.1f} ms<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_yaxes(range=[0, 1100 * max(waits) or 1], nticks=4, row=2, col=1)
    middle, p95 = timings.inter_token_latency_median_s, timings.inter_token_latency_p95_s
    if middle is not None:
        _line_with_label(figure, 1000 * middle, words.median, row=2, colour=colour, anchor="top")
    if p95 is not None:
        _line_with_label(figure, 1000 * p95, words.p95, row=2, colour=colour, anchor="bottom")


def _line_with_label(figure: Figure, y: float, label: str, *, row: int, colour: str, anchor: str = "middle") -> None:
    """A thin line across the panel, named in the right margin. Two lines close together: anchor one up, one down."""
    figure.add_hline(y=y, line={"color": colour, "width": 1, "dash": "dot"}, opacity=0.7, row=row, col=1)
    figure.add_annotation(
        x=1.01,
        xref="x domain",
        y=y,
        text=label,
        showarrow=False,
        xanchor="left",
        yanchor=anchor,
        font={"size": 12},
        row=row,
        col=1,
    )
