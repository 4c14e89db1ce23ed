"""Which model answers: one on this machine, one of a connected endpoint, a route, or the path of any GGUF file.

Favourites come first, then what is on this machine, then the rest. Says where what is asked goes, always at the same
place, before anything is sent. With *local only* a model that leaves this machine is not offered, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import WorkbenchError
from core.models.base import ChatModel, ModelInfo
from core.models.remote.connections import is_remote
from core.models.router import Router
from core.models.routes import is_route
from core.workbench import Workbench
from pages.ui import error_box, prices, privacy
from pages.ui.distinct import distinct
from pages.ui.words import _, ngettext, size

NEXT = "model-picker-next"

MOST = 1000
"""Models in the list; a browser draws no longer one quickly. The others are a star, or *Use in Chat*, away."""


def pick_next(model_id: str) -> None:
    """The model that the next picker begins with, on whichever page it is."""
    st.session_state[NEXT] = model_id


def show(key: str, workbench: Workbench, owner: str, chosen: str | None) -> str | None:
    """The id of the picked model. When a typed path leads to none, the reason is on the page, and the question that is
    asked all the same is refused with it. `chosen`: the id to begin with, None the embedded model."""
    if NEXT in st.session_state:
        st.session_state[key] = st.session_state.pop(NEXT)
    begun = [id for id in (chosen, st.session_state.get(key)) if id is not None]
    models, kept_back = _offered(workbench, owner, begun)
    names = labels(models)
    ids = list(dict.fromkeys([*names, *begun]))
    begin_with = chosen or _first(models)
    picked = st.selectbox(
        _("Model"),
        ids,
        index=ids.index(begin_with) if begin_with in ids else 0,
        format_func=lambda id: names.get(id, id),
        key=key,
        accept_new_options=True,
        help=_(
            "A model found on this machine, a model of an endpoint that you connected, or the path of a GGUF file, "
            "typed. A local one is loaded with the first question."
        ),
        placeholder=_("Type the path of a GGUF file"),
        label_visibility="collapsed",
        width=300,
    )
    try:
        model = workbench.chat_model(owner, picked)
    except WorkbenchError as error:
        error_box.show(error)
        return picked
    st.caption(" · ".join(_facts(model)), width="content")
    if kept_back:
        st.caption(_kept_back(kept_back), width="content")
    return model.info.id


def _offered(workbench: Workbench, owner: str, begun: Sequence[str]) -> tuple[list[ModelInfo], int]:
    """The models in their order, those that were picked before among them, and how many are kept back."""
    models = workbench.models(owner)
    known = {model.id for model in models}
    models += [info for id in dict.fromkeys(begun) if id not in known for info in _unlisted(workbench, owner, id)]
    kept_back = 0
    if workbench.connections.local_only(owner):
        leaving = {one.id for one in models if not is_route(one.id) and not privacy.stays(one)}
        kept_back = len(leaving)
        models = [one for one in models if one.id not in leaving or one.id in begun]
    favourites = workbench.connections.favourites(owner)
    models.sort(key=lambda one: (one.id not in favourites, not privacy.stays(one)))
    return [one for number, one in enumerate(models) if number < MOST or one.id in begun], kept_back


def _first(models: Sequence[ModelInfo]) -> str | None:
    """What a new conversation begins with: the first that this workbench runs itself. Nothing leaves unless picked."""
    return next((one.id for one in models if one.local and not is_route(one.id)), None)


def _facts(model: ChatModel) -> list[str]:
    info = model.info
    if isinstance(model, Router):
        return [privacy.of_route(model.models())]
    if info.local:
        return [privacy.badge(info), size(info.size_bytes)]
    return [privacy.badge(info), *([prices.per_million(info.price)] if info.price else [])]


def _kept_back(number: int) -> str:
    return ":material/lock: " + ngettext(
        "Local only: {count} model that leaves this machine is not offered.",
        "Local only: {count} models that leave this machine are not offered.",
        number,
    )


def _unlisted(workbench: Workbench, owner: str, model_id: str) -> list[ModelInfo]:
    """A remote model whose endpoint is not connected, as after a restart, named like one whose endpoint is."""
    try:
        return [workbench.chat_model(owner, model_id).info] if is_remote(model_id) else []
    except WorkbenchError:
        return []


def labels(models: Sequence[ModelInfo]) -> dict[str, str]:
    """By id, each its own, and the same in every language."""
    return distinct({model.id: " · ".join(filter(None, _name(model))) for model in models})


def _name(model: ModelInfo) -> tuple[str | None, ...]:
    return (model.name, model.quantization) if model.local else (model.name, model.provider)
