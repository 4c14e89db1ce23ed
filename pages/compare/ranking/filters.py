"""Which votes count: who cast them, on what, in which language; and whether style is taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from core import words as core_words
from core.arena import rating
from core.arena.prompts import CATEGORIES
from core.arena.rating import SOURCES, Voters
from core.arena.votes import Vote
from pages.ui import error_box
from pages.ui.words import _, language, ngettext

KEY = "ranking"


@dataclass(frozen=True)
class Chosen:
    """The votes that count, and whether the style of their answers is taken out."""

    votes: Sequence[Vote]
    style: bool


def show(votes: Sequence[Vote]) -> Chosen:
    """Draws the filters, and a line that says what they leave."""
    cast = Counter(group for vote in votes for group, sources in SOURCES.items() if vote.source in sources)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(_("Which votes"), icon=":material/filter_alt:", key=f"{KEY}-filters"):
            voters = _voters(cast)
            category = _one_of(_("Questions about"), "category", (vote.category for vote in votes), _category)
            spoken = _one_of(_("Asked in"), "language", (vote.language for vote in votes), _language)
            voter = _one_of(_("Voter"), "voter", (vote.voter for vote in votes), str)
            style = _style()
        found = rating.chosen(votes, category=category, language=spoken, voter=voter, voters=voters)
        st.caption(_counted(len(found), cast, voters), width="content")
    return Chosen(found, style)


def _voters(cast: Counter[Voters]) -> Sequence[Voters]:
    """People, a class and judging models apart, until somebody puts them together."""
    there = [group for group in SOURCES if cast[group]]
    chosen: Sequence[Voters] = st.pills(
        _("Votes of"),
        there,
        default=there[:1],
        selection_mode="multi",
        format_func=lambda group: f"{_names()[group]} ({cast[group]})",
        key=f"{KEY}-voters",
        help=_("People, a class and judging models may well disagree: each is ranked apart unless you choose several."),
    )
    return chosen


def _one_of(label: str, name: str, values: Iterable[str | None], shown: Callable[[str], str]) -> str | None:
    """One of the values there are; None for all. Nothing is drawn where there is no choice."""
    there = sorted({value for value in values if value})
    if not there:
        return None
    chosen: str | None = st.selectbox(
        label, there, index=None, placeholder=_("all"), format_func=shown, key=f"{KEY}-{name}"
    )
    return chosen


def _style() -> bool:
    return st.toggle(
        _("Take out style"),
        key=f"{KEY}-style",
        help=_(
            "Longer answers with headings, lists and bold words win votes whatever they say. With this, what style "
            "wins is estimated, and taken off the scores."
        ),
    )


def _counted(count: int, cast: Counter[Voters], voters: Sequence[Voters]) -> str:
    said = ngettext("{count} vote counts", "{count} votes count", count)
    apart = [f"{_names()[group]} ({number})" for group, number in cast.items() if group not in voters]
    return _("{votes}. Apart: {others}.", votes=said, others=", ".join(apart)) if apart else f"{said}."


def _names() -> dict[Voters, str]:
    return {"people": _("people one by one"), "class": _("a class together"), "judge": _("judging models")}


def _category(category: str) -> str:
    return _(CATEGORIES[category]) if category in CATEGORIES else error_box.plain(category)


def _language(code: str) -> str:
    from babel import Locale

    return str(Locale.parse(core_words.locale(language())).languages.get(code, code))
