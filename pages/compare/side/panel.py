"""The view from top to bottom: the panes, what was asked and answered, the race, the differences, the next question."""

from __future__ import annotations

import streamlit as st

from core.arena.comparing import Comparison, Timing
from core.arena.rounds import rounds
from core.errors import NotThere, WorkbenchError
from core.workbench import Workbench
from pages.compare.side import asking, differences, figures, opened, past, setups, transcript
from pages.ui import error_box, press
from pages.ui.words import _

TIMINGS: tuple[Timing, ...] = ("alone", "together")


def show(workbench: Workbench, owner: str) -> None:
    """Draws it."""
    comparison = _opened(workbench, owner)
    past.show(workbench, owner)
    if comparison is None:
        _welcome()
    panes = setups.show(workbench, owner, comparison)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        setups.add_button(workbench, owner, comparison, panes)
        timing = _timing(workbench, owner, comparison)
    page = st.container()
    with st.bottom:
        sent = asking.show(workbench, owner, comparison)
    with page:
        picked = _examples() if comparison is None else None
        if comparison is not None:
            _asked(workbench, owner, workbench.comparing.get(owner, comparison.id))
    if question := sent or picked:
        asking.ask(workbench, owner, comparison, panes, timing, question)


def _opened(workbench: Workbench, owner: str) -> Comparison | None:
    id = opened.id()
    if id is None:
        return None
    try:
        comparison = workbench.comparing.get(owner, id)
        if comparison.kind == "side" or workbench.duels.revealed(owner, id):
            return comparison
        error: WorkbenchError = NotThere(what="comparison")  # a duel is not shown with its names before its vote
    except NotThere as missing:
        error = missing
    error_box.show(error)
    opened.open(None)
    return None


def _welcome() -> None:
    st.header(_("One question, several answers"))
    st.markdown(
        _(
            "Put two to six models side by side: other models, other quantizations of one, or the same one asked "
            "in another way. Each answer comes with its figures."
        )
    )


def _examples() -> str | None:
    """The question that was picked; None when none was."""
    ideas = {
        ":material/lightbulb:": _("Why is the sky blue? Answer in three sentences."),
        ":material/calculate:": _("A train leaves at 14:40 and travels for 95 minutes. When does it arrive?"),
        ":material/edit_note:": _("Write two sentences about the sea, without the word “blue”."),
    }
    picked = None
    for column, (icon, idea) in zip(st.columns(3), ideas.items(), strict=True):
        with column:
            if press.button(idea, icon=icon, width="stretch", wrap=True, key=f"example-{icon}"):
                picked = idea
    return picked


def _timing(workbench: Workbench, owner: str, comparison: Comparison | None) -> Timing:
    begun: Timing = comparison.timing if comparison else "alone"
    chosen: Timing | None = st.segmented_control(
        _("How they answer"),
        TIMINGS,
        default=begun,
        required=True,
        format_func={"alone": _("One after another"), "together": _("Together")}.__getitem__,
        key=f"timing-{comparison.id if comparison else 'new'}",
        label_visibility="collapsed",
    )
    chosen = chosen or begun
    meaning = {
        "alone": _("Each has the machine to itself: the figures can be compared."),
        "together": _("All at once. Models on this machine slow each other down: their figures are marked."),
    }
    st.caption(meaning[chosen], width="content")
    if comparison is not None and chosen != begun:
        workbench.comparing.set_timing(owner, comparison.id, chosen)
    return chosen


def _asked(workbench: Workbench, owner: str, comparison: Comparison) -> None:
    conversations = workbench.conversations
    found = rounds([conversations.messages(owner, pane.conversation.id) for pane in comparison.panes])
    transcript.show(workbench, owner, comparison, found)
    if found:
        figures.show(workbench, comparison, found)
        differences.show(workbench, owner, comparison, found[-1])
