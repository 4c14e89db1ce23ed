"""The ranking's charts, each with its title in words and its numbers as a file. Imports plotly: call it where seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core import arena_plots
from core.arena.facts import LESS_IS_BETTER, Facts, Kind
from core.arena.front import Point, front
from core.arena.pairs import Pairs, pairs
from core.arena.standings import Battle, Ranking, Row
from pages.compare.ranking import sentences
from pages.ui import chart
from pages.ui.words import _, ngettext, percent

if TYPE_CHECKING:
    pass

MOST = 25
"""Models in a chart."""

GIGA = 1e9


def standing(ranking: Ranking, group: int) -> None:
    """Scores with their intervals, of one group."""
    rows = [row for row in ranking.rows if row.group == group][:MOST]
    title = sentences.title(rows)
    words = _words(title, x=_("score: 400 more wins 10 to 1"))
    chart.show(
        f"ranking-{group}",
        lambda dark: arena_plots.standing(rows, words=words, dark=dark),
        title=title,
        name="ranking",
        csv=lambda: arena_plots.ranking_csv(ranking),
    )


def who_met(ranking: Ranking, battles: Sequence[Battle]) -> None:
    """Two heat maps: who won how much against whom, and of how many votes."""
    found = pairs(battles, [row.model for row in ranking.rows][:MOST])
    won = _words(_("Points won of 100: {clearest}", clearest=_clearest(found)))
    chart.show(
        "ranking-shares",
        lambda dark: arena_plots.shares(found, words=won, dark=dark),
        title=won.title,
        name="ranking-shares",
    )
    met = _words(_most_votes(found))
    chart.show(
        "ranking-counts",
        lambda dark: arena_plots.counts(found, words=met, dark=dark),
        title=met.title,
        name="ranking-pairs",
        csv=lambda: arena_plots.pairs_csv(found),
    )
    st.caption(_("A row is a model, a column its opponent, by number."))


def against(ranking: Ranking, known: Mapping[str, Facts]) -> None:
    """Scores against what the models take or give, with the Pareto front; of the group with the most votes."""
    rows = [row for row in ranking.rows if row.group == 0][:MOST]
    there = [kind for kind in LESS_IS_BETTER if len(_points(rows, known, kind)) > 1]
    if not there:
        st.caption(_("Of fewer than two models is size, price, speed or energy known."))
        return
    kind: Kind | None = st.segmented_control(
        _("Against"),
        there,
        default=there[0],
        required=True,
        format_func=lambda one: _kinds()[one][0],
        key="ranking-kind",
    )
    kind = kind or there[0]
    points = _points(rows, known, kind)
    best = front(points, less_is_better=LESS_IS_BETTER[kind])
    words = _words(_front_title(kind, best), x=_kinds()[kind][1], y=_("score"))
    chart.show(
        f"ranking-against-{kind}",
        lambda dark: arena_plots.against(points, best, rows, words=words, dark=dark),
        title=words.title,
        name=f"ranking-{kind}",
        csv=lambda: arena_plots.against_csv(points, best, kind),
    )
    st.caption(
        _("Filled points, joined by a line, are the Pareto front: no other model is at least as good in both respects.")
    )


def _points(rows: Sequence[Row], known: Mapping[str, Facts], kind: Kind) -> dict[str, Point]:
    scale = GIGA if kind in ("size", "parameters") else 1.0
    values = {row.model: known[row.model].of(kind) for row in rows if row.model in known}
    currencies = [known[model].currency for model in values if known[model].currency]
    if kind == "price" and currencies:
        # What is paid in another currency cannot stand on the same axis; what costs nothing can.
        values = {model: value for model, value in values.items() if known[model].currency in (None, currencies[0])}
    return {row.model: (value / scale, row.score) for row in rows if (value := values.get(row.model)) is not None}


def _kinds() -> dict[Kind, tuple[str, str]]:
    """What each kind is called, and its axis."""
    return {
        "size": (_("Size"), _("size of the file, GB")),
        "parameters": (_("Parameters"), _("parameters, billions")),
        "speed": (_("Speed"), _("tokens/s while writing, median")),
        "price": (_("Price"), _("price of an answer, median")),
        "energy_measured": (_("Energy, measured"), _("energy of an answer as measured, Wh, median")),
        "energy_estimated": (_("Energy, estimated"), _("energy of an answer by an estimate, Wh, median")),
    }


def _front_title(kind: Kind, best: Sequence[str]) -> str:
    if len(best) == 1:
        return _("{model} is ahead in both", model=best[0])
    said = {
        "size": ngettext(
            "{count} model is the best for its size", "{count} models are the best for their size", len(best)
        ),
        "parameters": ngettext(
            "{count} model is the best for its size", "{count} models are the best for their size", len(best)
        ),
        "speed": ngettext(
            "{count} model is the best for its speed", "{count} models are the best for their speed", len(best)
        ),
        "price": ngettext(
            "{count} model is the best for its price", "{count} models are the best for their price", len(best)
        ),
    }
    energy = ngettext(
        "{count} model is the best for its energy", "{count} models are the best for their energy", len(best)
    )
    return said.get(kind, energy)


def _clearest(found: Pairs) -> str:
    """The pair of which one won the most of the other's points."""
    won = [
        (share, found.counts[i][j], found.models[i], found.models[j])
        for i, row in enumerate(found.shares)
        for j, share in enumerate(row)
        if share is not None
    ]
    if not won:
        return ""
    share, _count, winner, loser = max(won, key=lambda one: (one[0], one[1]))
    return _("most clearly {winner} against {loser}, {share}", winner=winner, loser=loser, share=percent(share))


def _most_votes(found: Pairs) -> str:
    size = len(found.models)
    never = sum(not found.counts[i][j] for i in range(size) for j in range(i))
    if not never:
        return _("Votes between any two: everybody has met everybody")
    return ngettext(
        "Votes between any two: {count} pair never met", "Votes between any two: {count} pairs never met", never
    )


def _words(title: str, *, x: str = "", y: str = "") -> arena_plots.Words:
    return arena_plots.Words(title=title, x=x, y=y, separators=chart.separators())
