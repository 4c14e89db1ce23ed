"""`python -m core rank`: the ranking of the models in a file of votes, with how sure it is.

JSON: {"ranking": [{"model", "score", "low", "high", "battles"}], "groups": [[model …] …], "undecided": [{"a", "b",
"needed"}], "left_out": [{"reason", "count"}]}; what each is stands in core/arena/standings.py. With --style also
"style": {"effects": [{"element", "odds", "low", "high"}], "without_text"}.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from core.arena import exchange, rating, style
from core.arena.exchange import VotesFile
from core.arena.standings import Ranking, Row
from core.arena.style import Styled
from core.cli import terminal
from core.errors import N_, VotesUnreadable


def run(args: argparse.Namespace) -> int:
    """Reads and ranks. Raises `VotesUnreadable` or one of its kin."""
    file = exchange.read(_data(args.votes), origin=Path(args.votes).name)
    votes = rating.chosen(file.votes, category=args.category, language=args.language, voters=args.voters)
    styled: Styled | None = None
    if args.style:
        styled = style.rank(votes, rounds=args.rounds)
    ranking = styled.ranking if styled else rating.rank(map(rating.battle, votes), rounds=args.rounds)
    if args.json:
        terminal.write_json(_described(ranking, styled, file))
    else:
        _write(ranking, styled, file)
    return 0


def _data(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as exc:
        raise VotesUnreadable(detail=getattr(exc, "strerror", None) or N_("there is no file of that name")) from exc


def _described(ranking: Ranking, styled: Styled | None, file: VotesFile) -> dict[str, object]:
    names = ("model", "score", "low", "high", "battles")
    said: dict[str, object] = {
        "ranking": [{name: getattr(row, name) for name in names} for row in ranking.rows],
        "groups": ranking.groups,
        "undecided": ranking.undecided,
        "left_out": file.left_out,
    }
    if styled is not None:
        said["style"] = {"effects": styled.effects, "without_text": styled.without_text}
    return said


def _write(ranking: Ranking, styled: Styled | None, file: VotesFile) -> None:
    for number, group in enumerate(ranking.groups):
        if len(ranking.groups) > 1:
            terminal.write(("\n" if number else "") + f"group {number + 1}, which no vote connects with the others\n")
        rows = [_cells(row) for row in ranking.rows if row.group == number]
        terminal.write_table(("PLACE", "SCORE", "95% INTERVAL", "VOTES", "WON", "TIES", "LOST", "MODEL"), rows)
        if len(group) > 1:
            _write_undecided(ranking, number)
    if not ranking.rows:
        terminal.say("no votes to rank")
    for effect in styled.effects if styled else ():
        terminal.write(
            f"more {effect.element}: odds of winning × {effect.odds:.2f} ({effect.low:.2f}–{effect.high:.2f})\n"
        )
    if styled is not None and styled.without_text:
        terminal.say(f"without their answers, so left out: {styled.without_text} votes")
    for one in file.left_out:
        terminal.say(f"left out: {one.count} {one.reason}")


def _write_undecided(ranking: Ranking, group: int) -> None:
    names = set(ranking.groups[group])
    for one in ranking.undecided:
        if one.a in names:
            more = f"about {one.needed} more votes between them would tell" if one.needed else "too close to tell"
            terminal.write(f"undecided: {one.a} and {one.b}: {more}\n")


def _cells(row: Row) -> tuple[str, ...]:
    place = str(row.best) if row.best == row.worst else f"{row.best}–{row.worst}"
    interval = f"{row.low:.0f}–{row.high:.0f}"
    counts = (str(count) for count in (row.battles, row.wins, row.ties, row.losses))
    return place, f"{row.score:.0f}", interval, *counts, row.model
