"""The ranking: first what can be said, with its doubts; the table; then, folded, who met whom and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from core.arena import facts, rating, style
from core.arena.facts import Facts
from core.arena.standings import Battle, Ranking, Row, counted
from core.arena.style import Styled
from core.arena.votes import Vote
from core.workbench import Workbench
from pages.compare import views
from pages.compare.ranking import charts, exchanging, filters, sentences
from pages.ui.words import _, ngettext, number

Result = Literal["a", "b", "tie"]

MOST_GROUPS = 3
"""Groups with a chart."""

FEW = 10
"""Battles a model below which a score of its own says more than a fit of all."""


def show(workbench: Workbench, me: str) -> None:
    """Draws the ranking of this owner's votes."""
    votes = workbench.votes.list(me)
    if not votes:
        _empty(workbench, me)
        return
    chosen = filters.show(votes)
    styled = _without_style(chosen.votes) if chosen.style else None
    ranking = styled.ranking if styled else _ranked(chosen.votes)
    if not ranking.rows:
        st.info(_("No vote is left to rank. Choose more under “Which votes”."), icon=":material/filter_alt:")
    else:
        known = facts.facts(chosen.votes)
        _groups(ranking, known)
        if styled:
            _style(styled)
        _table(ranking)
        _more(ranking, chosen.votes, known)
    with st.expander(_("Save the votes, or bring others in"), icon=":material/swap_vert:", key="ranking-exchange"):
        exchanging.bringing_in(workbench, me)
        exchanging.taking_out(votes)


def _empty(workbench: Workbench, me: str) -> None:
    st.markdown(_("Models are ranked here by votes: yours, your class’s, or those of others. There are none yet."))
    with st.container(horizontal=True):
        st.button(_("Start a blind duel"), icon=":material/visibility_off:", key="ranking-duel", on_click=_to_a_duel)
    exchanging.bringing_in(workbench, me)


def _to_a_duel() -> None:
    st.session_state[views.KEY] = "duel"


def _ranked(votes: Sequence[Vote]) -> Ranking:
    counts = counted(rating.battle(vote) for vote in votes)
    with st.spinner(_("Ranking…")):
        return _fitted(sorted((one.a, one.b, one.winner, one.weight, count) for one, count in counts.items()))


@st.cache_data(max_entries=20, show_spinner=False)
def _fitted(counts: Sequence[tuple[str, str, Result, float, int]]) -> Ranking:
    return rating.rank(Counter({Battle(a, b, winner, weight): n for a, b, winner, weight, n in counts}).elements())


def _without_style(votes: Sequence[Vote]) -> Styled:
    with st.spinner(_("Ranking…")):
        return _fitted_without_style([_seen(vote) for vote in votes], votes)


@st.cache_data(max_entries=5, show_spinner=False)
def _fitted_without_style(seen: Sequence[tuple[str | int, ...]], _votes: Sequence[Vote]) -> Styled:
    """`seen`: all of the votes that it depends on."""
    return style.rank(_votes)


def _seen(vote: Vote) -> tuple[str | int, ...]:
    return (
        vote.choice,
        vote.a.label,
        *style.marks(vote.a).values(),
        len(vote.a.answer),
        vote.b.label,
        *style.marks(vote.b).values(),
        len(vote.b.answer),
    )


def _groups(ranking: Ranking, known: Mapping[str, Facts]) -> None:
    """A chart for each group, and what it says of neighbours."""
    if len(ranking.groups) > 1:
        st.info(
            ngettext(
                "{count} group of models, which no vote connects with another.",
                "No vote connects these {count} groups of models, so each is ranked apart. A duel between two of "
                "different groups would join them.",
                len(ranking.groups),
            ),
            icon=":material/call_split:",
        )
    for group in range(min(len(ranking.groups), MOST_GROUPS)):
        charts.standing(ranking, group)
        st.markdown("\n".join(f"- {said}" for said in sentences.neighbours(ranking, group, known)))
    if (left := len(ranking.groups) - MOST_GROUPS) > 0:
        st.caption(
            ngettext("{count} more group is in the table only.", "{count} more groups are in the table only.", left)
        )


def _style(styled: Styled) -> None:
    """What style wins, now that it is taken out."""
    st.markdown(
        "\n".join([_("What style alone does to the votes:"), "", *(f"- {sentences.effect(e)}" for e in styled.effects)])
    )
    if styled.without_text:
        st.caption(
            ngettext(
                "{count} vote is left out: its answers are not here.",
                "{count} votes are left out: their answers are not here.",
                styled.without_text,
            )
        )


def _table(ranking: Ranking) -> None:
    st.dataframe(
        [_line(row, several=len(ranking.groups) > 1) for row in ranking.rows],
        key="ranking-table",
        hide_index=True,
        column_config={
            _("Personal score"): st.column_config.NumberColumn(
                format="percent",
                help=_(
                    "The share of its battles that a model won, a tie counting half, drawn to the mean of all while "
                    "there are few: (points + 2 × mean) ÷ (votes + 2)."
                ),
            ),
            _("Place"): st.column_config.TextColumn(help=_("The places that the intervals leave open.")),
            _("Interval"): st.column_config.TextColumn(
                help=_("Simulated with known strengths, it holds the true score in 95 of 100 cases.")
            ),
        },
    )
    if min(row.battles for row in ranking.rows) < FEW:
        st.caption(
            _(
                "Some models have few votes. Of those the personal score says more: it stays near the mean until there "
                "are enough."
            )
        )


def _line(row: Row, *, several: bool) -> dict[str, str | int | float]:
    place = number(row.best) if row.best == row.worst else f"{number(row.best)}–{number(row.worst)}"
    return {
        **({_("Group"): row.group + 1} if several else {}),
        _("Place"): place,
        _("Model"): row.model,
        _("Score"): round(row.score),
        _("Interval"): f"{round(row.low)}–{round(row.high)}",
        _("Personal score"): round(row.shrunk, 2),
        _("Votes"): row.battles,
        _("Won"): row.wins,
        _("Ties"): row.ties,
        _("Lost"): row.losses,
    }


def _more(ranking: Ranking, votes: Sequence[Vote], known: Mapping[str, Facts]) -> None:
    with st.expander(
        _("Who won against whom"), icon=":material/grid_on:", key="ranking-pairs", on_change="rerun"
    ) as pairs:
        if pairs.open:
            charts.who_met(ranking, [rating.battle(vote) for vote in votes])
    costs = _("Against size, speed, price and energy")
    with st.expander(costs, icon=":material/scatter_plot:", key="ranking-costs", on_change="rerun") as scatter:
        if scatter.open:
            charts.against(ranking, known)
    with st.expander(_("How this is worked out"), icon=":material/function:", key="ranking-method"):
        st.markdown(
            _(
                "Scores are those of the Bradley–Terry model: each model has one strength, and the difference of two "
                "says how often one wins. A tie counts as half a win for each, and so do two bad answers. The mean of "
                "all is 1000; 400 points ahead win 10 to 1, 100 points 64 in 100.\n\n"
                "The interval comes from weighing all votes anew, many times over: where the votes are few or "
                "contradict each other, the score moves, and the interval is wide. Where the intervals of two models "
                "overlap, their order is not decided, whatever their scores are.\n\n"
                "How many votes are still needed is worked out as if the difference stayed as it is now: an interval "
                "narrows with the square root of the votes."
            )
        )
