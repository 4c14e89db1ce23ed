"""The table of a study: what each variant is, costs and gives, every figure with its standard error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from core import quantization_plots
from core.gguf.estimates import Estimate
from core.gguf.speed import Rate
from core.gguf.study import Row
from pages.ui.words import _, number, percent, seconds, size


def show(rows: Sequence[Row]) -> None:
    """Draws it, and its numbers as a file."""
    columns = _columns()
    cells = [[draw(row) for _title, _help, draw in columns] for row in rows]
    st.dataframe(
        {title: [line[place] for line in cells] for place, (title, _help, _draw) in enumerate(columns)},
        column_config={title: st.column_config.TextColumn(help=help) for title, help, _draw in columns},
        hide_index=True,
        width="stretch",
        key="study-table",
    )
    st.download_button(
        _("Save as CSV"),
        lambda: quantization_plots.rows_csv(rows),
        file_name="quantizations.csv",
        mime="text/csv",
        key="study-csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


Column = tuple[str, str, Callable[[Row], str]]


def _columns() -> list[Column]:
    """Title, what it means, and how a row is written in it."""
    return [
        (_("Model"), _("The type that the source was quantized to, or the file."), _name),
        (_("Size"), _("Of the file."), lambda row: size(row.bytes)),
        (
            _("Perplexity"),
            _(
                "How many tokens the model hesitates between: e to the mean of −ln p of the token that came. "
                "Less is better; only figures on the same text can be compared."
            ),
            lambda row: _estimate(_of(row, "perplexity")),
        ),
        (
            _("Ratio"),
            _("Perplexity ÷ that of the reference. Its error is small, as both read the same tokens."),
            lambda row: _estimate(_of(row, "ratio"), digits=4),
        ),
        (
            _("KL divergence"),
            _("How far the distribution over the next token is from the reference's, on average: 0 is the same."),
            lambda row: _estimate(_mean(row)),
        ),
        (
            _("Same next token"),
            _("How often the variant and the reference hold the same token most probable."),
            lambda row: _share(_of(row, "same_top")),
        ),
        (
            _("Reads, tokens/s"),
            _("Tokens of a prompt a second: 512 at once (pp512)."),
            lambda row: _rate(row.speed.read if row.speed else None),
        ),
        (
            _("Writes, tokens/s"),
            _("Tokens of an answer a second: 128 one by one (tg128)."),
            lambda row: _rate(row.speed.write if row.speed else None),
        ),
        (
            _("Loads in"),
            _("From the file to a context. The first time after a start of the machine it takes longer."),
            lambda row: seconds(row.speed.load_s) if row.speed else "–",
        ),
        (
            _("Memory"),
            _("The most that the process had at once while it was timed, weights that were read included."),
            lambda row: size(row.speed.peak_bytes) if row.speed else "–",
        ),
        (
            _("KL, 99th percentile"),
            _("One token in a hundred is further off than this."),
            lambda row: number(row.quality.figures.kl.p99) if row.quality and row.quality.figures.kl else "–",
        ),
        (
            _("Δp, RMS"),
            _("How much the probability of the token that came differs from the reference's: root mean square."),
            lambda row: _share(_of(row, "delta_p_rms")),
        ),
    ]


def _name(row: Row) -> str:
    return _("{name} (reference)", name=row.name) if row.reference else row.name


def _of(row: Row, figure: Literal["perplexity", "ratio", "same_top", "delta_p_rms"]) -> Estimate | None:
    if row.quality is None:
        return None
    found: Estimate | None = getattr(row.quality.figures, figure)
    return found


def _mean(row: Row) -> Estimate | None:
    return row.quality.figures.kl.mean if row.quality is not None and row.quality.figures.kl is not None else None


def _estimate(value: Estimate | None, *, digits: int = 3) -> str:
    if value is None:
        return "–"
    return f"{number(float(f'{value.value:.{digits}g}'))} ± {number(float(f'{value.error:.2g}'))}"


def _share(value: Estimate | None) -> str:
    return f"{percent(value.value)} ± {percent(value.error)}" if value is not None else "–"


def _rate(value: Rate | None) -> str:
    if value is None:
        return "–"
    return f"{number(float(f'{value.mean:.3g}'))} ± {number(float(f'{value.deviation:.2g}'))}"
