"""What providers cost, this month and in all, and what may be spent on each. A cost not known is said to be unknown."""

from __future__ import annotations

import streamlit as st

from core.models.remote.permit import Budget, Spent
from core.workbench import Workbench
from pages.ui import error_box, prices
from pages.ui.words import _, ngettext

Ledger = dict[tuple[str, str | None], Spent]


def this_month(workbench: Workbench, owner: str, provider: str) -> str:
    """This month's cost of a provider, in words; empty where nothing was asked of it."""
    said = _of(workbench.connections.spent(owner, this_month=True), provider)
    return _("{amount} this month", amount=said) if said else ""


def show(workbench: Workbench, owner: str) -> None:
    """Draws a line for each provider that was asked or is connected, with its budget, and the sum in each currency."""
    month, ever = (workbench.connections.spent(owner, this_month=one) for one in (True, False))
    connected = [one.provider for one in workbench.connections.list(owner)]
    providers = list(dict.fromkeys([*connected, *(provider for provider, _currency in ever)]))
    if not providers:
        st.caption(_("Nothing has been asked of a provider yet. What this machine answers itself costs nothing here."))
        return
    for provider in providers:
        _provider(workbench, owner, provider, month, ever)
    totals = [_("In all: {amount}", amount=_sum(ever)), _("this month: {amount}", amount=_sum(month))]
    st.markdown(f"**{' · '.join(totals)}**")
    st.caption(
        _(
            "Counted here from the tokens and the provider’s list price, or as the provider reports it; its own bill "
            "is what counts. A budget holds for a calendar month: an answer that would pass it is stopped, and what "
            "had come is kept."
        )
    )


def _provider(workbench: Workbench, owner: str, provider: str, month: Ledger, ever: Ledger) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"spent-{provider}"):
        with st.container(gap=None):
            st.markdown(f"**{error_box.plain(provider)}**")
            st.caption(_paid(month, ever, provider))
        _budget(workbench, owner, provider)


def _budget(workbench: Workbench, owner: str, provider: str) -> None:
    budget = workbench.connections.budget(owner, provider)
    kept = budget.amount if budget else None
    # What another window has set meanwhile is shown, and not undone.
    key = f"budget-{provider}-{kept}"
    st.session_state.setdefault(key, kept)
    amount = st.number_input(
        _("Monthly budget, US$"),
        min_value=0.0,
        value=None,  # only a field that begins empty can be emptied
        step=1.0,
        format="%.2f",
        placeholder=_("no budget"),
        key=key,
        width=190,
        help=_("The most that may be spent on it in a month, in US dollars. Empty: no limit."),
    )
    if amount != kept:
        new = Budget(amount, "USD") if amount is not None else None
        workbench.connections.set_budget(owner, provider, new)
        st.rerun()


def _paid(month: Ledger, ever: Ledger, provider: str) -> str:
    nothing = _("nothing yet")
    if not _of(ever, provider):
        return nothing
    return _("{month} this month · {ever} in all", month=_of(month, provider) or nothing, ever=_of(ever, provider))


def _of(ledger: Ledger, provider: str) -> str:
    """What one provider cost: an amount for each currency, and how many answers have no known price."""
    return _words({currency: spent for (whose, currency), spent in ledger.items() if whose == provider})


def _sum(ledger: Ledger) -> str:
    amounts: dict[str, float] = {}
    for (_provider, currency), spent in ledger.items():
        if currency is not None and spent.amount is not None:
            amounts[currency] = amounts.get(currency, 0.0) + spent.amount
    return " + ".join(prices.amount(amount, currency) for currency, amount in amounts.items()) or _(
        "nothing that is known"
    )


def _words(by_currency: dict[str | None, Spent]) -> str:
    amounts = [
        prices.amount(spent.amount, currency)
        for currency, spent in by_currency.items()
        if currency is not None and spent.amount is not None
    ]
    unknown = sum(spent.unknown for spent in by_currency.values())
    if unknown:
        amounts.append(ngettext("{count} answer of unknown cost", "{count} answers of unknown cost", unknown))
    return " + ".join(amounts)
