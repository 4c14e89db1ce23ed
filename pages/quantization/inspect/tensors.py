"""Tensors: bytes by type, the map layer × tensor, and the whole table."""

from __future__ import annotations

import streamlit as st

from core import gguf_plots
from core.gguf import anatomy
from core.gguf.header import GGUF
from core.workbench import Workbench
from pages.quantization import charts
from pages.ui import chart
from pages.ui.words import _, ngettext, number, percent

MOST_ROWS = 5000


def show(workbench: Workbench, gguf: GGUF) -> None:
    """Draws them."""
    shares, cells = anatomy.shares(gguf), anatomy.layer_map(gguf)
    if not shares:
        st.info(_("This file has no tensors."), icon=":material/info:")
        return
    title = _(
        "{share} of the bytes are {type}; {bits} bits a weight on average",
        share=percent(shares[0].share),
        type=shares[0].type,
        bits=number(round(gguf.bits_per_weight, 2)),
    )
    bar = charts.words(title)
    chart.show("types", lambda dark: gguf_plots.share_bar(shares, words=bar, dark=dark), title=title, name="types")
    layers = len(anatomy.layers(gguf))
    heading = ngettext(
        "{count} layer: each square is a tensor, the larger the more bytes",
        "{count} layers: each square is a tensor, the larger the more bytes",
        layers,
    )
    words = charts.words(heading, x=_("layer (at the left: what belongs to none)"))
    chart.show(
        "tensor-map",
        lambda dark: gguf_plots.tensor_map(cells, words=words, dark=dark),
        title=heading,
        name="tensors",
        csv=lambda: gguf_plots.tensors_csv(cells),
    )
    _table(gguf, cells)


def _table(gguf: GGUF, cells: list[anatomy.Cell]) -> None:
    sought = st.text_input(
        _("Search"), key="inspect-tensor", placeholder=_("in names and types"), width=260, label_visibility="collapsed"
    )
    terms = (sought or "").lower().split()
    kept = [c for c in cells if all(term in f"{c.tensor.name} {c.tensor.type.name}".lower() for term in terms)]
    config = st.column_config
    st.dataframe(
        {
            "name": [cell.tensor.name for cell in kept[:MOST_ROWS]],
            "type": [cell.tensor.type.name for cell in kept[:MOST_ROWS]],
            "shape": [" × ".join(map(str, cell.tensor.shape)) for cell in kept[:MOST_ROWS]],
            "bits": [cell.tensor.type.bits_per_weight for cell in kept[:MOST_ROWS]],
            "bytes": [cell.tensor.n_bytes for cell in kept[:MOST_ROWS]],
        },
        hide_index=True,
        key="inspect-tensors",
        column_config={
            "name": config.TextColumn(_("Tensor"), width="large"),
            "type": config.TextColumn(_("Type"), width="small"),
            "shape": config.TextColumn(
                _("Shape"), help=_("The length of a row first, as llama.cpp has it."), width="medium"
            ),
            "bits": config.NumberColumn(_("Bits a weight"), format="%.4g", width="small"),
            "bytes": config.NumberColumn(_("Bytes"), format="localized"),
        },
    )
    st.caption(ngettext("{count} tensor", "{count} tensors", len(kept)))
