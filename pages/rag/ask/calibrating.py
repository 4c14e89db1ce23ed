"""How much meaning counts beside keywords: as the collection calibrated itself, with its curve, or as a person says."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import WorkbenchError
from core.rag.calibrate import Calibration
from core.rag.retrieve import UNCALIBRATED, Options
from core.rag.values import Collection
from core.rag_plots import CurveWords, calibration_csv, calibration_curve
from core.workbench import Workbench
from pages.ui import chart, error_box
from pages.ui.words import _, count, number, percent

BLIND = 0.5
"""Vectors that find less than this share of what keywords find hardly read the language."""

EQUAL = 0.02

CHOICES = ("calibrated", "own", "ranks")


def show(workbench: Workbench, me: str, key: str, collection: Collection, begun: Options) -> tuple[bool, float | None]:
    """Draws it. Returns whether ranks are fused, and the weight of the vectors; None: as calibrated."""
    found = workbench.finding.calibration(me, collection.id)
    names = {"calibrated": _("Calibrated"), "own": _("My own weight"), "ranks": _("By ranks")}
    first = "ranks" if begun.fusion == "rrf" else "calibrated" if begun.weight is None else "own"
    chosen = (
        st.segmented_control(
            _("Meaning and keywords together"),
            CHOICES,
            default=first,
            required=True,
            format_func=names.__getitem__,
            key=f"how-weighing-{key}",
        )
        or first
    )
    if chosen == "ranks":
        st.caption(_("Each passage counts by its two ranks alone. Bad where one of the two cannot read the language."))
        return True, None
    known = found.weight if found is not None and found.known else None
    weight = None
    if chosen == "own":
        weight = st.slider(
            _("Weight of the meaning"),
            0.0,
            1.0,
            begun.weight if begun.weight is not None else known if known is not None else UNCALIBRATED,
            0.05,
            key=f"how-weight-{key}",
            help=_("0: keywords alone. 1: meaning alone."),
        )
    _state(workbench, me, collection, found, weight)
    return False, weight


def meaning(found: Calibration) -> str:
    """What the curve says, in a sentence."""
    keywords, vectors, best = found.at(0.0) or 0.0, found.at(1.0) or 0.0, found.at(found.weight) or 0.0
    if vectors < BLIND * keywords:
        return _("This embedding hardly reads these documents: keyword search decides.")
    if keywords < BLIND * vectors:
        return _("Keywords hardly find anything here: the meaning decides.")
    if best - max(keywords, vectors) < EQUAL:
        return _("One of the two does nearly all: together they are hardly better.")
    return _("Together they find more than either alone.")


def _state(
    workbench: Workbench, me: str, collection: Collection, found: Calibration | None, weight: float | None
) -> None:
    running = workbench.finding.calibrating(me, collection.id)
    if running is not None:
        st.progress(running.fraction or 0.0, text=_("The collection is calibrating itself"))
    elif found is None or not found.known:
        st.caption(_("Not calibrated: there is too little text for it. Both count the same."))
    if found is not None and found.known:
        share = percent(found.weight)
        st.caption(
            f"{meaning(found)} "
            + _(
                "Meaning counts {share}, found out with {questions} questions.",
                share=share,
                questions=count(found.questions),
            )
        )
        curve = st.expander(_("The curve"), key=f"curve-{collection.id}", on_change="rerun")
        if curve.open:
            with curve:
                _curve(found, found.weight if weight is None else weight)
    st.button(
        _("Calibrate again"),
        key=f"calibrate-{collection.id}",
        icon=":material/tune:",
        disabled=running is not None,
        help=_(
            "Takes up to 300 sentences out of the passages, one at a time, and looks which weight finds the passage "
            "again without it. Nobody has to say what is right."
        ),
        on_click=partial(_again, workbench, me, collection.id),
    )


def _again(workbench: Workbench, me: str, id: str) -> None:
    try:
        workbench.finding.calibrate(me, id)
    except WorkbenchError as error:
        error_box.show(error)


def _curve(found: Calibration, used: float) -> None:
    words = CurveWords(
        title=meaning(found),
        weight=_("weight of the meaning"),
        measure="nDCG@10",
        keywords=_("keywords alone"),
        vectors=_("meaning alone"),
        chosen=number(used),
        separators=chart.separators(),
    )
    chart.show(
        "calibration",
        lambda dark: calibration_curve(found, words=words, used=used, dark=dark),
        title=words.title,
        name="calibration",
        csv=lambda: calibration_csv(found),
    )
