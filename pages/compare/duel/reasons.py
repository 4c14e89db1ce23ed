"""Why one answer was better: of each what is good and bad about it, and a comment. All of it may be left out."""

from __future__ import annotations

import streamlit as st

from core.arena.duel import LONGEST_COMMENT
from core.arena.votes import Side, Vote
from core.classroom.ballots import REASON_NAMES
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.ui import error_box
from pages.ui.words import _


def show(workbench: Workbench, me: str, vote: Vote) -> None:
    """Draws the fields; what is said in them is kept with the vote at once."""
    st.subheader(_("Why?"), anchor=False)
    columns = st.columns(2, gap="medium")
    with columns[0]:
        of_a = _reasons(vote.id, "A", vote.a)
    with columns[1]:
        of_b = _reasons(vote.id, "B", vote.b)
    comment = st.text_area(
        _("Comment"),
        vote.comment,
        key=f"duel-comment-{vote.id}",
        height=80,
        max_chars=LONGEST_COMMENT,
        placeholder=_("If you like: what decided it"),
    )
    said = (of_a, of_b, (comment or "").strip())
    if said == (set(vote.a.reasons), set(vote.b.reasons), vote.comment):
        st.caption(_("Your vote is kept. What you say here is kept with it."))
        return
    try:
        workbench.duels.explain(me, vote.id, reasons_a=[*of_a], reasons_b=[*of_b], comment=comment or "")
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.caption(":material/check: " + _("Kept with your vote."))


def _reasons(id: str, letter: str, side: Side) -> set[str]:
    picked = st.pills(
        _("Answer {letter} is …", letter=letter),
        list(REASON_NAMES),
        selection_mode="multi",
        default=list(side.reasons),
        format_func=lambda reason: _(REASON_NAMES[reason]),
        key=f"duel-reasons-{letter}-{id}",
        wrap=True,
    )
    return {str(reason) for reason in picked}
