"""See a block: some weights that follow each other, and what 8, 6, 5, 4, 3 and 2 bits make of them, step by step."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import block_plots
from core.errors import WorkbenchError
from core.gguf import block_view
from core.gguf.block_view import Block
from core.gguf.header import GGUF
from pages.quantization import charts, source
from pages.quantization.quantize import tensor_errors
from pages.ui import chart, error_box
from pages.ui.words import _, number


def show(gguf: GGUF) -> None:
    """Draws it, folded away until it is asked for."""
    fold = st.expander(_("See a block"), icon=":material/grid_on:", key="block-fold", on_change="rerun")
    if not fold.open:
        return
    with fold:
        tensors = [tensor.name for tensor in block_view.candidates(gguf)]
        if not tensors:
            st.info(_("This file has no tensor whose rows can be cut into blocks."), icon=":material/info:")
            return
        st.markdown(
            _(
                "Quantizing works on one block at a time: look at one. Grey dots are the weights as they are in the "
                "file; squares are what is left of them; faint lines are the only values that their group can take."
            )
        )
        name = st.selectbox(_("Tensor"), tensors, index=_begun(tensors), key=f"block-tensor-{gguf.path}", width=380)
        _draw(gguf, name)


def _begun(tensors: list[str]) -> int:
    """A tensor of a middle layer that has super-blocks more often than others."""
    kept = [place for place, name in enumerate(tensors) if "ffn_down" in name]
    return kept[len(kept) // 2] if kept else 0


def _draw(gguf: GGUF, name: str) -> None:
    tensor = next(one for one in block_view.candidates(gguf) if one.name == name)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        row = st.number_input(_("Row"), 0, block_view.rows_of(tensor) - 1, 0, key=f"block-row-{name}", width=150)
        place = st.number_input(
            _("Block"), 0, max(block_view.blocks_in_row(tensor) - 1, 0), 0, key=f"block-number-{name}", width=150
        )
    try:
        block = _block(gguf.path, gguf.path.stat().st_mtime_ns, name, int(row), int(place))
    except (WorkbenchError, OSError) as error:
        error_box.show(error if isinstance(error, WorkbenchError) else WorkbenchError())
        return
    if len(block.weights) < block_view.SUPER:
        st.caption(
            _(
                "Rows of this tensor have {length} weights, no multiple of 256: only simple blocks of 32 fit.",
                length=number(tensor.shape[0]),
            )
        )
    else:
        block = _part(block)
    titles = [_("As it is in the file"), *(_title(block, index) for index in range(len(block.steps)))]
    parts = {
        "original": _("weight"),
        "number": _("whole number"),
        "scale": _("scale"),
        "minimum": _("minimum"),
        "error": _("error"),
        "play": _("Play"),
        "stop": _("Stop"),
    }
    words = charts.words(titles[0], x=_("place in the block"), y=_("weight"), parts=parts)
    chart.show(
        "block",
        lambda dark: block_plots.steps(block, titles, words=words, dark=dark),
        title=titles[0],
        name="block",
        csv=lambda: block_plots.block_csv(block),
    )
    _numbers(block)
    tensor_errors.show(gguf, name)


def _part(block: Block) -> Block:
    """All of the super-block, or 32 of its weights."""
    whole = _("All 256")
    parts = [str(number) for number in range(block_view.SUPER // block_view.SMALL)]
    chosen = st.segmented_control(
        _("Weights shown"),
        [whole, *parts],
        default=whole,
        required=True,
        format_func=lambda one: one if one == whole else f"{int(one) * 32}–{int(one) * 32 + 31}",
        key="block-part",
        help=_("A super-block has 256 weights; 32 of them are easier to see."),
    )
    return block if chosen == whole else block_view.part(block, int(chosen))


def _title(block: Block, index: int) -> str:
    step = block.steps[index]
    return _(
        "{type}: {bits} bits a weight, error {error} (root mean square)",
        type=step.type,
        bits=number(step.bits_per_weight),
        error=number(float(f"{step.rmse:.3g}")),
    )


def _numbers(block: Block) -> None:
    """The table behind one step."""
    types = [step.type for step in block.steps]
    chosen = st.segmented_control(
        _("The numbers of"), types, default=types[-1], required=True, key=f"block-type-{len(block.weights)}"
    )
    step = next(one for one in block.steps if one.type == chosen)
    places = range(len(block.weights))
    config = st.column_config
    exact = config.NumberColumn(format="%.6f")
    st.dataframe(
        {
            _("place"): list(places),
            _("weight"): list(block.weights),
            _("whole number"): list(step.numbers),
            _("scale"): [step.scales[place // step.group] for place in places],
            _("minimum"): [step.minimums[place // step.group] for place in places],
            _("becomes"): list(step.weights),
            _("error"): [after - before for before, after in zip(block.weights, step.weights, strict=True)],
        },
        hide_index=True,
        key="block-numbers",
        column_config=dict.fromkeys((_("weight"), _("scale"), _("minimum"), _("becomes"), _("error")), exact),
        height=300,
    )
    st.caption(
        _(
            "{weights} weights in groups of {group}; each number has {bits} bits. becomes = scale × number + minimum.",
            weights=number(len(block.weights)),
            group=number(step.group),
            bits=number(step.bits),
        )
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _block(path: Path, changed: int, name: str, row: int, place: int) -> Block:
    return block_view.block(source.opened(path), name, row=row, number=place)
