"""A duel after its vote: who answered, what it took, why one was better, and what one does next."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import energy
from core.arena.blind import Duel, Exchange
from core.arena.comparing import Pane
from core.chat import Asking
from core.models.base import ModelInfo
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.compare import classroom, views
from pages.compare.duel import address, chosen, reasons, start
from pages.compare.side import opened
from pages.ui import energy_figure, error_box, figure_list, message_text, prices, privacy
from pages.ui.figure_list import Figure
from pages.ui.words import _, parameters, size

LETTERS = ("A", "B")


def show(workbench: Workbench, me: str, duel: Duel) -> None:
    """Draws it."""
    st.header(_verdict(duel), anchor=False)
    _next(duel)
    if duel.vote is not None:
        reasons.show(workbench, me, duel.vote)
    classroom.show(workbench, me, duel.comparison)
    for number, exchange in enumerate(duel.exchanges, 1):
        st.chat_message("user", avatar=":material/person:").text(exchange.question.content)
        _answers(duel, exchange, newest=number == len(duel.exchanges))


def _verdict(duel: Duel) -> str:
    one, other = (error_box.plain(name) for name in duel.names)
    if duel.vote is None:
        return _("{one} against {other}", one=one, other=other)
    return {
        "a": _("You found {one} better than {other}", one=one, other=other),
        "b": _("You found {one} better than {other}", one=other, other=one),
        "tie": _("You found {one} and {other} equally good", one=one, other=other),
        "both_bad": _("You found both bad: {one} and {other}", one=one, other=other),
    }[duel.vote.choice]


def _answers(duel: Duel, exchange: Exchange, *, newest: bool) -> None:
    columns = st.columns(2, gap="medium", border=True)
    for number, (column, answer) in enumerate(zip(columns, exchange.answers, strict=True)):
        with column:
            _who(duel, number, answer, facts=newest)
            if answer is not None:
                message_text.answer(answer, newest=False, raw=False, unkept=None)


def _who(duel: Duel, number: int, answer: StoredMessage | None, *, facts: bool) -> None:
    info, name = duel.terms.infos[number], error_box.plain(duel.names[number])
    better = duel.vote is not None and duel.vote.choice == LETTERS[number].lower()
    mark = " :material/emoji_events: " + _("your choice") if better else ""
    heading = _("Answer {letter}: {name}", letter=LETTERS[number], name=name)
    st.markdown(f"**{heading}**{mark}")
    if facts:
        st.caption(" · ".join([privacy.badge(info), *([] if info.local else [prices.per_million(info.price)])]))
        figure_list.show(f"duel-facts-{duel.id}-{LETTERS[number]}", _facts(info, duel.panes[number], answer))


def _facts(info: ModelInfo, pane: Pane, answer: StoredMessage | None) -> list[Figure]:
    """The model, not what the answer took: that is below it."""
    asking = pane.asking
    found = [
        (_("Quantization"), info.quantization, _("How the weights of the model are stored.")),
        (_("Size"), parameters(info.parameters) if info.parameters else None, _("The number of the model’s weights.")),
        (_("File"), size(info.size_bytes) if info.size_bytes else None, _("What the file takes on the disk.")),
        (
            _("Temperature"),
            f"T {asking.sampling.temperature:g}",
            _("0 always takes the most probable token; the higher, the more is left to chance."),
        ),
    ]
    figures = [Figure(label=label, value=value, help=help) for label, value, help in found if value]
    finished = answer.finished if answer is not None else None
    known = energy.of(info, finished) if finished is not None else None
    return [*figures, *([energy_figure.of(known)] if known is not None else [])]


def _next(duel: Duel) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Another duel"), key="duel-another", icon=":material/casino:", on_click=address.open_duel, args=(None,)
        )
        st.button(
            _("Same models again"),
            key="duel-again",
            icon=":material/replay:",
            on_click=_again,
            args=([pane.asking for pane in duel.panes],),
            help=_("With another question; who is A and who is B is drawn again."),
        )
        st.button(
            _("Open side by side"),
            key="duel-beside",
            icon=":material/view_column:",
            on_click=_beside,
            args=(duel.id,),
        )


def _again(pair: Sequence[Asking]) -> None:
    chosen.prefill(pair)
    st.session_state[start.PAIRING] = "chosen"
    address.open_duel(None)


def _beside(id: str) -> None:
    st.session_state[views.KEY] = "side"
    opened.open(id)
