"""All that decides an answer but the model and the words: system prompt, sampling, limits, how the model is loaded.

`key` names the place on the page: the keys of the widgets end in it, or go on after it.
"""

from __future__ import annotations

import msgspec
import streamlit as st

from core.chat import Asking
from core.models import recommended
from core.models.base import ChatModel
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel
from core.models.remote.client import RemoteModel
from core.models.router import Router
from core.workbench import Workbench
from pages.ui.asking import model_settings_panel, sampling_panel
from pages.ui.words import _


def show(key: str, workbench: Workbench, model: ChatModel | None, begun: Asking) -> Asking:
    """`begun` as it is set here. `model`: who will answer; None where there is none by its id."""
    system_prompt = st.text_area(
        _("System prompt"),
        begun.system_prompt,
        key=f"system-{key}",
        placeholder=_("You are a patient teacher."),
        help=_(
            "Stands before the conversation and tells the model who it is. It takes room in the context every time."
        ),
    )
    asking = msgspec.structs.replace(begun, system_prompt=system_prompt)
    answer, loading = st.tabs([_("Answer"), _("Model")])
    with answer:
        asking = _sampling(key, workbench, model, asking)
    with loading:
        return msgspec.structs.replace(asking, settings=_loading(key, workbench, model, begun.settings))


def check(key: str, model: ChatModel) -> None:
    """For the moment before asking: raises what is wrong with a text typed here, as `sampling_panel.check` does."""
    sampling_panel.check(key, unsupported=model.unsupported if isinstance(model, RemoteModel) else frozenset())


def _sampling(key: str, workbench: Workbench, model: ChatModel | None, asking: Asking) -> Asking:
    if isinstance(model, RemoteModel):
        return sampling_panel.show(key, asking, unsupported=model.unsupported, provider=model.info.provider)
    own = recommended.recommended(workbench.catalog.path(model.info)) if isinstance(model, LocalModel) else None
    return sampling_panel.show(key, asking, recommended=own)


def _loading(key: str, workbench: Workbench, model: ChatModel | None, begun: ModelSettings) -> ModelSettings:
    if isinstance(model, LocalModel):
        loaded = [one.settings for one in workbench.shelf.loaded() if one.info.id == model.info.id]
        path = workbench.catalog.path(model.info)
        return model_settings_panel.show(
            key, model.info, path, begun, budget=workbench.shelf.budget_bytes, loaded=loaded
        )
    if isinstance(model, Router):
        st.caption(_("A route loads each of its local models as it is loaded by default."))
    elif model is not None:
        st.caption(_("Its endpoint decides how this model is loaded."))
    return begun
