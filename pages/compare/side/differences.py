"""What two of the answers have in common and what not; and, for greedy local ones, the token at which they part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import streamlit as st

from core import race_plots
from core.arena import parting
from core.arena.comparing import Comparison
from core.arena.diff import difference
from core.arena.parting import Parting, Said
from core.arena.rounds import Round
from core.errors import WorkbenchError
from core.models.in_turn import InTurn
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.compare.side import difference_view, opened
from pages.ui import chart, error_box, press
from pages.ui.words import _, percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHOWN = 300
"""Characters of what both say."""

Answered = tuple[int, StoredMessage]
"""The place of a pane, and its answer."""


def show(workbench: Workbench, owner: str, comparison: Comparison, newest: Round) -> None:
    """Folded, and there when two of the newest answers have ended."""
    ended = [
        (at, message)
        for at, message in enumerate(newest.answers)
        if message is not None and message.content and message.status != "streaming"
    ]
    if len(ended) < 2:
        return
    box = st.expander(
        _("Differences"), key=f"differences-{comparison.id}", icon=":material/difference:", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        left, right = _two(comparison, ended)
        if left[0] == right[0]:
            st.caption(_("Choose two different answers."))
            return
        _words(comparison, left, right)
        _parting(workbench, owner, comparison, left, right)


def _two(comparison: Comparison, ended: Sequence[Answered]) -> tuple[Answered, Answered]:
    """Which two; only asked where there are more."""
    if len(ended) == 2:
        return ended[0], ended[1]
    by_place = dict(ended)
    chosen = []
    for name, column, begin in zip((_("Left"), _("Right")), st.columns(2), (0, 1), strict=True):
        chosen.append(
            column.selectbox(
                name,
                list(by_place),
                index=begin,
                format_func=lambda at: f"{opened.letter(at)} · {comparison.panes[at].label}",
                key=f"difference-{begin}-{comparison.id}",
            )
        )
    return (chosen[0], by_place[chosen[0]]), (chosen[1], by_place[chosen[1]])


def _words(comparison: Comparison, left: Answered, right: Answered) -> None:
    found = difference(left[1].content, right[1].content)
    if left[1].content == right[1].content:
        st.caption(_("Both say the same, word for word."))
    elif found.whole:
        st.caption(_("{share} of the words are in both; what only one says is marked.", share=percent(found.alike)))
    else:
        st.caption(_("These answers are too long to be compared throughout; parts that may agree are marked as well."))
    names = [f"{opened.letter(at)} · {comparison.panes[at].label}" for at, _message in (left, right)]
    difference_view.show(f"difference-{left[1].id}-{right[1].id}", found, names)


def _parting(workbench: Workbench, owner: str, comparison: Comparison, left: Answered, right: Answered) -> None:
    if left[1].content == right[1].content:
        return
    ours, theirs = (_said(workbench, owner, comparison, one) for one in (left, right))
    if ours is None or theirs is None:
        st.caption(_("Where two answers part can be shown for models on this machine, asked at temperature 0."))
        return
    key = f"parting-{left[1].id}-{right[1].id}"
    pressed = press.button(
        _("Where do they part?"),
        key=f"find-{key}",
        icon=":material/call_split:",
        help=_("Asks both models once more, from the last words in common, for what they hold probable there."),
    )
    if pressed:
        try:
            with st.spinner(_("Asking both models…")), workbench.turns.take() as ticket:
                alone = [
                    msgspec.structs.replace(one, model=InTurn(one.model, workbench.turns, ticket))
                    for one in (ours, theirs)
                ]
                st.session_state[key] = parting.parting(*alone)
        except WorkbenchError as error:
            error_box.show(error)
            return
    found: Parting | None = st.session_state.get(key)
    if found is not None:
        _draw(comparison, found, left, right)


def _said(workbench: Workbench, owner: str, comparison: Comparison, answered: Answered) -> Said | None:
    """None where the question cannot be put."""
    at, message = answered
    asking = comparison.panes[at].asking
    try:
        request = workbench.chat.request_of(owner, message.id)
        model = workbench.chat_model(owner, message.model_id, asking.settings)
    except WorkbenchError:
        return None
    if not parting.comparable(model.info, request):
        return None
    return Said(model, request, message.content)


def _draw(comparison: Comparison, found: Parting, left: Answered, right: Answered) -> None:
    colours = race_plots.pane_colours([pane.asking.model_id or "" for pane in comparison.panes])
    if not found.again:
        st.info(
            _(
                "Asked again from there, both go on alike: the first choices are so close that reading the words in "
                "common in another order decides between them."
            ),
            icon=":material/balance:",
        )
    if not found.aligned:
        st.caption(_("The two models cut text into different tokens, so the two places are not quite the same one."))
    if found.common:
        st.caption(_("Up to here both say:"))
        st.text(found.common if len(found.common) <= SHOWN else "…" + found.common[-SHOWN:])
    else:
        st.caption(_("They part with their first token."))
    for column, (at, message), token in zip(st.columns(2), (left, right), (found.left, found.right), strict=True):
        with column:
            if token is None:
                st.caption(_("{pane}: no token is known here.", pane=opened.letter(at)))
                continue
            title = _(
                "{pane} goes on with {token}",
                pane=opened.letter(at),
                token=f"“{race_plots.plain(race_plots.visible(token.text))}”",
            )
            draw = partial(
                race_plots.alternatives, token.top, token.text, title=title, colour=colours[at], percent=percent
            )
            chart.show(f"parting-{message.id}", _by_theme(draw), title=title, name="parting")
    st.caption(_("How probable each model held the next token; ▸ marks the one that it took."))


def _by_theme(draw: Callable[..., Figure]) -> Callable[[bool], Figure]:
    return lambda dark: draw(dark=dark)
