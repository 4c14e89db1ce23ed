"""What can be done with a message: a row of quiet buttons under it, the rare ones in a menu.

The newest answer's buttons have the same keys in every conversation, so that the keyboard finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import streamlit as st

from core.errors import WorkbenchError
from core.store.records import StoredMessage
from pages.chat import another_model, editing, request_dialog, undo
from pages.chat.talk import Talk
from pages.ui import copy_button, error_box, icons, places, press
from pages.ui import variants as variant_buttons
from pages.ui.words import _

Action = Literal["edit", "regenerate", "another", "compare", "raw", "request", "delete"]

RAW = "raw"
"""The answers that are shown unrendered, by their ids, in the session."""


def show(talk: Talk, message: StoredMessage, variants: Sequence[str], *, newest: bool) -> None:
    """Draws the row. variants: ids of the message's variants, itself included."""
    question = message.role == "user"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if newest and question:
            _answer(talk, message)
        elif newest:
            _newest(talk, message)
        _variants(talk, message, variants, newest=newest)
        copy_button.show(f"copy-{message.id}", message.content, name=_("Copy as Markdown"), done=_("Copied"))
        if question:
            _edit(message)
        _menu(talk, message, newest=newest)
        another_model.show(talk, message)
        request_dialog.show(talk, message)
        if not question and len(variants) > 1 and message.model_name:
            st.caption(message.model_name, width="content")


def is_raw(message: StoredMessage) -> bool:
    """Whether the answer is to be shown as it came, unrendered."""
    return message.id in st.session_state.get(RAW, ())


def _answer(talk: Talk, question: StoredMessage) -> None:
    """A question without an answer: its answer was deleted."""
    if press.button(_("Answer it"), icon=":material/play_arrow:", key="answer", type="tertiary"):
        talk.answer(lambda: talk.workbench.chat.answer(talk.owner, question.id, talk.asking))


def _newest(talk: Talk, answer: StoredMessage) -> None:
    chat = talk.workbench.chat
    if _may_go_on(answer) and press.button(
        _("Continue"), icon=":material/play_arrow:", key="continue", type="tertiary"
    ):
        talk.answer(lambda: chat.go_on(talk.owner, answer.id, talk.asking))
    if press.button(_("Regenerate"), icon=":material/refresh:", key="regenerate", type="tertiary"):
        talk.answer(lambda: chat.regenerate(talk.owner, answer.id, talk.asking))


def _may_go_on(answer: StoredMessage) -> bool:
    """An answer that was cut, that failed, or that the limit or an edit left open."""
    ended = answer.finished.reason if answer.finished and answer.status == "complete" else "cut"
    return bool(answer.content) and (ended in ("cut", "length") or answer.edited_at is not None)


def _variants(talk: Talk, message: StoredMessage, variants: Sequence[str], *, newest: bool) -> None:
    question = message.role == "user"
    names = (_("Previous question"), _("Next question")) if question else (_("Previous answer"), _("Next answer"))
    suffix = "" if newest and not question else f"-{message.id}"
    picked = variant_buttons.show(variants, message.id, names=names, suffix=suffix)
    if picked is not None:
        talk.act(partial(talk.workbench.conversations.select, talk.owner, picked))


def _edit(question: StoredMessage) -> None:
    st.button(
        icons.named(_("Edit and ask again")),
        icon=":material/edit:",
        key=f"edit-question-{question.id}",
        help=_("Edit and ask again"),
        type="tertiary",
        on_click=editing.begin,
        args=(question,),
    )


def _menu(talk: Talk, message: StoredMessage, *, newest: bool) -> None:
    question = message.role == "user"
    actions: list[Action] = ["delete"] if question else ["edit", "another", "compare", "raw", "request", "delete"]
    if not newest and not question:
        actions.insert(0, "regenerate")
    labels = _labels(question=question, raw=is_raw(message))
    picked: Action | None = press.menu(
        icons.named(_("More")),
        actions,
        key=f"menu-{message.id}",
        icon=":material/more_horiz:",
        help=_("More"),
        type="tertiary",
        format_func=labels.__getitem__,
    )
    if picked is not None:
        _do(talk, message, picked)


def _labels(*, question: bool, raw: bool) -> dict[Action, str]:
    return {
        "regenerate": ":material/refresh: " + _("Regenerate"),
        "edit": ":material/edit: " + _("Edit in place"),
        "another": ":material/swap_horiz: " + _("Ask another model…"),
        "compare": ":material/compare: " + _("Compare with others…"),
        "raw": ":material/notes: " + (_("Formatted text") if raw else _("Raw text")),
        "request": ":material/data_object: " + _("The exact request…"),
        "delete": ":material/delete: "
        + (_("Delete from here on") if question else _("Delete the answer and what follows")),
    }


def _do(talk: Talk, message: StoredMessage, action: Action) -> None:
    chat = talk.workbench.chat
    match action:
        case "regenerate":
            talk.answer(lambda: chat.regenerate(talk.owner, message.id, talk.asking))
        case "edit":
            talk.act(lambda: editing.begin(message))
        case "another":
            another_model.open_for(message)
        case "compare":
            _compare(talk, message)
        case "raw":
            talk.act(lambda: _toggle_raw(message))
        case "request":
            request_dialog.open_for(message)
        case "delete":
            talk.act(lambda: undo.delete(talk, message))


def _compare(talk: Talk, answer: StoredMessage) -> None:
    """Opens the answer on the Compare page, with its question, its history and its settings, beside a second pane."""
    try:
        comparison = talk.workbench.comparing.from_answer(talk.owner, answer.id)
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.switch_page(places.compare(), query_params={places.COMPARISON: comparison.id})


def _toggle_raw(message: StoredMessage) -> None:
    st.session_state[RAW] = st.session_state.get(RAW, frozenset()) ^ {message.id}
