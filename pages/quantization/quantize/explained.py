"""What the names mean: families, letters, block and super-block; bits a weight computed from the blocks."""

from __future__ import annotations

import streamlit as st

from core.gguf.recipes import FAMILIES, LETTERS, RECIPES
from pages.ui.words import _, number


def show() -> None:
    """Draws it, folded away until it is asked for."""
    fold = st.expander(_("What the names mean"), icon=":material/help:", key="quantize-names", on_change="rerun")
    if not fold.open:
        return
    with fold:
        st.markdown(
            _(
                "A **block** is a run of weights of one row that share a scale, and perhaps a minimum. Each weight "
                "becomes a small whole number; weight ≈ scale × number (+ minimum). A **super-block** is 256 weights "
                "of several blocks whose scales are quantized too. The number in a name is the bits of those whole "
                "numbers; the bits a weight are more, because the scales count."
            )
        )
        for family, (name, text) in FAMILIES.items():
            bases = dict.fromkeys(recipe.base for recipe in RECIPES.values() if recipe.family == family)
            bits = [f"{base.name} {number(base.bits_per_weight)}" for base in bases]
            st.markdown("**" + _(name) + "** – " + _(text))
            st.caption(_("Bits a weight: {list}", list=" · ".join(bits)))
        st.markdown("\n".join("- " + _(text) for text in LETTERS.values()))
