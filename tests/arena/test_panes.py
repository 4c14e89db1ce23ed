"""Panes that are changed, come late and go; an answer of a conversation that is taken along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.chat import Asking
from core.errors import AnswerRunning, NotThere, PanesOutOfRange
from core.messages import Sampling
from core.models.local.model_settings import ModelSettings
from core.store.records import StoredMessage
from tests.answering import END, until
from tests.arena.bench import ANA, BEN, SAID, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "workbench.db")
    yield bench
    bench.answers.close()
    bench.db.close()


def test_nothing_was_asked_yet(bench: Bench) -> None:
    made = bench.made("one", "two")
    with pytest.raises(NotThere):
        bench.comparing.regenerate(ANA, made.id, 1)


def test_a_pane_is_set_otherwise_for_the_next_question(bench: Bench) -> None:
    made = bench.made("one", "one")
    assert [pane.label for pane in made.panes] == ["One · 1", "One · 2"]
    changed = Asking(model_id="one", sampling=Sampling(temperature=0.2), settings=ModelSettings(context_length=512))
    bench.comparing.change(ANA, made.id, 2, changed)
    bench.comparing.set_spec(ANA, made.id, {"seen": True})
    now = bench.comparing.get(ANA, made.id)
    assert (now.pane(2).asking, now.pane(2).label, now.pane(1)) == (changed, "One · T 0.2", now.panes[0])
    assert (now.pane(1).asking, now.spec) == (made.pane(1).asking, {"seen": True})


def test_one_that_comes_late_has_the_conversation_and_the_newest_question(bench: Bench) -> None:
    bench.let_go()
    made = bench.made("one", "two")
    assert bench.comparing.add(ANA, made.id, Asking(model_id="three")) == 3
    bench.comparing.remove(ANA, made.id, 3)
    bench.ended(*bench.comparing.ask(ANA, made.id, "Where?"))
    bench.ended(*bench.comparing.ask(ANA, made.id, "When?"))
    assert bench.comparing.add(ANA, made.id, Asking(model_id="three")) == 3
    assert bench.said(made.id)[2] == [("user", "Where?"), ("assistant", SAID), ("user", "When?")]
    assert bench.comparing.answers(ANA, made.id)[2] is None
    (answer,) = bench.ended(bench.comparing.regenerate(ANA, made.id, 3))
    assert (answer.model_id, answer.content) == ("three", SAID)
    for _ in range(3):
        bench.comparing.add(ANA, made.id, Asking(model_id="one"))
    with pytest.raises(PanesOutOfRange):
        bench.comparing.add(ANA, made.id, Asking(model_id="one"))


def test_a_pane_is_taken_away_in_mid_answer(bench: Bench) -> None:
    made = bench.made("one", "two", "three")
    messages = bench.comparing.ask(ANA, made.id, "Where?")
    until(bench.models["one"].running.is_set)
    bench.comparing.remove(ANA, made.id, 1)
    bench.let_go("two", "three")
    bench.ended(*messages[1:])
    assert [pane.number for pane in bench.comparing.get(ANA, made.id).panes] == [2, 3]
    with pytest.raises(NotThere):
        bench.conversations.message(ANA, messages[0].id)
    with pytest.raises(PanesOutOfRange):
        bench.comparing.remove(ANA, made.id, 2)
    with pytest.raises(NotThere):
        bench.comparing.remove(ANA, made.id, 1)


def test_it_is_deleted_in_mid_answer(bench: Bench) -> None:
    made, kept = bench.made("one", "two"), bench.made("two", "three")
    bench.comparing.ask(ANA, made.id, "Where?")
    bench.comparing.delete(ANA, made.id)
    assert [one.id for one in bench.comparing.list(ANA)] == [kept.id]
    assert not bench.turns.waited_for and not bench.answers.busy
    with pytest.raises(NotThere):
        bench.comparing.get(ANA, made.id)


def answered_in_chat(bench: Bench, asking: Asking, *questions: str) -> StoredMessage:
    bench.let_go()
    id, message = None, None
    for question in questions:
        (message,) = bench.ended(bench.chat.ask(ANA, id, question, asking))
        id = message.conversation_id
    assert message is not None
    return message


def test_an_answer_of_a_conversation_stands_beside_others(bench: Bench) -> None:
    asking = Asking(model_id="one", system_prompt="Rhyme.", sampling=Sampling(temperature=0.1), max_tokens=5)
    answer = answered_in_chat(bench, asking, "Where?", "When?")
    made = bench.comparing.from_answer(ANA, answer.id, [Asking(model_id="two"), Asking(model_id="three")])
    assert [pane.asking for pane in made.panes] == [asking, Asking(model_id="two"), Asking(model_id="three")]
    assert made.title == "Where?" and len(bench.models["one"].asked) == 2
    *_, kept = bench.conversations.messages(ANA, made.pane(1).conversation.id)
    assert (kept.content, kept.finished, kept.model_name, kept.status) == (SAID, END, "One", "complete")
    assert bench.running(bench.conversations.messages(ANA, made.pane(3).conversation.id)[-1]).wait(10)
    history = [("user", "Where?"), ("assistant", SAID), ("user", "When?"), ("assistant", SAID)]
    assert bench.said(made.id) == [history] * 3
    assert [m.content for m in bench.models["two"].asked[-1].messages] == ["Where?", SAID, "When?"]
    assert len(bench.conversations.messages(ANA, answer.conversation_id)) == 4
    assert len(bench.conversations.list(ANA)) == 1


def test_with_nobody_named_a_second_one_like_it_waits(bench: Bench) -> None:
    asking = Asking(model_id="one", max_tokens=5)
    answer = answered_in_chat(bench, asking, "Where?")
    made = bench.comparing.from_answer(ANA, answer.id)
    assert [pane.asking for pane in made.panes] == [asking, asking]
    assert bench.said(made.id) == [[("user", "Where?"), ("assistant", SAID)], [("user", "Where?")]]
    assert not bench.comparing.running(ANA, made.id)
    bench.comparing.change(ANA, made.id, 2, Asking(model_id="two"))
    (asked,) = bench.ended(bench.comparing.regenerate(ANA, made.id, 2))
    assert asked.model_id == "two"


def test_an_older_answer_is_taken_as_it_was_asked_then(bench: Bench) -> None:
    then, now = Asking(model_id="one", max_tokens=5, system_prompt="Rhyme."), Asking(model_id="two", max_tokens=9)
    first = answered_in_chat(bench, then, "Where?")
    bench.ended(bench.chat.ask(ANA, first.conversation_id, "When?", now))
    made = bench.comparing.from_answer(ANA, first.id)
    assert made.pane(1).asking == then
    assert bench.said(made.id)[0] == [("user", "Where?"), ("assistant", SAID)]


def test_what_is_no_answer_or_still_comes_is_not_compared(bench: Bench) -> None:
    message = bench.chat.ask(ANA, None, "Where?", Asking(model_id="one"))
    assert message.parent_id is not None
    with pytest.raises(AnswerRunning):
        bench.comparing.from_answer(ANA, message.id)
    with pytest.raises(NotThere):
        bench.comparing.from_answer(ANA, message.parent_id)
    bench.let_go()
    bench.ended(message)
    with pytest.raises(PanesOutOfRange):
        bench.comparing.from_answer(ANA, message.id, [Asking()] * 6)
    with pytest.raises(NotThere):
        bench.comparing.from_answer(BEN, message.id)
    assert bench.comparing.list(ANA) == bench.comparing.list(BEN) == []
