"""The two of a duel, chosen: a model each, which may be the same one at another temperature or with another prompt."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.chat import Asking
from core.messages import Sampling
from core.models.base import ModelInfo
from pages.ui import model_picker
from pages.ui.words import _

TEMPERATURES = (0.0, 1.0)
"""That the two begin with where there is only one model: so they differ."""


def show(models: Sequence[ModelInfo]) -> tuple[Asking, Asking] | None:
    """Draws both; None where there is no model at all."""
    if not models:
        st.info(_("There is no model here yet. Connect an endpoint, or put a GGUF file into the folder of models."))
        return None
    columns = st.columns(2, gap="medium")
    with columns[0]:
        one = _one(0, models, _("One of the two"))
    with columns[1]:
        other = _one(1, models, _("The other"))
    return one, other


def prefill(pair: Sequence[Asking]) -> None:
    """What the fields begin with when they are drawn next."""
    for number, asking in enumerate(pair):
        st.session_state[_key("model", number)] = asking.model_id
        st.session_state[_key("temperature", number)] = asking.sampling.temperature
        st.session_state[_key("system", number)] = asking.system_prompt


def _one(number: int, models: Sequence[ModelInfo], label: str) -> Asking:
    names = model_picker.labels(models)
    _begin(number, list(names))
    model_key, temperature_key, system_key = (_key(field, number) for field in ("model", "temperature", "system"))
    model_id = st.selectbox(
        label,
        list(names),
        index=list(names).index(st.session_state[model_key]),
        format_func=lambda id: names.get(id, id),
        key=model_key,
        persist_state="session",
    )
    temperature = st.slider(
        _("Temperature"),
        0.0,
        2.0,
        value=st.session_state[temperature_key],
        step=0.05,
        key=temperature_key,
        persist_state="session",
    )
    system_prompt = st.text_area(
        _("System prompt"),
        st.session_state.get(system_key, ""),
        key=system_key,
        height=80,
        persist_state="session",
        placeholder=_("You are a patient teacher."),
    )
    return Asking(model_id=model_id, system_prompt=system_prompt or "", sampling=Sampling(temperature=temperature))


def _begin(number: int, ids: list[str]) -> None:
    """Puts into the fields what they begin with, unless something is there."""
    if st.session_state.get(_key("model", number)) not in ids:  # also one that has gone since
        st.session_state[_key("model", number)] = ids[min(number, len(ids) - 1)]
    usual = Sampling().temperature if len(ids) > 1 else TEMPERATURES[number]
    st.session_state.setdefault(_key("temperature", number), usual)


def _key(field: str, number: int) -> str:
    return f"duel-{field}-{number}"
