"""One question for all panes: where it is written, and what becomes of it when it cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.elements.widgets.chat import ChatInputValue

from core import attachments
from core.arena.comparing import Comparison, Timing
from core.attachments import Attachment
from core.errors import EmptyPrompt, WorkbenchError
from core.workbench import Workbench
from pages.compare.side import opened, setups
from pages.compare.side.opened import Setup
from pages.ui import error_box, press
from pages.ui.words import _

INPUT, GIVEN_BACK = "compare-question", "compare-given-back"


def show(workbench: Workbench, owner: str, comparison: Comparison | None) -> ChatInputValue | None:
    """Draws the input, and *Stop all* while answers are coming. Returns what was sent."""
    back: tuple[str, WorkbenchError] | None = st.session_state.pop(GIVEN_BACK, None)
    if back is not None:
        st.session_state[INPUT] = back[0]
        error_box.show(back[1])
    if (
        comparison is not None
        and workbench.comparing.running(owner, comparison.id)
        and press.button(_("Stop all"), key="stop-all", icon=":material/stop_circle:")
    ):
        workbench.comparing.stop(owner, comparison.id)
        st.rerun()
    return st.chat_input(_("Ask them all"), key=INPUT, accept_file="multiple", max_upload_size=attachments.LIMIT_MB)


def ask(
    workbench: Workbench,
    owner: str,
    comparison: Comparison | None,
    panes: Sequence[Setup],
    timing: Timing,
    sent: ChatInputValue | str,
) -> None:
    """Asks every pane, and draws the page again. Answers that are still coming are stopped for it."""
    text = sent if isinstance(sent, str) else sent.text
    try:
        files = () if isinstance(sent, str) else _files(sent)
        if not text.strip() and not files:
            raise EmptyPrompt()
        setups.check(workbench, owner, panes)
        if comparison is None:
            comparison = workbench.comparing.create(owner, [one.asking for one in panes], timing=timing)
        workbench.comparing.stop(owner, comparison.id)
        workbench.comparing.ask(owner, comparison.id, text, attachments=files)
    except WorkbenchError as error:
        st.session_state[GIVEN_BACK] = (text, error)
    else:
        opened.forget()
    if comparison is not None:
        opened.open(comparison.id)
    st.rerun()


def _files(sent: ChatInputValue) -> tuple[Attachment, ...]:
    attachments.check_number(len(sent.files))
    return tuple(attachments.read(file.name, file.getvalue()) for file in sent.files)
