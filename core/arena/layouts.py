"""Votes as rows of the tables that public data sets of votes are: Compar'IA's and Chatbot Arena's.

Compar'IA: github.com/betagouv/ComparIA, the data set ministere-culture/comparia-votes. Chatbot Arena: the data sets
lmsys/chatbot_arena_conversations and lmarena-ai/arena-human-preference-140k. Both get one column more, `vote_id`, by
which a vote that was ours is known again. A ranking of the rows is that of the votes; not all else has a column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from core.arena.cells import flag, language, messages, moment, number, text, texts
from core.arena.votes import Choice, Side, Source, Vote
from core.errors import N_

Name = Literal["comparia", "arena"]
Kind = Literal["text", "flag", "number", "seconds", "moment", "list", "messages"]
"""Of a column: text, bool, int, seconds since 1970, the same as a date, list of text, list of messages."""

VOTE_ID = "vote_id"
JUDGE = "model:"
"""Stands before the name of a voter who is a model."""

NO_MODELS = N_("votes that do not name both models")
SAME_MODEL = N_("votes between a model and itself")
NO_CHOICE = N_("votes that do not say who won")

REASONS = {
    "useful": "useful",
    "complete": "complete",
    "creative": "creative",
    "clear": "clear_formatting",
    "wrong": "incorrect",
    "superficial": "superficial",
    "off_instruction": "instructions_not_followed",
}
"""Our reasons by Compar'IA's: conv_NAME_a, conv_NAME_b."""

CHOICES: Mapping[Choice, str] = {"a": "model_a", "b": "model_b", "tie": "tie", "both_bad": "tie (bothbad)"}
"""As Chatbot Arena writes them."""

WINNERS: Mapping[str, Choice] = {
    **{winner: choice for choice, winner in CHOICES.items()},
    "both_bad": "both_bad",
    "bothbad": "both_bad",
}
"""Also what newer data sets say."""


class Column(NamedTuple):
    """One column, what it holds, and what of a vote goes into it."""

    name: str
    kind: Kind
    of: Callable[[Vote], Any]


class Layout(NamedTuple):
    """`required`: columns that a table must have to be read; `read`: a vote without an id, or the reason against it."""

    title: str
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], Vote | str]


def _chosen(vote: Vote) -> str | None:
    return {"a": vote.a.label, "b": vote.b.label}.get(vote.choice)


def _asked(vote: Vote) -> str:
    return next((message.content for message in vote.a.conversation if message.role == "user"), "")


def _whose(vote: Vote) -> str:
    return JUDGE + vote.voter if vote.source == "judge" else vote.voter


def _reason(reason: str, side: Literal["a", "b"]) -> Column:
    return Column(f"conv_{REASONS[reason]}_{side}", "flag", lambda vote: reason in getattr(vote, side).reasons)


COMPARIA = (
    Column("id", "text", lambda vote: vote.id),
    Column("timestamp", "moment", lambda vote: vote.at),
    Column("model_a_name", "text", lambda vote: vote.a.label),
    Column("model_b_name", "text", lambda vote: vote.b.label),
    Column("model_pair_name", "list", lambda vote: sorted((vote.a.label, vote.b.label))),
    Column("chosen_model_name", "text", _chosen),
    Column("opening_msg", "text", _asked),
    Column("both_equal", "flag", lambda vote: _chosen(vote) is None),
    Column("conversation_a", "messages", lambda vote: vote.a.conversation),
    Column("conversation_b", "messages", lambda vote: vote.b.conversation),
    Column("conv_turns", "number", lambda vote: vote.turn),
    Column("system_prompt_a", "text", lambda vote: vote.a.system_prompt),
    Column("system_prompt_b", "text", lambda vote: vote.b.system_prompt),
    Column("selected_category", "text", lambda vote: vote.category),
    Column("conversation_pair_id", "text", lambda vote: vote.duel_id),
    Column("visitor_id", "text", _whose),
    Column("conv_comments_a", "text", lambda vote: vote.comment),
    Column("conv_comments_b", "text", lambda vote: ""),
    *(_reason(reason, side) for reason in REASONS for side in ("a", "b")),
    Column("languages", "list", lambda vote: [vote.language] if vote.language else []),
    Column(VOTE_ID, "text", lambda vote: vote.id),
)

ARENA = (
    Column("question_id", "text", lambda vote: vote.id),
    Column("model_a", "text", lambda vote: vote.a.label),
    Column("model_b", "text", lambda vote: vote.b.label),
    Column("winner", "text", lambda vote: CHOICES[vote.choice]),
    Column("judge", "text", _whose),
    Column("conversation_a", "messages", lambda vote: vote.a.conversation),
    Column("conversation_b", "messages", lambda vote: vote.b.conversation),
    Column("turn", "number", lambda vote: vote.turn),
    Column("anony", "flag", lambda vote: vote.source != "judge"),
    Column("language", "text", lambda vote: vote.language),
    Column("tstamp", "seconds", lambda vote: vote.at),
    Column(VOTE_ID, "text", lambda vote: vote.id),
)


def _comparia(row: Mapping[str, Any]) -> Vote | str:
    names = text(row.get("model_a_name")), text(row.get("model_b_name"))
    winner = text(row.get("chosen_model_name"))
    by_name: dict[str, Choice] = {names[0]: "a", names[1]: "b"}
    choice = by_name.get(winner) or ("tie" if flag(row.get("both_equal")) else None)
    languages, categories = texts(row.get("languages")), texts(row.get("categories"))
    return _vote(
        names,
        choice,
        row,
        voter=text(row.get("visitor_id")) or text(row.get("session_hash")),
        at=moment(row.get("timestamp")),
        language=language(languages[0] if languages else ""),
        category=text(row.get("selected_category")) or (categories[0] if categories else ""),
        duel_id=text(row.get("conversation_pair_id")),
        turn=number(row.get("conv_turns")),
        comment=" ".join(filter(None, (text(row.get(f"conv_comments_{side}")) for side in "ab"))),
    )


def _arena(row: Mapping[str, Any]) -> Vote | str:
    return _vote(
        (text(row.get("model_a")), text(row.get("model_b"))),
        WINNERS.get(text(row.get("winner")).lower()),
        row,
        voter=text(row.get("judge")) or text(row.get("evaluation_session_id")),
        at=moment(row.get("tstamp") or row.get("timestamp")),
        language=language(text(row.get("language"))),
        turn=number(row.get("turn")),
    )


LAYOUTS: Mapping[Name, Layout] = {
    "comparia": Layout("Compar'IA", COMPARIA, ("model_a_name", "model_b_name", "chosen_model_name"), _comparia),
    "arena": Layout("Chatbot Arena", ARENA, ("model_a", "model_b", "winner"), _arena),
}


def _vote(
    names: tuple[str, str],
    choice: Choice | None,
    row: Mapping[str, Any],
    *,
    voter: str,
    at: float,
    language: str,
    category: str = "",
    duel_id: str = "",
    turn: int,
    comment: str = "",
) -> Vote | str:
    if not all(names):
        return NO_MODELS
    if names[0] == names[1]:
        return SAME_MODEL
    if choice is None:
        return NO_CHOICE
    source: Source = "judge" if voter.startswith((JUDGE, "gpt")) else "import"
    return Vote(
        id=text(row.get(VOTE_ID)),
        at=at,
        choice=choice,
        a=_side(names[0], row, "a"),
        b=_side(names[1], row, "b"),
        source=source,
        voter=voter.removeprefix(JUDGE),
        duel_id=duel_id,
        turn=turn,
        category=category or None,
        language=language or None,
        comment=comment,
    )


def _side(name: str, row: Mapping[str, Any], side: Literal["a", "b"]) -> Side:
    return Side(
        label=name,
        model_name=name,
        system_prompt=text(row.get(f"system_prompt_{side}")),
        conversation=messages(row.get(f"conversation_{side}")),
        reasons=tuple(reason for reason, theirs in REASONS.items() if flag(row.get(f"conv_{theirs}_{side}"))),
    )
