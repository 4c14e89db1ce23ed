"""How the model is asked: which one, and behind a button its system prompt, its answer and how it is loaded."""

from __future__ import annotations

from typing import Any

import msgspec
import streamlit as st

from core.chat import Asking, asking_of
from core.errors import WorkbenchError
from core.models.base import ChatModel
from core.models.local.shelf import LocalModel
from core.store.records import Conversation
from core.workbench import Workbench
from pages.ui import endpoint_panel, model_picker
from pages.ui.asking import settings
from pages.ui.words import _

WIDTH = 440
"""Of the settings, pixels."""

SEEN = "asking-seen"


def show(workbench: Workbench, owner: str, conversation: Conversation | None) -> Asking:
    """How the next question will be asked. Begins as the conversation was left."""
    begun = asking_of(conversation) if conversation else Asking()
    key = _key(conversation)
    with st.sidebar:
        endpoint_panel.show("connect", workbench.connections, owner)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        model_id = model_picker.show(f"model-{key}", workbench, owner, begun.model_id)
        model = _model(workbench, owner, model_id)
        if conversation is None and isinstance(model, LocalModel):
            begun = msgspec.structs.replace(begun, settings=workbench.load_settings(owner, model.info.id))
        button = st.popover(
            _("Settings"), icon=":material/tune:", help=_("What decides the next answer"), key=f"settings-{key}"
        )
    # Without a width, each tab would be as wide as its longest caption.
    with button, st.container(width=WIDTH):
        asking = settings.show(key, workbench, model, begun)
    return msgspec.structs.replace(asking, model_id=model_id)


def remember(conversation: Conversation | None) -> None:
    """For the end of the page: what the panel's widgets held in this run."""
    st.session_state[SEEN] = _states(_key(conversation))


def changed(conversation: Conversation | None) -> bool:
    """For the moment before the page is drawn: whether one of them holds something else than it did."""
    return bool(st.session_state.get(SEEN) != _states(_key(conversation)))


def check(workbench: Workbench, owner: str, conversation: Conversation | None, asking: Asking) -> None:
    """For the moment before asking: raises what would make the question one that cannot be asked."""
    settings.check(_key(conversation), workbench.chat_model(owner, asking.model_id, asking.settings))


def _key(conversation: Conversation | None) -> str:
    return conversation.id if conversation else "new"


def _states(key: str) -> dict[str, Any]:
    """All that is kept for this conversation's widgets; their keys end in the conversation's, or go on after it."""
    return {str(name): state for name, state in st.session_state.to_dict().items() if f"-{key}-" in f"{name}-"}


def _model(workbench: Workbench, owner: str, model_id: str | None) -> ChatModel | None:
    """None where there is none by this id; the picker has said so."""
    try:
        return workbench.chat_model(owner, model_id)
    except WorkbenchError:
        return None
