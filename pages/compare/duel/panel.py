"""The view of blind duels: a new one, the one that is open, and the earlier ones folded."""

from __future__ import annotations

from core.arena.blind import Duel
from core.errors import NotThere
from core.workbench import Workbench
from pages.compare.duel import address, blind, earlier, reveal, start
from pages.ui import error_box


def show(workbench: Workbench, me: str) -> None:
    """Draws it. Which duel is open stands in the page's address."""
    duel = _opened(workbench, me)
    if duel is None:
        start.show(workbench, me)
    elif duel.over:
        reveal.show(workbench, me, duel)
    else:
        blind.show(workbench, me, duel)
    earlier.show(workbench, me, duel)


def _opened(workbench: Workbench, me: str) -> Duel | None:
    id = address.opened()
    if id is None:
        return None
    try:
        duel = workbench.duels.get(me, id)
        # A class that has voted knows who answered: its teacher has no other vote.
        poll = workbench.classroom.of(me, id)
        if not duel.over and poll is not None and not poll.open and workbench.classroom.tally(me, poll.id).total:
            workbench.duels.reveal(me, id)
            duel = workbench.duels.get(me, id)
    except NotThere as error:
        error_box.show(error)
        address.open_duel(None)
        return None
    return duel
