"""‹ 2/3 ›: from one of several questions, or answers, in the same place to the one before or after it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui import icons, press


def show(variants: Sequence[str], shown: str, *, names: tuple[str, str], suffix: str = "") -> str | None:
    """The variant that was asked for; None for none, and nothing drawn where there is one alone.

    variants: ids, `shown` among them. names: of the two buttons. suffix: ends their keys.
    """
    if len(variants) < 2:
        return None
    at, picked = variants.index(shown), None
    for step, name, icon in ((-1, names[0], "chevron_left"), (1, names[1], "chevron_right")):
        if step == 1:
            st.caption(f"{at + 1}/{len(variants)}", width="content")
        there = 0 <= at + step < len(variants)
        pressed = press.button(
            icons.named(name),
            icon=f":material/{icon}:",
            key=f"variant{step}{suffix}",
            help=name,
            type="tertiary",
            disabled=not there,
        )
        if pressed and there:
            picked = variants[at + step]
    return picked
