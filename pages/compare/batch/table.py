"""The answers as a table: a line a model above, filters, a line an answer, and one answer whole where it is picked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.arena import batch_table
from core.arena.batch import Batch
from core.arena.batch_table import Row, Summary
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.compare.batch import one_answer
from pages.ui import error_box
from pages.ui.words import N_, _, count, money, ngettext, percent, rate, seconds

STATUS = {
    "waiting": N_("waiting"),
    "running": N_("being written"),
    "done": N_("done"),
    "failed": N_("failed"),
}
ALL = ""
CHECKED = {ALL: N_("All"), "passed": N_("Passed"), "not passed": N_("Not passed")}
MOST_LINES = 2000
"""A browser draws no longer table quickly."""

LOOK_S, PER_CELL_S = 2.0, 0.01
"""While it runs, the table is drawn anew after so long, and longer where it is long: drawing takes time from models."""


def show(workbench: Workbench, me: str, found: Batch) -> None:
    """Draws it; while the batch runs, again now and then."""
    every = max(LOOK_S, PER_CELL_S * found.spec.cells) if workbench.batches.running(found.id) else None
    st.fragment(_draw, run_every=every)(workbench, me, found)


def _draw(workbench: Workbench, me: str, found: Batch) -> None:
    try:
        cells = workbench.batches.cells(me, found.id)
        verdicts = workbench.batches.verdicts(me, found.id)
    except WorkbenchError as error:
        error_box.show(error)
        return
    rows = batch_table.rows(found, cells)
    _summary(batch_table.summaries(found, rows, verdicts))
    filters = _filters(found, rows)
    kept = [number for number, row in enumerate(rows) if _fits(row, filters)]
    picked = _table([rows[number] for number in kept])
    if picked is not None:
        one_answer.show(workbench, me, found, cells[kept[picked]])


def _summary(summaries: Sequence[Summary]) -> None:
    judged = any(one.wins is not None for one in summaries)
    lines: list[dict[str, str]] = []
    for one in summaries:
        line = {
            _("Model"): error_box.plain(one.model),
            _("Answers"): count(one.done),
            _("Failed"): count(one.failed),
            _("Writing"): rate(one.tokens_per_s) if one.done else "–",
            _("First token"): seconds(one.ttft_s) if one.done else "–",
            _("Words"): count(round(one.words)) if one.words is not None else "–",
            _("Checks passed"): percent(one.passed) if one.passed is not None else "–",
            _("Cost"): money(one.cost, one.currency or "USD").replace("$", "\\$") if one.cost is not None else "–",
        }
        if judged:
            line[_("Judge: won, tied, lost")] = f"{count(one.wins)} · {count(one.ties)} · {count(one.losses)}"
        lines.append(line)
    st.table(lines, border="horizontal", hide_index=True)


_Filters = tuple[Sequence[str], str, str, str]


def _filters(found: Batch, rows: Sequence[Row]) -> _Filters:
    """Which models, status, checks and words."""
    labels = [one.label for one in found.spec.models]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = st.text_input(_("Search"), key="batch-search", placeholder=_("in prompts and answers"), width=200)
        models = (
            st.multiselect(_("Models"), labels, key="batch-of", placeholder=_("All"), width=210)
            if len(labels) > 1
            else []
        )
        states = [state for state in STATUS if any(row.status == state for row in rows)]
        status = st.selectbox(
            _("State"),
            [ALL, *states],
            format_func=lambda state: _(STATUS[state]) if state else _("All"),
            key="batch-state",
            width=140,
        )
        checked = ALL
        if any(row.checks for row in rows):
            checked = st.selectbox(
                _("Checks"), list(CHECKED), format_func=lambda one: _(CHECKED[one]), key="batch-checked", width=140
            )
    return models, status, checked, words or ""


def _fits(row: Row, filters: _Filters) -> bool:
    models, status, checked, words = filters
    text = f"{row.prompt}\n{row.answer}".lower()
    return (
        (not models or row.model in models)
        and status in (ALL, row.status)
        and (checked == ALL or row.passed is (checked == "passed"))
        and all(word in text for word in words.lower().split())
    )


def _table(rows: Sequence[Row]) -> int | None:
    """The number of the row that is picked."""
    if not rows:
        st.caption(_("No answer fits these filters."))
        return None
    config = st.column_config
    shown = st.dataframe(
        _columns(rows[:MOST_LINES]),
        hide_index=True,
        key="batch-table",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "prompt": config.TextColumn(_("Prompt"), width="medium"),
            "model": config.TextColumn(_("Model"), width="small"),
            "answered_by": config.TextColumn(_("Answered by"), width="small", help=_("Whom the route chose.")),
            "repeat": config.NumberColumn(_("Repeat"), width="small"),
            "status": config.TextColumn(_("State"), width="small"),
            "answer": config.TextColumn(_("Answer"), width="large"),
            "passed": config.TextColumn(_("Checks"), width="small"),
            "rate": config.NumberColumn(_("tokens/s"), format="%.1f", help=_("Tokens a second, after the first one.")),
            "ttft": config.NumberColumn(_("first token, s"), format="%.2f"),
            "tokens": config.NumberColumn(_("tokens")),
            "cost": config.NumberColumn(_("cost"), format="%.6f", help=_("Empty where it is not known.")),
            "currency": config.TextColumn(_("currency")),
        },
    )
    number = ngettext("{count} answer", "{count} answers", len(rows))
    if len(rows) > MOST_LINES:
        number += " · " + _("the first {count} are shown", count=count(MOST_LINES))
    st.caption(number + " · " + _("Pick a line to read the whole answer."))
    picked = shown["selection"]["rows"]
    return picked[0] if picked and picked[0] < len(rows) else None


def _columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """By name; left out are those in which nothing is known, or every line has what one would think of anyway."""
    lines = [_line(row) for row in rows]
    columns = {name: [line[name] for line in lines] for name in lines[0]}
    plain = {"repeat": {1}, "status": {_(STATUS["done"])}}
    return {
        name: values
        for name, values in columns.items()
        if any(value is not None for value in values) and set(values) != plain.get(name)
    }


def _line(row: Row) -> dict[str, Any]:
    return {
        "prompt": f"{row.prompt_number}. {row.prompt}",
        "model": row.model,
        "answered_by": row.answered_by,
        "repeat": row.repeat,
        "status": _(STATUS[row.status]),
        "answer": row.answer or row.error or "",
        "passed": f"{row.checks_passed}/{row.checks}" if row.checks and row.checks_passed is not None else None,
        "rate": row.tokens_per_s,
        "ttft": row.ttft_s,
        "tokens": row.generated_tokens,
        "cost": row.cost,
        "currency": row.currency,
    }
