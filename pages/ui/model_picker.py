"""Which model answers: the ones on this machine, or the path of any GGUF file. Says where what is asked goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from core.errors import WorkbenchError
from core.models.base import ModelInfo
from core.models.catalog import Catalog
from pages.ui import error_box
from pages.ui.words import _, size


def show(key: str, catalog: Catalog, chosen: str | None) -> str | None:
    """The id of the picked model. When a typed path leads to none, the reason is on the page, and the question that is
    asked all the same is refused with it. `chosen`: the id to begin with, None the embedded model."""
    labels = _labels(catalog.models())
    ids = list(labels)
    if chosen is not None and chosen not in labels:
        ids.append(chosen)
    picked = st.selectbox(
        _("Model"),
        ids,
        index=ids.index(chosen) if chosen in ids else 0,
        format_func=lambda id: labels.get(id, id),
        key=key,
        accept_new_options=True,
        help=_(
            "A model found on this machine, or the path of a GGUF file, typed. It is loaded with the first question."
        ),
        placeholder=_("Type the path of a GGUF file"),
        label_visibility="collapsed",
        width=300,
    )
    try:
        model = catalog.get(picked)
    except WorkbenchError as error:
        error_box.show(error)
        return picked
    st.caption(" · ".join([":material/computer: " + _("on this machine"), size(model.size_bytes)]), width="content")
    return model.id


def _labels(models: Sequence[ModelInfo]) -> dict[str, str]:
    """By id, each its own, and the same in every language: the browser gives back the label that was picked."""
    names = {model.id: " · ".join(filter(None, [model.name, model.quantization])) for model in models}
    bearers = Counter(names.values())
    return {id: name if bearers[name] == 1 else f"{name} · {id}" for id, name in names.items()}
