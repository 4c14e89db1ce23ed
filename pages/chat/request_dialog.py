"""The exact request of an answer: as JSON, and as programs that send it again. Never with a key."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core import snippets
from core.errors import WorkbenchError
from core.snippets import ExactRequest
from core.store.records import StoredMessage
from pages.chat.talk import Talk
from pages.ui import error_box, kept_dialog, own_address, programs
from pages.ui.words import _


def open_for(message: StoredMessage) -> None:
    """Opens the dialog."""
    kept_dialog.open(_key(message))


def show(talk: Talk, message: StoredMessage) -> None:
    """Draws it where it is open."""
    kept_dialog.show(_key(message), _("The exact request"), partial(_draw, talk, message), width="large")


def _key(message: StoredMessage) -> str:
    return f"exact-request-{message.id}"


def _draw(talk: Talk, message: StoredMessage) -> None:
    try:
        asked = talk.workbench.chat.request_of(talk.owner, message.id)
        model = talk.workbench.chat_model(talk.owner, message.model_id, talk.asking.settings)
        request = snippets.exact(model, asked, own_api=own_address.base_url())
        path = talk.workbench.conversations.path_to(talk.owner, message.id)
    except WorkbenchError as error:
        error_box.show(error)
        return
    _explain(request)
    if any((above.edited_at or 0) > message.created_at for above in path[:-1]):
        st.caption(_("An answer above was edited since: it stands here as it is now."))
    programs.show(request, body=True)


def _explain(request: ExactRequest) -> None:
    st.caption(f"POST `{request.url}`")
    if request.local:
        st.caption(
            _(
                "The model is on this machine and was asked directly. This is the same request as the workbench’s own "
                "OpenAI-compatible API takes it."
            )
        )
    else:
        st.caption(_("The key is not in it: the programs take it from the environment variable OPENAI_API_KEY."))
