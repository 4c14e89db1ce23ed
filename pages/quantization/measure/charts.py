"""A study's plots, each with its title in words and its numbers as a file. Imports plotly: call it where seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import streamlit as st

from core import quantization_plots as plots
from core.errors import WorkbenchError
from core.gguf import memory, reader, verdict
from core.gguf.estimates import Divergence
from core.gguf.study import Row, Study
from core.workbench import Workbench
from pages.ui import chart
from pages.ui.words import _, number, percent, size

POINTS = 16
"""Context lengths at which the memory is computed."""

LONGEST = 32768
"""Tokens, where a file does not say what its model was trained for."""


def show(workbench: Workbench, study: Study, rows: Sequence[Row]) -> None:
    """Draws them, two beside each other."""
    left, right = st.columns(2)
    with left:
        _size(rows)
    with right:
        _speed(study, rows)
    left, right = st.columns(2)
    with left:
        _percentiles(rows)
    with right:
        _memory(workbench, rows)


def _size(rows: Sequence[Row]) -> None:
    places = plots.by_size(rows)
    if len(places) < 2:
        return
    words = _words(_size_title(rows), x=_("size of the file, MB"), y=_("mean KL divergence from the reference"))
    on_front = plots.best(places, less_is_better=True)
    chart.show(
        "study-size",
        lambda dark: plots.against(places, on_front, words=words, dark=dark),
        title=words.title,
        name="study-size",
    )
    st.caption(_("Filled points, joined by a line, are the Pareto front: no other one is both smaller and closer."))


def _size_title(rows: Sequence[Row]) -> str:
    """The smallest one, in a sentence."""
    reference = next((row for row in rows if row.reference and row.bytes), None)
    measured = [row for row in rows if not row.reference and row.bytes and row.quality]
    if reference is None or not measured:
        return _("Quality against size")
    least = min(measured, key=lambda row: row.bytes or 0)
    found = least.quality.figures if least.quality else None
    if found is None or found.ratio is None or not reference.bytes or not least.bytes:
        return _("Quality against size")
    return _(
        "{name} is {size} of the size at {ratio} × the perplexity",
        name=least.name,
        size=percent(least.bytes / reference.bytes),
        ratio=number(float(f"{found.ratio.value:.3g}")),
    )


def _speed(study: Study, rows: Sequence[Row]) -> None:
    places = plots.by_speed(rows)
    if len(places) < 2:
        return
    fastest = verdict.fastest(study.spec, rows)
    title = _("Quality against speed")  # no winner where there is none
    if fastest is not None and fastest.winner in places:
        rate = number(float(f"{places[fastest.winner].at:.3g}"))
        title = _("{name} wrote {rate} tokens/s, the most", name=fastest.winner, rate=rate)
    words = _words(
        title,
        x=_("tokens/s while writing"),
        y=_("mean KL divergence from the reference"),
    )
    on_front = plots.best(places, less_is_better=False)
    chart.show(
        "study-speed",
        lambda dark: plots.against(places, on_front, words=words, dark=dark),
        title=words.title,
        name="study-speed",
    )


def _percentiles(rows: Sequence[Row]) -> None:
    found: dict[str, Divergence] = {
        row.name: row.quality.figures.kl for row in rows if row.quality and row.quality.figures.kl
    }
    if not found:
        return
    worst = max(found, key=lambda name: found[name].p99)
    words = _words(
        _(
            "One token in a hundred is off by {kl} or more with {name}",
            name=worst,
            kl=number(float(f"{found[worst].p99:.2g}")),
        ),
        x=_("share of the tokens that is below"),
        y=_("KL divergence"),
        ticks=(percent(0.5), percent(0.9), percent(0.95), percent(0.99), f"{number(99.9)} %", _("all")),
    )
    chart.show(
        "study-percentiles",
        lambda dark: plots.percentiles(found, words=words, dark=dark),
        title=words.title,
        name="study-percentiles",
    )


def _memory(workbench: Workbench, rows: Sequence[Row]) -> None:
    curves = _curves(rows)
    if not curves:
        return
    budget = workbench.shelf.budget_bytes
    largest = max((curve[-1][1], name) for name, curve in curves.items())
    words = _words(
        _("With its longest context {name} takes {taken}", name=largest[1], taken=size(largest[0], estimated=True)),
        x=_("context length, tokens"),
        y=_("memory, GB, estimated"),
        line=_("what models may take: {budget}", budget=size(budget)),
    )
    chart.show(
        "study-memory",
        lambda dark: plots.memory(curves, budget, words=words, dark=dark),
        title=words.title,
        name="study-memory",
        csv=lambda: plots.memory_csv(curves),
    )


def _curves(rows: Sequence[Row]) -> Mapping[str, Sequence[tuple[int, int]]]:
    curves: dict[str, Sequence[tuple[int, int]]] = {}
    for row in rows:
        if row.path is None:
            continue
        with suppress(WorkbenchError, OSError):  # it is gone, or damaged: then it has no curve
            status = row.path.stat()
            curves[row.name] = _curve(row.path, status.st_size, status.st_mtime_ns)
    return curves


@lru_cache(maxsize=64)
def _curve(path: Path, size: int, changed: int) -> Sequence[tuple[int, int]]:
    """Context lengths and bytes, of a file as it stands."""
    gguf = reader.read(path)
    longest = gguf.context_length or LONGEST
    lengths = sorted({max(256, longest * step // POINTS) for step in range(1, POINTS + 1)})
    return [(one, memory.estimate(gguf, context_length=one).total) for one in lengths]


def _words(title: str, *, x: str = "", y: str = "", ticks: tuple[str, ...] = (), line: str = "") -> plots.Words:
    return plots.Words(title=title, x=x, y=y, ticks=ticks, line=line, separators=chart.separators())
