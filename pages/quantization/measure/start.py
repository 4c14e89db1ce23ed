"""A new measurement: one button for the model that comes with the workbench; folded, another model, text and types."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.gguf import study
from core.gguf.study import Spec
from core.workbench import Workbench
from pages.quantization.measure import choices, opened
from pages.ui import error_box
from pages.ui.words import _, ngettext

FAILED = "study-failed"
"""What went wrong with the last click."""


def show(workbench: Workbench, me: str) -> None:
    """Draws the button, and what it does; then the choices."""
    st.header(_("What does a quantization cost?"), anchor=False)
    st.markdown(
        _(
            "A model with fewer bits a weight is smaller and often faster, and a little worse. How much, on this "
            "machine, is measured here: how well each variant expects a text, how often it would choose another next "
            "word than the original, and how fast it reads and writes."
        )
    )
    if (error := st.session_state.pop(FAILED, None)) is not None:
        error_box.show(error)
    first = st.container(horizontal=True, vertical_alignment="center")
    about = st.container()
    choices.show(workbench)
    spec = _chosen(workbench)
    with first:
        st.button(
            _button(spec),
            key="study-start",
            icon=":material/play_arrow:",
            disabled=spec is None or not spec.variants,
            on_click=partial(_start, workbench, me),
        )
        st.caption(_("About three minutes on two cores, for the model that comes with the workbench."), width="content")
    if spec is not None and spec.reference.type is not None:
        about.caption(":material/info: " + of_the_reference())


def of_the_reference() -> str:
    """What a reference is that was made of a source which is quantized itself."""
    return _(
        "The source is quantized itself, so the reference is a copy of it with 16-bit floats. What its own "
        "quantization has cost is not seen here, and types with as many bits cost little by construction."
    )


def source_name(spec: Spec) -> str:
    """What the model of a study is called: its file, without the end."""
    return Path(spec.source).stem


def _button(spec: Spec | None) -> str:
    types = len(spec.variants) if spec is not None else len(study.FIVE)
    return ngettext("Quantize to {count} type, measure, draw", "Quantize to {count} types, measure all, draw", types)


def _chosen(workbench: Workbench) -> Spec | None:
    try:
        return choices.chosen(workbench)
    except WorkbenchError as error:
        error_box.show(error)
        return None


def _start(workbench: Workbench, me: str) -> None:
    try:
        spec = choices.chosen(workbench)
        if spec is not None:
            opened.open(workbench.studies.start(me, spec).id)
    except WorkbenchError as error:
        st.session_state[FAILED] = error
