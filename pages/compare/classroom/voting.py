"""A vote of the class that is open: the code and its QR code, how many have voted, and closing it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.classroom import addresses, qr
from core.classroom.ballots import Poll
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.compare.classroom.counts import bars
from pages.ui import error_box, kept_dialog, press
from pages.ui.words import _, date_time, ngettext

LOOK_S = 1.0


def show(workbench: Workbench, me: str, poll: Poll) -> None:
    """Draws it until it is closed."""
    with st.container(border=True, key="classroom-vote"):
        left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
        with left:
            _qr(poll)
        with right:
            _invitation(poll)
            shown = st.toggle(
                _("Show the votes already"),
                key=f"classroom-shown-{poll.id}",
                help=_("Who sees how the others have voted is swayed by it: leave this off until all have voted."),
            )
            _counting(workbench, me, poll.id, shown)
        st.caption(_opened(poll))
        _closing(workbench, me, poll)
        if not _here_only(poll):
            _help(poll)


def _qr(poll: Poll) -> None:
    st.image(qr.svg(poll.url), width="stretch", alt=_("QR code of {address}", address=poll.url))
    if press.button(_("Show it large"), key="classroom-large", icon=":material/fullscreen:", width="stretch"):
        kept_dialog.open(f"classroom-{poll.id}")
    kept_dialog.show(f"classroom-{poll.id}", _("Vote in class"), partial(_large, poll), width="large")


def _large(poll: Poll) -> None:
    """For a projector."""
    picture = qr.poster(poll.url, above=poll.host, large=poll.code)
    st.image(picture, width="stretch", alt=_("QR code of {address}", address=poll.url))


def _invitation(poll: Poll) -> None:
    st.markdown(_("Scan the QR code, or open **{address}** and type the code:", address=_plain(poll.host)))
    st.title(poll.code, anchor=False)


@st.fragment(run_every=LOOK_S)
def _counting(workbench: Workbench, me: str, id: str, shown: bool) -> None:
    """How many have voted, of this moment; the page is drawn again when the vote has closed by itself."""
    try:
        if not workbench.classroom.get(me, id).open:
            st.rerun()
        tally = workbench.classroom.tally(me, id)
    except WorkbenchError as error:
        error_box.show(error)
        return
    st.subheader(ngettext("{count} vote so far", "{count} votes so far", tally.total), anchor=False)
    if shown:
        bars(tally)


def _closing(workbench: Workbench, me: str, poll: Poll) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        pressed = press.button(_("Close the vote"), key=f"classroom-close-{poll.id}", icon=":material/done_all:")
        reveal = st.checkbox(
            _("Show the result on the phones too"),
            value=True,
            key=f"classroom-reveal-{poll.id}",
            help=_("The votes, and which model gave which answer. Otherwise the phones say only that it is over."),
        )
    if not pressed:
        return
    try:
        workbench.classroom.close(me, poll.id, reveal=reveal)
    except WorkbenchError as error:
        error_box.show(error)
        return
    st.rerun()


def _opened(poll: Poll) -> str:
    until = date_time(poll.closes_at)
    if _here_only(poll):
        return ":material/computer: " + _(
            "Open on this machine only, until you close it, at most until {time}.", time=until
        )
    return ":material/lan: " + _(
        "Open to your network at {address}, with this one page and nothing else of the workbench, until you close it, "
        "at most until {time}. It counts one vote for each browser.",
        address=_plain(poll.host),
        time=until,
    )


def _help(poll: Poll) -> None:
    port = poll.host.rpartition(":")[2]
    with st.expander(_("If phones cannot open the page"), icon=":material/help:"):
        lines = (
            _("The phones must be in the network of this machine, and not on mobile data. No internet is needed."),
            _("Guest networks often keep devices apart. A hotspot of this machine or of a phone does not."),
            _("The firewall of this machine must let port {port} (TCP) in; it may ask you now.", port=port),
            _("A machine can be in several networks: close the vote, choose another one, and open it again."),
        )
        st.markdown("\n".join(f"- {line}" for line in lines))


def _here_only(poll: Poll) -> bool:
    return poll.host.startswith(f"{addresses.LOOPBACK}:")


def _plain(host: str) -> str:
    """An address that Markdown makes no link of."""
    return host.replace(".", "\\.").replace(":", "\\:")
