"""What was asked and answered: a row a question, each pane's answer in its column, what can be done with the newest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.arena.comparing import Comparison, Pane
from core.arena.rounds import Round
from core.errors import WorkbenchError
from core.models.remote.connections import is_remote
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.compare.side import opened
from pages.compare.side.grid import grid
from pages.ui import copy_button, error_box, live_answer, message_text, press
from pages.ui import variants as variant_buttons
from pages.ui.words import _

SHOWN = 4
PERSON = ":material/person:"


def show(workbench: Workbench, owner: str, comparison: Comparison, rounds: Sequence[Round]) -> None:
    """Draws the newest rounds, the earlier ones on demand."""
    key = f"rounds-{comparison.id}"
    shown = st.session_state.setdefault(key, SHOWN)
    more = len(rounds) > shown
    if more and press.button(_("Show earlier questions"), key=f"earlier-{key}", icon=":material/expand_less:"):
        st.session_state[key] = shown = shown + SHOWN
    for one in rounds[-shown:]:
        _round(workbench, owner, comparison, one, newest=one is rounds[-1])


def _round(workbench: Workbench, owner: str, comparison: Comparison, one: Round, *, newest: bool) -> None:
    with st.chat_message("user", avatar=PERSON):
        message_text.question(one.question)
    if one.shared and one.answers[0] is not None and not newest:
        with st.container(border=True):
            st.caption(_("All panes begin with this answer of {model}.", model=_model_name(one.answers[0])))
            message_text.answer(one.answers[0], newest=False, raw=False, unkept=None)
        return
    for place, cell in enumerate(grid(len(comparison.panes))):
        with cell.container(border=True, key=f"cell-{one.question.id}-{place}"):
            _cell(workbench, owner, comparison, place, one.answers[place], newest=newest)


def _cell(
    workbench: Workbench, owner: str, comparison: Comparison, place: int, message: StoredMessage | None, *, newest: bool
) -> None:
    pane = comparison.panes[place]
    st.markdown(f"**{opened.letter(place)}** · {error_box.plain(_said_by(pane, message, newest=newest))}")
    if message is None:
        _unanswered(workbench, owner, comparison, pane, newest=newest)
        return
    answer = workbench.chat.running(message)
    if answer is not None and not live_answer.show(f"live-{pane.conversation.id}", answer):
        return
    if message.status == "streaming":  # it has ended since it was read
        message = workbench.conversations.message(owner, message.id)
    message = message_text.as_ended(message, answer)
    message_text.answer(message, newest=False, raw=False, unkept=answer.keeper_error if answer is not None else None)
    if message.id in comparison.together and message.finished is not None:
        st.caption(":material/join_inner: " + _together(message))
    if newest:
        _actions(workbench, owner, comparison, pane, message)


def _said_by(pane: Pane, message: StoredMessage | None, *, newest: bool) -> str:
    """The pane's label; over an earlier answer the model that gave it, which may have been another one."""
    return pane.label if newest or message is None else _model_name(message)


def _model_name(message: StoredMessage) -> str:
    return message.model_name or _("an unknown model")


def _together(message: StoredMessage) -> str:
    if is_remote(message.model_id):
        return _("Asked together with others.")
    return _("Timed together with others on this machine: alone it is quicker.")


def _unanswered(workbench: Workbench, owner: str, comparison: Comparison, pane: Pane, *, newest: bool) -> None:
    if not newest:
        st.caption(_("It was not asked this."))
        return
    st.caption(_("It has not been asked this yet."))
    if press.button(_("Ask it"), key=f"ask-{pane.conversation.id}", icon=":material/send:"):
        _act(lambda: workbench.comparing.regenerate(owner, comparison.id, pane.number))


def _actions(workbench: Workbench, owner: str, comparison: Comparison, pane: Pane, message: StoredMessage) -> None:
    comparing, key = workbench.comparing, pane.conversation.id
    failed = message.error is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if _may_go_on(message) and press.button(
            _("Continue"), key=f"continue-{key}", icon=":material/play_arrow:", type="tertiary"
        ):
            _act(lambda: comparing.go_on(owner, comparison.id, pane.number))
        if press.button(
            _("Try again") if failed else _("Regenerate"),
            key=f"again-{key}",
            icon=":material/refresh:",
            type="secondary" if failed else "tertiary",
        ):
            _act(lambda: comparing.regenerate(owner, comparison.id, pane.number))
        variants = workbench.conversations.variants(owner, [message.id]).get(message.id, ())
        names = (_("Previous answer"), _("Next answer"))
        other = variant_buttons.show(variants, message.id, names=names, suffix=f"-{key}")
        if other is not None:
            _act(lambda: workbench.conversations.select(owner, other))
        copy_button.show(f"copy-{message.id}", message.content, name=_("Copy as Markdown"), done=_("Copied"))


def _may_go_on(message: StoredMessage) -> bool:
    ended = message.finished.reason if message.finished and message.status == "complete" else "cut"
    return bool(message.content) and ended in ("cut", "length")


def _act(do: Callable[[], object]) -> None:
    """Does it and draws the page again; what goes wrong stands here, in a red box."""
    try:
        do()
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()
