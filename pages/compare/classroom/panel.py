"""The vote of the class on the two answers of a duel: a button, the open vote with its code, or how it went.

Who answered is the duel's to reveal: this panel says A and B.
"""

from __future__ import annotations

import streamlit as st

from core.arena.comparing import Comparison
from core.workbench import Workbench
from pages.compare.classroom import opening, voting
from pages.compare.classroom.counts import bars
from pages.ui.words import _, ngettext


def show(workbench: Workbench, me: str, comparison: Comparison) -> None:
    """Draws what there is to do or to see; nothing where the duel is over and the class has not voted."""
    classroom = workbench.classroom
    poll = classroom.of(me, comparison.id)
    if poll is not None and poll.open:
        voting.show(workbench, me, poll)
        return
    tally = classroom.tally(me, poll.id) if poll is not None else None
    if tally is not None and tally.total:
        st.subheader(ngettext("{count} vote of the class", "{count} votes of the class", tally.total))
        bars(tally)
    elif not workbench.duels.revealed(me, comparison.id):
        if tally is not None:
            st.caption(_("The vote of the class was closed before anybody had voted."))
        opening.show(workbench, me, comparison)
