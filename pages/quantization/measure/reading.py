"""The text itself, each token coloured by how far a variant's expectation is from the reference's, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import quantization_plots
from core.gguf.measures import Chunk
from core.gguf.study import Row
from pages.quantization.measure import token_view
from pages.quantization.measure.token_view import Shown
from pages.ui.words import _, count, number, percent


def show(rows: Sequence[Row]) -> None:
    """Draws one variant's reading of one chunk."""
    there = {row.name: row for row in rows if row.quality is not None and row.quality.figures.kl is not None}
    if not there:
        return
    with st.expander(_("Where in the text it shows"), icon=":material/text_fields:"):
        st.caption(
            _(
                "Each token is coloured by the KL divergence of what was expected in its place: a dark one is where "
                "the variant would have gone on otherwise. Underlined: another token is the most probable."
            )
        )
        left, right = st.columns(2)
        name = left.selectbox(_("Variant"), list(there), index=len(there) - 1, key="reading-variant")
        row = there[name]
        chunks = row.quality.chunks if row.quality is not None else ()
        number_ = right.number_input(_("Chunk"), 1, len(chunks), 1, key="reading-chunk")
        chunk = chunks[int(number_) - 1]
        token_view.show(
            "reading-text", _shown(chunk), label=_("The scored half of chunk {number}", number=count(int(number_)))
        )
        st.download_button(
            _("Save as CSV"),
            lambda: quantization_plots.tokens_csv(row),
            file_name="tokens.csv",
            mime="text/csv",
            key="reading-csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )


def _shown(chunk: Chunk) -> list[Shown]:
    return [
        Shown(
            text=piece,
            kl=kl,
            other=not same,
            note=_(
                "KL divergence {kl}; probability {change} points",
                kl=number(float(f"{kl:.2g}")),
                change=f"{'+' if delta > 0 else '−' if delta < 0 else ''}{percent(abs(delta)).rstrip('%').strip()}",
            ),
        )
        for piece, kl, delta, same in zip(chunk.pieces, chunk.kl, chunk.delta_p, chunk.same_top, strict=True)
    ]
