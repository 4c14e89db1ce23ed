"""Panes put side by side: a round a question, whatever each pane begins with."""

from __future__ import annotations

from core.arena.rounds import rounds
from core.store.records import StoredMessage


def said(*texts: str, begin: float = 0.0) -> list[StoredMessage]:
    """A conversation: questions begin with "?"."""
    return [
        StoredMessage(
            id=f"{begin}-{at}",
            conversation_id="c",
            parent_id=None,
            role="user" if text.startswith("?") else "assistant",
            content=text,
            reasoning="",
            created_at=begin + at,
            status="complete",
        )
        for at, text in enumerate(texts)
    ]


def shown(*paths: list[StoredMessage]) -> list[tuple[str, list[str | None]]]:
    return [(one.question.content, [a.content if a else None for a in one.answers]) for one in rounds(paths)]


def test_each_question_has_the_answers_of_all() -> None:
    left, right = said("?1", "a1", "?2", "a2"), said("?1", "b1", "?2", "b2", begin=0.5)
    assert shown(left, right) == [("?1", ["a1", "b1"]), ("?2", ["a2", "b2"])]
    assert not any(one.shared for one in rounds([left, right]))


def test_nothing_asked_makes_no_round() -> None:
    assert rounds([[], []]) == []


def test_a_pane_that_came_later_has_no_answer_yet() -> None:
    assert shown(said("?1", "a1", "?2", "a2"), said("?1", "a1", "?2")) == [("?1", ["a1", "a1"]), ("?2", ["a2", None])]


def test_a_pane_without_the_first_questions_stands_beside_the_newest() -> None:
    assert shown(said("?1", "a1", "?2", "a2"), said("?2", "b2", begin=2.5)) == [
        ("?1", ["a1", None]),
        ("?2", ["a2", "b2"]),
    ]


def test_what_all_begin_with_is_shared() -> None:
    one, other = said("?1", "a1", "?2", "a2"), said("?1", "a1", "?2", "b2")
    assert [found.shared for found in rounds([one, other])] == [True, False]


def test_the_same_question_twice_is_two_rounds() -> None:
    assert shown(said("?1", "a", "?1", "b"), said("?1", "c", "?1", "d")) == [("?1", ["a", "c"]), ("?1", ["b", "d"])]


def test_a_question_left_without_an_answer_is_a_round() -> None:
    assert shown(said("?1", "?2", "a2"), said("?1", "?2")) == [("?1", [None, None]), ("?2", ["a2", None])]
