"""Earlier duels, folded: opened again as they were left, or deleted. Their votes stay."""

from __future__ import annotations

import streamlit as st

from core.arena.blind import Duel
from core.arena.comparing import Summary
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.compare.duel import address
from pages.ui import error_box, icons, press
from pages.ui.words import _, date_time

SHOWN = 20


def show(workbench: Workbench, me: str, opened: Duel | None) -> None:
    """Draws the list; nothing where there is no other duel."""
    found = [one for one in workbench.duels.list(me, limit=SHOWN + 1) if opened is None or one.id != opened.id]
    if not found:
        return
    folded = st.expander(_("Earlier duels"), icon=":material/history:", key="duel-earlier", on_change="rerun")
    if not folded.open:
        return
    with folded:
        for one in found[:SHOWN]:
            _row(workbench, me, one)
        st.caption(_("Deleting a duel leaves its vote in the ranking."))


def _row(workbench: Workbench, me: str, duel: Summary) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            error_box.plain(duel.title) or _("Untitled"),
            key=f"duel-open-{duel.id}",
            type="tertiary",
            on_click=address.open_duel,
            args=(duel.id,),
        )
        st.caption(date_time(duel.updated_at), width="content")
        pressed = press.button(
            icons.named(_("Delete")),
            key=f"duel-delete-{duel.id}",
            icon=":material/delete:",
            type="tertiary",
            help=_("Delete"),
        )
    if not pressed:
        return
    try:
        workbench.duels.delete(me, duel.id)
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()
