"""Which model answers: the ones on this machine, or the path of any GGUF file. Says where what is asked goes."""

from __future__ import annotations

import streamlit as st

from core.errors import WorkbenchError
from core.models.base import ModelInfo
from core.models.catalog import Catalog
from pages.ui import error_box
from pages.ui.words import _, size


def show(key: str, catalog: Catalog, chosen: str | None) -> ModelInfo | None:
    """The picked model; None, with the reason on the page, when a typed path leads to none. `chosen`: the id to begin
    with, None the embedded model."""
    models = {model.id: model for model in catalog.models()}
    ids = list(models)
    if chosen is not None and chosen not in models:
        ids.append(chosen)
    picked = st.selectbox(
        _("Model"),
        ids,
        index=ids.index(chosen) if chosen in ids else 0,
        format_func=lambda id: _label(models[id]) if id in models else id,
        key=key,
        accept_new_options=True,
        help=_(
            "A model found on this machine, or the path of a GGUF file, typed. It is loaded with the first question."
        ),
        placeholder=_("Type the path of a GGUF file"),
        label_visibility="collapsed",
        width=360,
    )
    try:
        info = models.get(picked or "") or catalog.get(picked)
    except WorkbenchError as error:
        error_box.show(error)
        return None
    st.caption(f":material/computer: {_('on this machine')}", width="content")
    return info


def _label(model: ModelInfo) -> str:
    return " · ".join(filter(None, [model.name, model.quantization, size(model.size_bytes)]))
