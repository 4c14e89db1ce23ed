"""Retrieval as plotly figures: a map of passages, ranks by stage, the calibration's curve, retrievers compared.

Sentences and labels come from the caller, as in core/plots.py, which has the colours and the template. Knows no
language.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.arena.spreadsheet import inert
from core.late import np
from core.plots import MODEL_COLOURS, ORIGIN_COLOURS, QUIET, TEXT, Colour, template
from core.race_plots import DASHES, plain
from core.rag.calibrate import Calibration
from core.rag.evaluate import Measured
from core.rag.fusion import Floats
from core.rag.values import Stage

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MAPPED = 2000
"""Passages that a map shows: more are a cloud, and slow in a browser."""

STAGES: tuple[Stage, ...] = ("dense", "bm25", "hybrid", "rerank", "mmr")
"""In their order."""

RETRIEVER_COLOURS: dict[str, Colour] = dict(
    zip(("dense", "bm25", "hybrid", "hybrid_rrf", "rerank"), MODEL_COLOURS, strict=False)
)


def projected(vectors: Floats, question: Floats) -> tuple[Floats, Floats, float]:
    """Places of the vectors and of the question in two dimensions, and the share of the variance that is in them.

    The two directions in which the vectors differ most (principal components); their signs are set, so that the map of
    the same vectors is always the same.
    """
    if not len(vectors):
        return np.zeros((0, 2)), np.zeros(2), 0.0
    middle = vectors.mean(axis=0)
    _, weights, axes = np.linalg.svd((vectors - middle).astype(np.float64), full_matrices=False)
    axes = axes[:2]
    if len(axes) < 2:
        axes = np.vstack([axes, np.zeros((2 - len(axes), vectors.shape[1]))])
    signs = np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)
    axes = axes * signs[:, np.newaxis]
    total = float((weights**2).sum())
    share = float((weights[:2] ** 2).sum()) / total if total > 0 else 0.0
    return (vectors - middle) @ axes.T, (question - middle) @ axes.T, share


@dataclass(frozen=True, slots=True, kw_only=True)
class MapWords:
    """`question`: what its point is called."""

    title: str
    question: str
    axes: tuple[str, str]
    separators: str = ".,"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPoint:
    """A passage on the map. `number`: that of the passage that was given; None for one that was not."""

    x: float
    y: float
    label: str
    number: int | None = None


def passage_map(
    points: Sequence[MapPoint], question: tuple[float, float], *, words: MapWords, dark: bool = False
) -> Figure:
    """All passages as points, those that were given with their numbers, the question as a star."""
    figure = _figure(words.title, words.separators, dark=dark, height=420)
    others = [one for one in points if one.number is None]
    given = [one for one in points if one.number is not None]
    figure.add_scatter(
        x=[one.x for one in others],
        y=[one.y for one in others],
        mode="markers",
        marker={"size": 6, "color": QUIET.on(dark=dark), "opacity": 0.45},
        text=[plain(one.label) for one in others],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=[one.x for one in given],
        y=[one.y for one in given],
        mode="markers+text",
        marker={"size": 13, "color": ORIGIN_COLOURS["documents"].on(dark=dark)},
        text=[str(one.number) for one in given],
        textposition="top center",
        customdata=[plain(one.label) for one in given],
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.add_scatter(
        x=[question[0]],
        y=[question[1]],
        mode="markers+text",
        marker={"size": 16, "symbol": "star", "color": ORIGIN_COLOURS["question"].on(dark=dark)},
        text=[words.question],
        textposition="bottom center",
        hoverinfo="skip",
    )
    for update, name in ((figure.update_xaxes, words.axes[0]), (figure.update_yaxes, words.axes[1])):
        update(title_text=name, rangemode="normal", showticklabels=False, zeroline=False)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True)
class RankWords:
    """`stages`: the names of the stages by their own."""

    title: str
    rank: str
    stages: Mapping[Stage, str]
    separators: str = ".,"


def rank_paths(ranks: Sequence[tuple[str, Mapping[Stage, int]]], *, words: RankWords, dark: bool = False) -> Figure:
    """A line for each passage through its ranks at the stages, the best on top; named at its end."""
    figure = _figure(words.title, words.separators, dark=dark, height=360)
    shown = [stage for stage in STAGES if any(stage in of for _, of in ranks)]
    ends: list[tuple[int, int, str]] = []
    for number, (label, of) in enumerate(ranks):
        stages = [stage for stage in shown if stage in of]
        if not stages:
            continue
        figure.add_scatter(
            x=[shown.index(stage) for stage in stages],
            y=[of[stage] for stage in stages],
            name=plain(label),
            mode="lines+markers",
            line={
                "color": MODEL_COLOURS[number % len(MODEL_COLOURS)].on(dark=dark),
                "dash": DASHES[number % len(DASHES)],
                "width": 2,
            },
            marker={"size": 9},
            hovertemplate="%{fullData.name}: %{y}<extra></extra>",
        )
        ends.append((shown.index(stages[-1]), of[stages[-1]], label))
    for x, y, label in ends:
        figure.add_annotation(
            x=x, y=_log(y), text=plain(label), showarrow=False, xanchor="left", xshift=8, font={"size": 12}
        )
    figure.update_xaxes(
        tickvals=list(range(len(shown))),
        ticktext=[words.stages[stage] for stage in shown],
        range=[-0.2, len(shown) - 1 + 0.9],
        rangemode="normal",
    )
    deepest = max((rank for _, of in ranks for rank in of.values()), default=1)
    figure.update_yaxes(
        title_text=words.rank,
        type="log",
        range=[_log(deepest * 1.25), _log(0.85)],
        tickvals=[tick for tick in (1, 2, 3, 5, 10, 20, 50, 100) if tick <= deepest],
    )
    return figure


def ranks_csv(ranks: Sequence[tuple[str, Mapping[Stage, int]]]) -> str:
    """One line for each passage: its ranks by stage."""
    return _csv(("passage", *STAGES), ((inert(label), *(of.get(stage, "") for stage in STAGES)) for label, of in ranks))


def map_csv(points: Sequence[MapPoint], question: tuple[float, float]) -> str:
    """One line for each passage, the question's first: where it is on the map, and its number."""
    rows: list[tuple[str, int | str, float, float]] = [("question", "", *question)]
    rows += [(inert(one.label), one.number or "", one.x, one.y) for one in points]
    return _csv(("passage", "number", "x", "y"), ((name, n, f"{x:.6f}", f"{y:.6f}") for name, n, x, y in rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveWords:
    """`keywords`, `vectors`: what the two ends are; `chosen`: what the marked point is called."""

    title: str
    weight: str
    measure: str
    keywords: str
    vectors: str
    chosen: str
    separators: str = ".,"


def calibration_curve(found: Calibration, *, words: CurveWords, used: float, dark: bool = False) -> Figure:
    """nDCG@10 by the weight of the vectors; the weight in use is marked. used: 0 … 1."""
    figure = _figure(words.title, words.separators, dark=dark, height=300)
    figure.add_scatter(
        x=[weight for weight, _ in found.curve],
        y=[gain for _, gain in found.curve],
        mode="lines+markers",
        line={"color": ORIGIN_COLOURS["system"].on(dark=dark), "width": 2.5},
        hovertemplate="%{x:.2f}: %{y:.3f}<extra></extra>",
    )
    height = found.at(used)
    if height is not None:
        figure.add_scatter(
            x=[used],
            y=[height],
            mode="markers+text",
            marker={"size": 14, "symbol": "diamond", "color": ORIGIN_COLOURS["question"].on(dark=dark)},
            text=[words.chosen],
            textposition="top center",
            hoverinfo="skip",
        )
    for x, label, anchor in ((0, words.keywords, "left"), (1, words.vectors, "right")):
        figure.add_annotation(
            x=x, y=0, yref="paper", text=label, showarrow=False, xanchor=anchor, yanchor="bottom", font={"size": 12}
        )
    figure.update_xaxes(title_text=words.weight, range=[-0.02, 1.02])
    figure.update_yaxes(title_text=words.measure, range=[0, 1.12])
    return figure


def calibration_csv(found: Calibration) -> str:
    """One line for each weight: it, and nDCG@10."""
    return _csv(("weight", "ndcg@10"), ((f"{weight:.2f}", f"{gain:.6f}") for weight, gain in found.curve))


@dataclass(frozen=True, slots=True, kw_only=True)
class BarWords:
    """`names`: what each retriever is called; `values`: each mean in words, written at its bar."""

    title: str
    measure: str
    names: Mapping[str, str]
    values: Mapping[str, str]
    separators: str = ".,"


def measure_bars(measured: Sequence[Measured], measure: str, *, words: BarWords, dark: bool = False) -> Figure:
    """A bar for each retriever, with the interval in which its mean lies."""
    figure = _figure(words.title, words.separators, dark=dark, height=90 + 44 * len(measured))
    figure.update_layout(margin={"l": 8, "r": 60, "t": 48, "b": 8}, bargap=0.45)
    ordered = list(reversed(measured))
    means = [one.means[measure] for one in ordered]
    figure.add_bar(
        y=[plain(words.names.get(one.name, one.name)) for one in ordered],
        x=[mean.mean for mean in means],
        orientation="h",
        marker={
            "color": [RETRIEVER_COLOURS.get(one.name, MODEL_COLOURS[-1]).on(dark=dark) for one in ordered],
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [mean.high - mean.mean for mean in means],
            "arrayminus": [mean.mean - mean.low for mean in means],
            "color": TEXT.on(dark=dark),
            "thickness": 1.5,
        },
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    for one, mean in zip(ordered, means, strict=True):
        figure.add_annotation(
            x=max(mean.high, mean.mean),
            y=plain(words.names.get(one.name, one.name)),
            text=words.values.get(one.name, ""),
            showarrow=False,
            xanchor="left",
            xshift=8,
        )
    figure.update_xaxes(title_text=words.measure, range=[0, 1.15])
    return figure


def measured_csv(measured: Sequence[Measured]) -> str:
    """One line for each question and retriever: its measures, the rank of the first right passage."""
    names = list(measured[0].means) if measured else []
    rows = (
        (
            *(inert(text) for text in (one.name, row.question.id, row.question.text)),
            row.rank or "",
            *(f"{row.scores[name]:.6f}" for name in names),
        )
        for one in measured
        for row in one.rows
    )
    return _csv(("retriever", "id", "question", "rank", *names), rows)


def _figure(title: str, separators: str, *, dark: bool, height: int) -> Figure:
    import plotly.graph_objects as go

    figure = go.Figure(layout={"template": template(dark=dark, separators=separators)})
    figure.update_layout(title={"text": title}, height=height, margin={"l": 8, "r": 8, "t": 48, "b": 8})
    return figure


def _log(value: float) -> float:
    return float(np.log10(value))


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(head)
    out.writerows(rows)
    return text.getvalue()
