"""The same question to another model: its answer stands beside the others. The conversation keeps its own model."""

from __future__ import annotations

from functools import partial

import msgspec
import streamlit as st

from core.models.local.model_settings import ModelSettings
from core.store.records import StoredMessage
from pages.chat.talk import Talk
from pages.ui import kept_dialog, model_picker, press
from pages.ui.words import _


def open_for(message: StoredMessage) -> None:
    """Opens the dialog."""
    kept_dialog.open(_key(message))


def show(talk: Talk, message: StoredMessage) -> None:
    """Draws it where it is open."""
    kept_dialog.show(_key(message), _("Ask another model"), partial(_draw, talk, message))


def _key(message: StoredMessage) -> str:
    return f"another-model-{message.id}"


def _draw(talk: Talk, message: StoredMessage) -> None:
    st.caption(_("The question is answered once more, beside this answer: ‹ › leads from one to the other."))
    picked = model_picker.show(f"another-{message.id}", talk.workbench, talk.owner, message.model_id)
    if press.button(_("Ask this model"), key=f"ask-another-{message.id}", icon=":material/send:"):
        kept_dialog.close()
        asking = msgspec.structs.replace(talk.asking, model_id=picked, settings=ModelSettings())
        talk.answer(lambda: talk.workbench.chat.regenerate(talk.owner, message.id, asking))
