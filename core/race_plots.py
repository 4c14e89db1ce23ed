"""Answers side by side as plotly figures: tokens over time, the figures as bars, where two part. Knows no language.

Sentences and labels come from the caller, as in core/plots.py, which has the colours and the template.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.arena.spreadsheet import inert
from core.events import Alternative, Finished
from core.plots import QUIET, Colour, model_colours, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""The pattern of each line, so that none is told by its colour alone."""

BAR_PX, ROW_PX = 26, 24


def pane_colours(model_ids: Sequence[str]) -> list[Colour]:
    """A colour for each pane: its model's, and for a second pane of one model another one."""
    keys = [f"{id} {model_ids[:at].count(id) or ''}".strip() for at, id in enumerate(model_ids)]
    colours = model_colours(keys)
    return [colours[key] for key in keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One answer: what its line is called, its colour, how it ended."""

    label: str
    colour: Colour
    finished: Finished

    def points(self) -> list[tuple[float, int]]:
        """(seconds since the model was asked, tokens until then); first and last only, where no more is known."""
        timings, written = self.finished.timings, self.finished.usage.generated_tokens
        if timings.at:
            return [(at, number) for number, at in enumerate(timings.at, start=1)]
        if timings.ttft_s is None or timings.end_to_end_s is None or not written:
            return []
        return [(timings.ttft_s, 0), (timings.end_to_end_s, written)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceWords:
    """`hover`: what a point says, with plotly's `%{x}` and `%{y}` in it."""

    title: str
    seconds: str
    tokens: str
    hover: str
    separators: str = ".,"


def race(lanes: Sequence[Lane], *, words: RaceWords, dark: bool = False) -> Figure:
    """Tokens over time, each line named at its end. A line between two points is the average of what is not known."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={"template": template(dark=dark, separators=words.separators)})
    figure.update_layout(title={"text": words.title}, height=300, margin={"l": 8, "r": 150, "t": 48, "b": 8})
    ends = []
    for number, lane in enumerate(lanes):
        points = lane.points()
        if not points:
            continue
        figure.add_scatter(
            x=[seconds for seconds, _ in points],
            y=[tokens for _, tokens in points],
            name=plain(lane.label),
            mode="lines" if lane.finished.timings.at else "lines+markers",
            line={"color": lane.colour.on(dark=dark), "width": 2.5, "dash": DASHES[number % len(DASHES)]},
            hovertemplate=words.hover + "<extra>%{fullData.name}</extra>",
        )
        ends.append((*points[-1], lane))
    top = max((tokens for _, tokens, _ in ends), default=1)
    figure.update_xaxes(title_text=words.seconds)
    figure.update_yaxes(title_text=words.tokens, range=[0, 1.08 * top])
    _name_ends(figure, ends, apart=0.075 * top)
    return figure


def _name_ends(figure: Figure, ends: Sequence[tuple[float, int, Lane]], *, apart: float) -> None:
    """The label at each line's end, those that would lie over each other pushed up. apart: the least between two."""
    below = -math.inf
    for seconds, tokens, lane in sorted(ends, key=lambda end: end[1]):
        below = max(float(tokens), below + apart)
        figure.add_annotation(
            x=seconds, y=below, text=plain(lane.label), showarrow=False, xanchor="left", xshift=6, font={"size": 12}
        )


def race_csv(lanes: Sequence[Lane]) -> str:
    """One line for each point: whose it is, its number of tokens, seconds since the model was asked."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(("answer", "tokens", "at_s"))
    for lane in lanes:
        out.writerows((inert(lane.label), tokens, f"{seconds:.6f}") for seconds, tokens in lane.points())
    return text.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One pane's value of a figure: the middle one of `n` answers. `text`: it, in words. None: unknown."""

    label: str
    colour: Colour
    value: float | None
    text: str


def bars(rows: Sequence[Bar], *, title: str, dark: bool = False) -> Figure:
    """Horizontal bars from zero, each with its value beside it; an unknown one has only the words."""
    import plotly.graph_objects as go

    labels = [plain(row.label) for row in rows]
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=[row.value or 0 for row in rows],
        y=labels,
        orientation="h",
        text=[row.text for row in rows],
        textposition="outside",
        cliponaxis=False,
        marker={"color": [row.colour.on(dark=dark) for row in rows]},
        hoverinfo="skip",
    )
    top = max((row.value or 0 for row in rows), default=0) or 1
    figure.update_xaxes(visible=False, range=[0, 3.0 * top])
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    figure.update_layout(
        title={"text": title, "font": {"size": 13}},
        height=52 + BAR_PX * len(rows),
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
    )
    return figure


def alternatives(
    top: Sequence[Alternative],
    chosen: str,
    *,
    title: str,
    colour: Colour,
    percent: Callable[[float], str],
    dark: bool = False,
) -> Figure:
    """What a model held probable at one place: a bar a token, the chosen one in the model's colour and marked.

    percent: writes a share from 0 to 1.
    """
    labels = [f"{'▸ ' if one.text == chosen else ''}{visible(one.text)}" for one in top]
    # Two tokens can look alike, and bars of one name would be one bar.
    labels = [label + "\u200b" * labels[:at].count(label) for at, label in enumerate(labels)]
    rows = [
        Bar(
            label=label,
            colour=colour if one.text == chosen else QUIET,
            value=math.exp(one.logprob),
            text=percent(math.exp(one.logprob)),
        )
        for label, one in zip(labels, top, strict=True)
    ]
    figure = bars(rows, title=title, dark=dark)
    figure.update_layout(height=52 + ROW_PX * len(rows))
    return figure


def visible(token: str) -> str:
    """A token's text with its spaces and line breaks to be seen."""
    return token.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")


def plain(text: str) -> str:
    """A text with nothing in it that plotly takes for a tag."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
