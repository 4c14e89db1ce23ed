"""A duel before its vote: both are waited for, then shown, then voted on.

Nothing that is sent to the browser says who answers: no name, no id of an answer that is being written, no error and no
figure. What is followed live is a showing (core/arena/pace.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from core.answers import Answer
from core.arena.blind import Duel, Exchange
from core.classroom.ballots import CHOICES
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.compare import classroom
from pages.ui import error_box, live_answer, markdown, press
from pages.ui.words import _, ngettext, seconds

LOOK_S = 0.5
"""Seconds between looks at whether both are there."""

PERSON = ":material/person:"
ICONS = {"a": "west", "b": "east", "tie": "drag_handle", "both_bad": "thumb_down"}
LETTERS = ("A", "B")


def show(workbench: Workbench, me: str, duel: Duel) -> None:
    """Draws the duel as far as it has come."""
    for exchange in duel.exchanges[:-1]:
        _question(exchange)
        _texts(exchange)
    newest = duel.newest
    if newest is None:
        return
    _question(newest)
    showing = workbench.duels.showing(me, duel.id)
    if showing is not None and not all(answer.ended for answer in showing):
        _live(newest, showing, even_pace=duel.terms.even_pace)
    elif not newest.ended:
        _writing(workbench, me, duel.id, newest.question.created_at)
    elif newest.silent:
        _failed(workbench, me, duel)
    else:
        _texts(newest)
        _vote(workbench, me, duel)


def _question(exchange: Exchange) -> None:
    st.chat_message("user", avatar=PERSON).text(exchange.question.content)


def _texts(exchange: Exchange) -> None:
    """Both answers, drawn for good."""
    for column, letter, answer in zip(st.columns(2, gap="medium", border=True), LETTERS, exchange.answers, strict=True):
        with column:
            _heading(letter)
            markdown.show(answer.content if answer is not None else "")


def _live(exchange: Exchange, showing: tuple[Answer, Answer], *, even_pace: bool) -> None:
    whole = {"stop": _("Show it whole"), "stop_help": _("Shows the rest of this answer at once (Escape)")}
    columns = st.columns(2, gap="medium", border=True)
    for column, letter, shown, answer in zip(columns, LETTERS, showing, exchange.answers, strict=True):
        with column:
            _heading(letter)
            if live_answer.show(f"duel-{letter}", shown, words=whole if even_pace else None):
                markdown.show(answer.content if answer is not None else "")
    if even_pace and press.button(_("Show both at once"), key="duel-at-once", icon=":material/fast_forward:"):
        for shown in showing:
            shown.stop()
        for shown in showing:
            shown.wait(1.0)
        st.rerun()


@st.fragment(run_every=LOOK_S)
def _writing(workbench: Workbench, me: str, id: str, since: float) -> None:
    """Both are being written, and how far they are together; either alone would tell the two apart."""
    try:
        duel = workbench.duels.get(me, id)
        words = workbench.duels.words_so_far(me, id)
    except WorkbenchError as error:
        error_box.show(error)
        return
    if duel.newest is None or duel.newest.ended:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(":material/edit_note: " + _("Both are writing…"), width="content")
        so_far = ngettext("{count} word so far", "{count} words so far", words)
        st.caption(f"{so_far} · {seconds(time.time() - since)}", width="content")
        if press.button(_("Stop both"), key="duel-stop", icon=":material/stop:"):
            _act(lambda: workbench.duels.stop(me, id))


def _failed(workbench: Workbench, me: str, duel: Duel) -> None:
    """What went wrong names a provider or a model, and is said with the reveal."""
    both = len(duel.newest.silent) > 1 if duel.newest else False
    st.warning(
        _("Neither of the two could answer.") if both else _("One of the two could not answer."),
        icon=":material/sentiment_dissatisfied:",
    )
    with st.container(horizontal=True, gap="small"):
        if press.button(_("Try again"), key="duel-retry", icon=":material/refresh:"):
            _act(lambda: workbench.duels.try_again(me, duel.id))
        _giving_up(workbench, me, duel, _("Say who failed, and why"))


def _vote(workbench: Workbench, me: str, duel: Duel) -> None:
    poll = workbench.classroom.of(me, duel.id)
    if poll is None or not poll.open:
        _choices(workbench, me, duel)
        _further(workbench, me, duel)
    # The vote of the class and one's own exclude each other: either tells who answered.
    classroom.show(workbench, me, duel.comparison)


def _choices(workbench: Workbench, me: str, duel: Duel) -> None:
    st.subheader(_("Which is better?"), anchor=False)
    columns = st.columns(4, gap="small")
    for number, (column, (choice, name)) in enumerate(zip(columns, CHOICES.items(), strict=True), 1):
        with column:
            pressed = press.button(
                _(name),
                key=f"duel-vote-{choice}",
                icon=f":material/{ICONS[choice]}:",
                shortcut=str(number),
                width="stretch",
            )
        if pressed:
            _act(lambda choice=choice: workbench.duels.vote(me, duel.id, choice))  # type: ignore[misc]


def _further(workbench: Workbench, me: str, duel: Duel) -> None:
    with st.container():
        question = st.chat_input(_("Ask both something more before you vote"), key="duel-further")
    if question:
        _act(lambda: workbench.duels.ask(me, duel.id, question))
    _giving_up(workbench, me, duel, _("Reveal without a vote"))


def _giving_up(workbench: Workbench, me: str, duel: Duel, label: str) -> None:
    if press.button(label, key="duel-reveal", icon=":material/visibility:", type="tertiary"):
        _act(lambda: workbench.duels.reveal(me, duel.id))


def _heading(letter: str) -> None:
    st.markdown("**" + _("Answer {letter}", letter=letter) + "**")


def _act(do: Callable[[], object]) -> None:
    """Does it and draws the page again; what goes wrong stands here."""
    try:
        do()
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()
