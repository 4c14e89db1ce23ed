"""Opening a vote of the class: one button, what it opens in plain words, and folded where and for how long."""

from __future__ import annotations

import streamlit as st

from core.arena.comparing import Comparison
from core.classroom import addresses
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.ui import error_box, press
from pages.ui.words import _, ngettext

HOURS = (1, 2, 4)
USUAL_HOURS = 2


def show(workbench: Workbench, me: str, comparison: Comparison) -> None:
    """Draws the button; opens the vote when it is pressed."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = press.button(
            _("Open a vote of the class"),
            key="classroom-open",
            icon=":material/how_to_vote:",
            help=_("Everybody votes on these two answers in a browser of their own, without an account."),
        )
        with st.popover(_("Where and how long"), icon=":material/lan:"):
            address, hours = _where(), _how_long()
    st.caption(_consequence(address, hours))
    if not pressed:
        return
    try:
        paper = workbench.duels.paper(me, comparison.id)
        workbench.classroom.open(me, paper, comparison_id=comparison.id, address=address, limit_s=hours * 3600.0)
    except WorkbenchError as error:
        error_box.show(error)
        return
    st.rerun()


def _where() -> str:
    """The address of this machine that phones will ask."""
    found = {one.ip: f"{one.ip} ({one.interface})" for one in addresses.addresses()}
    here = {addresses.LOOPBACK: _("This machine only")}
    names = found | here
    chosen: str = st.selectbox(
        _("Network"),
        list(names),
        format_func=lambda ip: names.get(ip, ip),
        key="classroom-address",
        help=_("The network that the phones are in. The likeliest one stands first."),
    )
    return chosen


def _how_long() -> int:
    chosen = st.segmented_control(
        _("Closes by itself after"),
        HOURS,
        default=USUAL_HOURS,
        required=True,
        format_func=lambda hours: ngettext("{count} hour", "{count} hours", hours),
        key="classroom-hours",
    )
    return chosen or USUAL_HOURS


def _consequence(address: str, hours: int) -> str:
    if address == addresses.LOOPBACK:
        return _("Opens one page for this vote on this machine. Other devices cannot reach it.")
    return ngettext(
        "Opens one page for this vote to the network of {address}, and nothing else of the workbench: until you "
        "close it, at most for {count} hour.",
        "Opens one page for this vote to the network of {address}, and nothing else of the workbench: until you "
        "close it, at most for {count} hours.",
        hours,
        address=address,
    )
