"""One figure of all answers by model and prompt, category or language: folded away until it is asked for."""

from __future__ import annotations

import streamlit as st

from core.arena import batch_table
from core.arena.batch import Batch
from core.arena.batch_table import FIGURES, GROUPS, By, Figure, Pivot
from core.workbench import Workbench
from pages.ui.words import N_, _

BY: dict[By, str] = {"prompt": N_("Prompt"), "category": N_("Category"), "language": N_("Language")}


def show(workbench: Workbench, me: str, found: Batch) -> None:
    """Draws the choice and the means."""
    fold = st.expander(_("Means by model"), icon=":material/pivot_table_chart:", key="batch-means", on_change="rerun")
    if not fold.open:
        return
    with fold:
        row = st.container(horizontal=True, vertical_alignment="bottom")
        figure: Figure = row.selectbox(
            _("Figure"), list(FIGURES), format_func=lambda name: _(FIGURES[name]), key="batch-figure", width=320
        )
        by: By = row.selectbox(
            _("Lines"), list(GROUPS), format_func=lambda name: _(BY[name]), key="batch-by", width=200
        )
        rows = batch_table.rows(found, workbench.batches.cells(me, found.id))
        _table(batch_table.pivot(rows, figure, by=by), figure, _(BY[by]))


def _table(pivot: Pivot, figure: Figure, name: str) -> None:
    if not any(value is not None for line in pivot.values for value in line):
        st.caption(_("This figure is not known of any answer."))
        return
    share = figure == "passed"
    form = "%.0f %%" if share else "%.6f" if figure == "cost" else "%.2f"
    means = {
        model: [value * 100 if share and value is not None else value for value in values]
        for model, values in zip(pivot.models, zip(*pivot.values, strict=True), strict=True)
    }
    st.dataframe(
        {name: list(pivot.groups), **means},
        hide_index=True,
        column_config={model: st.column_config.NumberColumn(model, format=form) for model in pivot.models},
        key="batch-pivot",
    )
    if pivot.currency is not None:
        st.caption(
            _("In {currency} an answer; answers whose price is not known are left out.", currency=pivot.currency)
        )
