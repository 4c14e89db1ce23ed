"""What a ranking says, in sentences: who is ahead, what is undecided, and what else speaks for one of two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from core.arena.facts import Advantage, Facts, advantages
from core.arena.standings import Ranking, Row, Undecided
from core.arena.style import Effect
from pages.ui import error_box
from pages.ui.words import _, ngettext, number

NEIGHBOURS = 5
"""Pairs of neighbours that are talked about."""


def title(rows: Sequence[Row]) -> str:
    """What one group's chart shows. Plain text."""
    first = [row for row in rows if row.best == 1]
    if len(first) == 1:
        return _("{model} is ahead", model=rows[0].model)
    if len(first) == len(rows):
        return _("Undecided: any of them could be ahead")
    return _("Undecided which of the first {count} is ahead", count=number(len(first)))


def neighbours(ranking: Ranking, group: int, known: Mapping[str, Facts]) -> Iterator[str]:
    """A sentence on each two that stand next to each other in one group, from the top. Markdown."""
    undecided = {(one.a, one.b): one for one in ranking.undecided}
    rows = [row for row in ranking.rows if row.group == group]
    for upper, lower in list(pairwise(rows))[:NEIGHBOURS]:
        one = undecided.get((upper.model, lower.model))
        if one is None:
            yield _("{a} is ahead of {b}.", a=_bold(upper.model), b=_bold(lower.model))
        else:
            yield " ".join([_undecided(one), *(_advantage(each) for each in advantages(one.a, one.b, known))])


def effect(one: Effect) -> str:
    """What more of an element does. Markdown."""
    values = {"odds": number(one.odds), "low": number(one.low), "high": number(one.high)}
    name = {
        "length": _("More length"),
        "headings": _("More headings"),
        "lists": _("More lists"),
        "bold": _("More bold words"),
    }[one.element]
    if one.low <= 1 <= one.high:
        return _(
            "{name}: no effect that can be told from chance (odds × {odds}, {low} to {high}).", name=name, **values
        )
    return _("{name}: the odds of winning × {odds} ({low} to {high}).", name=name, **values)


def _undecided(one: Undecided) -> str:
    pair = {"a": _bold(one.a), "b": _bold(one.b)}
    if one.needed is None:
        return _("{a} and {b}: undecided, and so close that votes will hardly tell.", **pair)
    return ngettext(
        "{a} and {b}: undecided; about {count} more vote between them would tell.",
        "{a} and {b}: undecided; about {count} more votes between them would tell.",
        int(float(f"{one.needed:.2g}")),
        **pair,
    )


def _advantage(one: Advantage) -> str:
    model = _bold(one.model)
    if math.isinf(one.factor):
        return _("Asking {model} costs nothing.", model=model)
    factor = number(float(f"{one.factor:.2g}"))
    return {
        "size": _("{model} is {factor} times smaller as a file.", model=model, factor=factor),
        "parameters": _("{model} has {factor} times fewer parameters.", model=model, factor=factor),
        "speed": _("{model} writes {factor} times faster.", model=model, factor=factor),
        "price": _("{model} is {factor} times cheaper.", model=model, factor=factor),
        "energy_measured": _("{model} took {factor} times less energy, as measured.", model=model, factor=factor),
        "energy_estimated": _("{model} took {factor} times less energy, by an estimate.", model=model, factor=factor),
    }[one.kind]


def _bold(model: str) -> str:
    return f"**{error_box.plain(model)}**"
