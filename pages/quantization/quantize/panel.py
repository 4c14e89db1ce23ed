"""The view from top to bottom: the source, the types and what they come to, the start, how far it is; one block."""

from __future__ import annotations

import streamlit as st

from core import quantizing
from core.errors import WorkbenchError
from core.gguf import quantize
from core.gguf.header import GGUF
from core.quantizing import Options, Order
from core.workbench import Workbench
from pages.quantization import source
from pages.quantization.quantize import block, explained, options, progress, types
from pages.ui import error_box
from pages.ui.words import _, ngettext, size


def show(workbench: Workbench, me: str) -> None:
    """Draws it."""
    gguf = source.show(workbench)
    if gguf is None:
        progress.show(workbench, me)
        return
    if quantize.is_quantized(gguf):
        _warn(workbench, me, gguf)
    chosen = types.choose()
    explained.show()
    wanted, folder = options.show(workbench, gguf)
    try:
        made = quantizing.orders(gguf, folder, chosen, wanted)
    except WorkbenchError as error:
        error_box.show(error)
        made = []
    ready = types.show(workbench, gguf, made)
    st.button(
        ngettext("Make {count} file", "Make {count} files", len(ready)) if ready else _("Make the files"),
        icon=":material/compress:",
        key="quantize-start",
        disabled=not ready,
        on_click=_start,
        args=(workbench, me, ready),
        help=_("In the background, one after the other, into {folder}.", folder=folder),
    )
    progress.show(workbench, me)
    block.show(gguf)


def _start(workbench: Workbench, me: str, ready: list[Order]) -> None:
    quantizing.start(workbench.jobs, workbench.turns, me, ready)


def _warn(workbench: Workbench, me: str, gguf: GGUF) -> None:
    st.warning(
        _(
            "This file is quantized already ({type}). Quantizing it again adds the errors of both: good enough to see "
            "and to compare, not for a model that you mean to use. Better is the f16, bf16 or f32 file of the model.",
            type=gguf.quantization or "?",
        ),
        icon=":material/warning:",
    )
    (order,) = quantizing.orders(gguf, workbench.settings.models, ["F16"], Options())
    if order.target.exists():
        st.button(
            _("Use the f16 copy of it"),
            key="quantize-use-copy",
            icon=":material/file_copy:",
            on_click=source.choose,
            args=(order.target,),
        )
        return
    st.button(
        _("Make an f16 copy of it ({size})", size=size(2 * gguf.parameters, estimated=True)),
        key="quantize-copy",
        icon=":material/file_copy:",
        on_click=_start,
        args=(workbench, me, [order]),
        help=_(
            "A source to work with where there is no network. The copy loses nothing more, and what is made from it is "
            "compared with it; but what the quantized file had lost stays lost: it is not the original model."
        ),
    )
