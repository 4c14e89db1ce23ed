"""Local or remote, small or large: the models side by side in what matters, by what was measured on this machine."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import choosing
from core.choosing import Choice, Criterion
from core.models.routes import is_route
from core.store.tally import Tally
from core.workbench import Workbench
from pages.ui import error_box, prices, privacy
from pages.ui.words import N_, _, count, ngettext, parameters, rate, seconds

SHOWN = 6

WIDTH = 110
"""Of a cell, pixels."""

PLACES = {"machine": N_("stays here"), "network": N_("stays near"), "away": N_("leaves")}

NAMES: dict[Criterion, str] = {
    "latency": N_("Quick"),
    "cost": N_("Cheap"),
    "confidentiality": N_("Confidential"),
    "capability": N_("Capable"),
    "reliability": N_("Reliable"),
}

FOR: dict[Criterion, str] = {
    "latency": N_("it answers quickly"),
    "cost": N_("it costs little or nothing"),
    "confidentiality": N_("what you ask stays near you"),
    "capability": N_("it is large, and can do more"),
    "reliability": N_("it has rarely failed here"),
}

AGAINST: dict[Criterion, str] = {
    "latency": N_("it is slow"),
    "cost": N_("it is dear"),
    "confidentiality": N_("what you ask leaves"),
    "capability": N_("it is small, and can do less"),
    "reliability": N_("it has often failed here"),
}


def show(workbench: Workbench, owner: str) -> None:
    """Draws the question, the answer in a sentence, and the figures that it comes from."""
    matters = st.pills(
        _("What matters most?"),
        choosing.CRITERIA,
        selection_mode="multi",
        format_func=lambda one: _(NAMES[one]),
        key="advice-matters",
    )
    ranked, left_out = _ranked(workbench, owner, matters)
    if not ranked:
        st.caption(_("There is no model yet to compare."))
        return
    st.markdown(_sentence(ranked[0], matters or choosing.CRITERIA))
    for number, choice in enumerate(ranked):
        _row(number, choice)
    _how(ranked, left_out)


def _ranked(workbench: Workbench, owner: str, matters: Sequence[Criterion]) -> tuple[list[Choice], int]:
    """The best of the models that were asked, that are starred, or that are here; and how many others there are."""
    tally = Tally(workbench.database)
    known = choosing.measured(tally.speeds(owner), tally.failures(owner))
    favourites = workbench.connections.favourites(owner)
    models = [info for info in workbench.models(owner) if not is_route(info.id)]
    if workbench.connections.local_only(owner):
        models = [info for info in models if privacy.stays(info)]
    of_interest = [info for info in models if info.local or info.id in known or info.id in favourites]
    ranked = choosing.choices(of_interest, known, matters)
    return ranked[:SHOWN], len(models) - len(ranked[:SHOWN])


def _sentence(best: Choice, matters: Sequence[Criterion]) -> str:
    """Which comes first, what speaks for it, what against."""
    name = error_box.plain(best.info.name)
    strong = ", ".join(_(FOR[one]) for one in best.strengths(matters))
    weak = ", ".join(_(AGAINST[one]) for one in best.weaknesses(matters))
    said = [_("**{name}** comes first.", name=name)]
    if strong:
        said = [_("**{name}** comes first: {reasons}.", name=name, reasons=strong)]
    if weak:
        said.append(_("Against it: {reasons}.", reasons=weak))
    unknown = ", ".join(_(NAMES[one]).lower() for one in matters if best.marks[one] is None)
    if unknown:
        said.append(_("Not known of it: whether it is {names}.", names=unknown))
    return " ".join(said)


def _row(number: int, choice: Choice) -> None:
    """One model: a cell for each thing that may matter, as many beside each other as there is room for."""
    with st.container(gap="small", border=True, key=f"advice-{number}"):
        st.markdown(f"**{error_box.plain(choice.info.name)}** · {privacy.badge(choice.info)}")
        with st.container(horizontal=True, gap="small"):
            for one in choosing.CRITERIA:
                name = _(NAMES[one])
                lines = [f":small[{name}]", _dots(choice.marks[one]), f":small[{_figure(choice, one)}]"]
                st.markdown("  \n".join(lines), width=WIDTH)


def _dots(mark: float | None) -> str:
    """A mark as four dots, so many of them filled; a question mark where it is not known."""
    return "?" if mark is None else "●" * round(mark * 4) + "○" * (4 - round(mark * 4))


def _figure(choice: Choice, criterion: Criterion) -> str:
    """The figure that a mark comes from, in words."""
    known = choice.measured
    match criterion:
        case "latency":
            if known is None or choice.answer_s is None:
                return _("not measured")
            return f"{seconds(known.ttft_s)} · {rate(known.decode_rate)}"
        case "cost":
            cost = choice.cost_1000
            if cost is None:
                return _("unknown")
            return prices.amount(cost.amount, cost.currency, estimated=cost.estimated) if cost.amount else _("nothing")
        case "confidentiality":
            return _(PLACES[privacy.place(choice.info)])
        case "capability":
            return parameters(choice.parameters, estimated=choice.parameters_by_name)
        case "reliability":
            if known is None:
                return _("not asked yet")
            asked = known.answers + known.failures
            if not known.failures:
                return ngettext("{count} answer, none failed", "{count} answers, none failed", asked)
            return _("{failed} of {asked} failed", failed=count(known.failures), asked=count(asked))


def _how(ranked: Sequence[Choice], left_out: int) -> None:
    """Where the figures come from, and what to do where there are none."""
    unmeasured = [choice.info.name for choice in ranked if choice.measured is None]
    if unmeasured:
        names = ", ".join(map(error_box.plain, unmeasured))
        st.caption(_("Not measured yet: {names}. Ask it once in Chat, and its figures stand here.", names=names))
    if left_out:
        st.caption(
            ngettext(
                "{count} more model can be compared: star it in its provider’s list, or ask it once.",
                "{count} more models can be compared: star one in its provider’s list, or ask it once.",
                left_out,
            )
        )
    st.caption(
        _(
            "Quick: first token and tokens/s, medians of your answers here. Cheap: 1,000 answers like yours. Capable: "
            "by the number of parameters, which only stands for it: compare answers yourself. Reliable: answers that "
            "did not fail. What is unknown counts as middling; what you picked counts four times."
        )
    )
