"""How far each type is from a whole tensor, and from all of them: root mean square, cosine, spread."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import block_plots
from core.errors import WorkbenchError
from core.gguf import block_view
from core.gguf.block_wire import Measured
from core.gguf.header import GGUF
from core.words import locale
from pages.quantization import charts, source
from pages.ui import chart, error_box
from pages.ui.words import _, language, number, percent

TYPES = ("Q8_0", "Q6_K", "Q5_K", "Q5_0", "Q4_K", "Q4_0", "Q3_K", "Q2_K")
OVERVIEW = ("Q8_0", "Q5_0", "Q4_0", "Q4_K", "Q3_K", "Q2_K")
OVERVIEW_WEIGHTS = 1 << 15
"""Weights of each tensor, where all are measured at once."""


def show(gguf: GGUF, name: str) -> None:
    """Draws the tensor's errors, and the way to those of all tensors."""
    try:
        (found,) = _measured(gguf.path, gguf.path.stat().st_mtime_ns, (name,), TYPES, block_view.MOST_WEIGHTS)
    except (WorkbenchError, OSError) as error:
        error_box.show(error if isinstance(error, WorkbenchError) else WorkbenchError())
        return
    if not found.errors:
        return
    worst = found.errors[-1]
    title = _(
        "{type} is off by {share} of what weights are, on average",
        type=worst.type,
        share=percent(worst.relative),
    )
    words = charts.words(title, x=_("size of a weight, and of an error"), parts={"weights": _("weights")})
    chart.show("errors", lambda dark: block_plots.histograms(found, words=words, dark=dark), title=title, name="errors")
    st.table([_line(found, place) for place in range(len(found.errors))], border="horizontal", hide_index=True)
    st.caption(
        _(
            "Measured on {used} of {all} weights. Relative: the error's root mean square to that of the weights. "
            "Cosine: 1 is the same direction.",
            used=number(found.weights),
            all=number(found.of),
        )
    )
    _all(gguf)


def _line(found: Measured, place: int) -> dict[str, str]:
    error = found.errors[place]
    return {
        _("Type"): error.type,
        _("Root mean square"): number(float(f"{error.rmse:.3g}")),
        _("Relative"): percent(error.relative),
        _("Cosine"): _exact(error.cosine),
        _("Largest"): number(float(f"{error.largest:.3g}")),
    }


def _exact(value: float) -> str:
    """With five digits after the point: the cosines of all types begin with the same ones."""
    from babel.numbers import format_decimal

    return str(format_decimal(value, "0.00000", locale=locale(language())))


def _all(gguf: GGUF) -> None:
    if not st.toggle(
        _("Every tensor"),
        key=f"errors-all-{gguf.path}",
        help=_("Measures a part of each tensor: some seconds for a small model."),
    ):
        return
    with st.spinner(_("Rounding every tensor …"), show_time=True):
        try:
            found = _measured(gguf.path, gguf.path.stat().st_mtime_ns, (), OVERVIEW, OVERVIEW_WEIGHTS)
        except (WorkbenchError, OSError) as error:
            error_box.show(error if isinstance(error, WorkbenchError) else WorkbenchError())
            return
    config = st.column_config
    by_type = {type: [_relative(one, type) for one in found] for type in OVERVIEW}
    st.dataframe(
        {"tensor": [one.name for one in found], **by_type},
        hide_index=True,
        key="errors-table",
        column_config={"tensor": config.TextColumn(_("Tensor"))}
        | {type: config.NumberColumn(type, format="%.2f %%") for type in OVERVIEW},
    )
    st.caption(_("Relative error by type; empty where the type's blocks do not divide the tensor's rows."))
    shapes = {tensor.name: " × ".join(map(str, tensor.shape)) for tensor in gguf.all_tensors}
    st.download_button(
        _("Save as CSV"),
        lambda: block_plots.errors_csv(found, shapes),
        file_name="errors.csv",
        mime="text/csv",
        key="errors-csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def _relative(one: Measured, type: str) -> float | None:
    return next((100 * error.relative for error in one.errors if error.type == type), None)


@st.cache_resource(max_entries=32, show_spinner=False)
def _measured(path: Path, changed: int, names: tuple[str, ...], types: tuple[str, ...], most: int) -> list[Measured]:
    return block_view.errors(source.opened(path), types, names=names, most=most)
