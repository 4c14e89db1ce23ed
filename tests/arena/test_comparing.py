"""One question to several models: who runs when, what fails alone, what is kept, and whose it is."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.arena.comparing import Comparing
from core.attachments import Attachment
from core.chat import Asking
from core.errors import AnswerRunning, EmptyPrompt, ModelDied, NotThere, PanesOutOfRange
from core.events import Queued
from core.messages import ChatRequest, Message, Sampling
from core.store.comparisons import Comparisons
from tests.answering import until
from tests.arena.bench import ANA, BEN, SAID, Bench
from tests.gating import Gated


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "workbench.db")
    yield bench
    bench.answers.close()
    bench.db.close()


def test_a_comparison_has_panes_each_with_how_it_is_asked(bench: Bench) -> None:
    askings = [Asking(model_id="one", max_tokens=3), Asking(model_id="two", system_prompt="Rhyme.")]
    made = bench.comparing.create(ANA, askings, spec={"order": [2, 1]})
    assert bench.comparing.get(ANA, made.id) == made
    assert [(pane.number, pane.asking, pane.label) for pane in made.panes] == [
        (1, askings[0], "One"),
        (2, askings[1], "Two"),
    ]
    assert (made.kind, made.timing, made.title, made.spec, made.pane(2)) == (
        "side",
        "alone",
        "",
        {"order": [2, 1]},
        made.panes[1],
    )
    with pytest.raises(NotThere):
        made.pane(3)
    assert not bench.comparing.running(ANA, made.id) and bench.comparing.answers(ANA, made.id) == (None, None)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_from_two_to_six(bench: Bench, count: int) -> None:
    with pytest.raises(PanesOutOfRange):
        bench.made(*["one"] * count)
    assert bench.comparing.list(ANA) == []


def test_alone_they_answer_one_after_another(bench: Bench) -> None:
    made = bench.made("one", "two", "three")
    first, second, third = messages = bench.comparing.ask(ANA, made.id, "Where?")
    assert [m.conversation_id for m in messages] == [pane.conversation.id for pane in made.panes]
    until(bench.models["one"].running.is_set)
    until(lambda: [bench.running(m).progress for m in (second, third)] == [Queued(1), Queued(2)])
    assert bench.comparing.running(ANA, made.id)
    bench.let_go("one")
    until(bench.models["two"].running.is_set)
    assert not bench.models["three"].running.is_set()
    assert bench.ended(first)[0].content == SAID
    until(lambda: bench.running(second).state == "answering")
    bench.let_go()
    assert [(m.status, m.content) for m in bench.ended(*messages)] == [("complete", SAID)] * 3
    assert not bench.comparing.running(ANA, made.id)
    now = bench.comparing.get(ANA, made.id)
    assert now.title == "Where?" and now.together == frozenset()
    assert bench.said(made.id) == [[("user", "Where?"), ("assistant", SAID)]] * 3


def test_they_come_in_the_order_that_is_given(bench: Bench) -> None:
    made = bench.made("one", "two", "three", spec={"order": [3, 1]})
    messages = bench.comparing.ask(ANA, made.id, "Where?")
    until(bench.models["three"].running.is_set)
    until(lambda: bench.running(messages[0]).progress == Queued(1))
    until(lambda: bench.running(messages[1]).progress == Queued(2))
    bench.let_go()
    bench.ended(*messages)


def test_two_comparisons_are_not_timed_beside_each_other(bench: Bench) -> None:
    mine = bench.comparing.ask(ANA, bench.made("one", "two").id, "Where?")
    other = bench.comparing.create(BEN, [Asking(model_id="three")] * 2)
    theirs = bench.comparing.ask(BEN, other.id, "When?")
    until(lambda: bench.running(theirs[0]).progress == Queued(2))
    bench.let_go("one")
    until(lambda: bench.running(theirs[0]).progress == Queued(1))
    assert not bench.models["three"].running.is_set()
    bench.let_go()
    bench.ended(*mine)
    assert all(bench.running(m).wait(10) for m in theirs)


def test_together_they_answer_at_once_and_it_is_noted(bench: Bench) -> None:
    bench.models["three"] = Gated("three", local=False)
    made = bench.made("one", "two", "three", timing="together")
    messages = bench.comparing.ask(ANA, made.id, "Where?")
    for model in bench.models.values():
        until(model.running.is_set)
    bench.let_go()
    bench.ended(*messages)
    assert bench.comparing.get(ANA, made.id).together == {m.id for m in messages}
    bench.comparing.set_timing(ANA, made.id, "alone")
    again = bench.ended(*bench.comparing.ask(ANA, made.id, "And?"))
    assert bench.comparing.get(ANA, made.id).together == {m.id for m in messages}
    assert all(m.status == "complete" for m in again)


def test_together_waits_here_for_what_is_timed_alone_and_elsewhere_for_nothing(bench: Bench) -> None:
    bench.models["three"] = Gated("three", local=False)
    timed = bench.comparing.ask(ANA, bench.made("one", "one").id, "Where?")
    until(bench.models["one"].running.is_set)
    made = bench.made("two", "two", "three", timing="together")
    messages = bench.comparing.ask(ANA, made.id, "When?")
    until(bench.models["three"].running.is_set)
    until(lambda: [bench.running(m).progress for m in messages[:2]] == [Queued(2), Queued(2)])
    bench.let_go()
    assert [m.status for m in bench.ended(*timed, *messages)] == ["complete"] * 5


def test_what_somebody_asks_beside_it_is_noted_with_one_that_was_to_be_alone(bench: Bench) -> None:
    made = bench.made("one", "two")
    first, second = bench.comparing.ask(ANA, made.id, "Where?")
    until(bench.models["one"].running.is_set)
    bench.chat.ask(BEN, None, "And I?", Asking(model_id="three"))
    until(bench.models["three"].running.is_set)
    bench.let_go("one")
    bench.ended(first)
    assert first.id in bench.comparing.get(ANA, made.id).together
    bench.let_go()
    bench.ended(second)


def test_one_asked_again_beside_another_is_noted_with_it(bench: Bench) -> None:
    bench.models["two"] = Gated("two", local=False)
    made = bench.made("one", "two", timing="together")
    bench.let_go("two")
    first, second = bench.comparing.ask(ANA, made.id, "Where?")
    bench.ended(second)
    again = bench.comparing.regenerate(ANA, made.id, 2)
    bench.let_go()
    bench.ended(first, again)
    assert bench.comparing.get(ANA, made.id).together == {first.id, second.id, again.id}
    last = bench.comparing.regenerate(ANA, made.id, 1)
    bench.ended(last)
    assert last.id not in bench.comparing.get(ANA, made.id).together, "nothing ran beside it"


def test_each_pane_goes_on_with_its_own_conversation_and_settings(bench: Bench) -> None:
    bench.let_go()
    askings = [
        Asking(model_id="one", max_tokens=3),
        Asking(model_id="two", system_prompt="Rhyme.", sampling=Sampling(seed=1)),
    ]
    made = bench.comparing.create(ANA, askings)
    bench.ended(*bench.comparing.ask(ANA, made.id, "Where?", attachments=[Attachment("a.md", "# A")]))
    bench.ended(*bench.comparing.ask(ANA, made.id, "And when?"))
    first, second = bench.models["one"].asked[1], bench.models["two"].asked[1]
    assert [m.role for m in first.messages] == ["user", "assistant", "user"]
    assert "# A" in first.messages[0].content and first.messages[2].content == "And when?"
    assert second.messages == (Message("system", "Rhyme."), *first.messages)
    assert (first.max_tokens, second.max_tokens, second.sampling.seed) == (3, None, 1)


def test_the_figures_are_runs_of_their_own_kind(bench: Bench) -> None:
    bench.let_go()
    bench.ended(*bench.comparing.ask(ANA, bench.made("one", "two").id, "Where?"))
    assert sorted(run.model_id for run in bench.runs.list(ANA, kind="compare")) == ["one", "two"]
    assert bench.runs.list(ANA, kind="chat") == []


@pytest.mark.parametrize("question", ["", " \n"])
def test_an_empty_question_keeps_nothing(bench: Bench, question: str) -> None:
    made = bench.made("one", "two")
    with pytest.raises(EmptyPrompt):
        bench.comparing.ask(ANA, made.id, question)
    assert bench.said(made.id) == [[], []]


def test_a_question_waits_for_the_answers_to_the_one_before(bench: Bench) -> None:
    made = bench.made("one", "two")
    messages = bench.comparing.ask(ANA, made.id, "Where?")
    with pytest.raises(AnswerRunning):
        bench.comparing.ask(ANA, made.id, "When?")
    for number in (1, 2):
        with pytest.raises(AnswerRunning):
            bench.comparing.regenerate(ANA, made.id, number)
        with pytest.raises(AnswerRunning):
            bench.comparing.go_on(ANA, made.id, number)
    assert [len(path) for path in bench.said(made.id)] == [2, 2]
    bench.let_go()
    bench.ended(*messages)


def test_asked_twice_at_once_it_is_asked_once(bench: Bench) -> None:
    made = bench.made("one", "two")
    outcomes: list[object] = []

    def ask() -> None:
        try:
            outcomes.append(bench.comparing.ask(ANA, made.id, "Where?"))
        except AnswerRunning as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert outcomes.count(AnswerRunning) == 3
    assert [len(path) for path in bench.said(made.id)] == [2, 2]


def test_a_model_that_cannot_be_had_fails_in_its_pane_and_can_be_asked_again(bench: Bench) -> None:
    made = bench.made("one", "gone", "two")
    bench.let_go()
    first, failed, last = bench.ended(*bench.comparing.ask(ANA, made.id, "Where?"))
    assert (first.content, last.content) == (SAID, SAID)
    assert (failed.status, failed.content, failed.model_name) == ("failed", "", "gone")
    assert failed.error == {"error": "ModelNotFound", "values": {"model": "gone"}}
    assert [pane.label for pane in bench.comparing.get(ANA, made.id).panes] == ["One", "gone", "Two"]
    (again,) = bench.ended(bench.comparing.regenerate(ANA, made.id, 2))
    assert again.status == "failed", "it is still not there"
    bench.comparing.change(ANA, made.id, 2, Asking(model_id="three"))
    (third,) = bench.ended(bench.comparing.regenerate(ANA, made.id, 2))
    assert (third.status, third.content, third.model_id) == ("complete", SAID, "three")
    assert bench.conversations.siblings(ANA, third.id) == [failed.id, again.id, third.id]


def test_what_cannot_be_had_waits_for_nobody(bench: Bench) -> None:
    messages = bench.comparing.ask(ANA, bench.made("one", "gone").id, "Where?")
    until(bench.models["one"].running.is_set)
    assert bench.ended(messages[1])[0].status == "failed"
    assert not bench.running(messages[0]).ended


def test_a_pane_that_breaks_leaves_what_came_and_the_others_go_on(bench: Bench) -> None:
    bench.models["one"].error = ModelDied(model="One", detail="killed")
    made = bench.made("one", "two")
    bench.let_go()
    broken, well = bench.ended(*bench.comparing.ask(ANA, made.id, "Where?"))
    assert (broken.status, broken.content, well.status) == ("failed", "w1 ", "complete")
    bench.models["one"].error = None
    (again,) = bench.ended(bench.comparing.regenerate(ANA, made.id, 1))
    assert again.status == "complete" and again.parent_id == broken.parent_id
    assert bench.said(made.id)[1] == [("user", "Where?"), ("assistant", SAID)], "the other is left alone"


def test_one_is_stopped_and_the_next_begins(bench: Bench) -> None:
    made = bench.made("one", "two", "three")
    first, second, third = bench.comparing.ask(ANA, made.id, "Where?")
    until(lambda: bench.running(first).text)
    bench.comparing.stop(ANA, made.id, 1)
    until(bench.models["two"].running.is_set)
    bench.comparing.stop(ANA, made.id, 3)
    bench.let_go("two")
    assert [(m.status, m.content) for m in bench.ended(first, second, third)] == [
        ("cut", "w1 "),
        ("complete", SAID),
        ("cut", ""),
    ]
    assert bench.models["three"].asked == []
    with pytest.raises(NotThere):
        bench.comparing.stop(ANA, made.id, 4)


def test_all_are_stopped_and_none_that_waits_begins(bench: Bench) -> None:
    made = bench.made("one", "two", "three")
    messages = bench.comparing.ask(ANA, made.id, "Where?")
    until(lambda: bench.running(messages[0]).text)
    bench.comparing.stop(ANA, made.id)
    assert not bench.comparing.running(ANA, made.id)
    assert [m.content for m in bench.ended(*messages)] == ["w1 ", "", ""]
    assert bench.models["two"].asked == bench.models["three"].asked == []
    assert not bench.turns.waited_for
    bench.let_go()
    on = bench.comparing.go_on(ANA, made.id, 1)
    assert on.id == messages[0].id
    assert bench.ended(on)[0].content == "w1 " + SAID
    assert bench.models["one"].asked[-1].continue_last
    assert bench.ended(bench.comparing.go_on(ANA, made.id, 2))[0].content == SAID


def test_whoever_follows_one_keeps_those_that_wait(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "workbench.db", abandon_after_s=0.2)
    made = bench.made("one", "two", "three")
    messages = bench.comparing.ask(ANA, made.id, "Where?")
    first, *waiting = (bench.running(message) for message in messages)
    stream = first.follow(timeout=10)
    next(stream)  # from here on it is followed
    until(lambda: first.tokens)
    time.sleep(0.6)
    assert not any(answer.ended for answer in (first, *waiting))
    stream.close()
    until(lambda: all(answer.ended for answer in (first, *waiting)))
    assert [(m.status, m.content) for m in bench.ended(*messages)] == [("cut", "w1 "), ("cut", ""), ("cut", "")]
    bench.let_go()
    assert bench.ended(bench.comparing.regenerate(ANA, made.id, 2))[0].status == "complete"
    bench.answers.close()
    bench.db.close()


def test_what_a_killed_server_left_is_cut_and_can_be_asked_again(bench: Bench) -> None:
    """The first pane was answering, the second waited, and the third had not even been begun."""
    made = bench.made("one", "two", "three")
    asked = Comparisons(bench.db).add_questions(ANA, made.id, "Where?")
    for question, name in zip(asked[:2], ("one", "two"), strict=True):
        message = bench.conversations.begin_answer(
            ANA, question.conversation_id, parent_id=question.id, model_id=name, model_name=name, request=ChatRequest()
        )
        if name == "one":
            bench.conversations.append(message.id, "w0 ")
    assert bench.conversations.recover() == 2
    bench.let_go()
    assert not bench.comparing.running(ANA, made.id)
    on = bench.comparing.go_on(ANA, made.id, 1)
    again = [bench.comparing.regenerate(ANA, made.id, number) for number in (2, 3)]
    bench.ended(on, *again)
    assert [path[-1] for path in bench.said(made.id)] == [
        ("assistant", "w0 " + SAID),
        ("assistant", SAID),
        ("assistant", SAID),
    ]
    assert [len(path) for path in bench.said(made.id)] == [2, 2, 2]


CALLS: dict[str, Callable[[Comparing, str, str], Any]] = {
    "get": lambda c, owner, id: c.get(owner, id),
    "ask": lambda c, owner, id: c.ask(owner, id, "mine?"),
    "regenerate": lambda c, owner, id: c.regenerate(owner, id, 1),
    "go_on": lambda c, owner, id: c.go_on(owner, id, 1),
    "stop": lambda c, owner, id: c.stop(owner, id),
    "change": lambda c, owner, id: c.change(owner, id, 1, Asking(model_id="three")),
    "add": lambda c, owner, id: c.add(owner, id, Asking(model_id="three")),
    "remove": lambda c, owner, id: c.remove(owner, id, 1),
    "set_timing": lambda c, owner, id: c.set_timing(owner, id, "together"),
    "set_spec": lambda c, owner, id: c.set_spec(owner, id, {}),
    "delete": lambda c, owner, id: c.delete(owner, id),
    "running": lambda c, owner, id: c.running(owner, id),
    "answers": lambda c, owner, id: c.answers(owner, id),
}


@pytest.mark.parametrize("name", CALLS)
def test_anothers_comparison_is_not_there(bench: Bench, name: str) -> None:
    bench.let_go()
    made = bench.made("one", "two", "three")
    bench.ended(*bench.comparing.ask(ANA, made.id, "Where?"))
    before = bench.comparing.get(ANA, made.id), bench.said(made.id)
    with pytest.raises(NotThere):
        CALLS[name](bench.comparing, BEN, made.id)
    assert (bench.comparing.get(ANA, made.id), bench.said(made.id)) == before
    assert bench.comparing.list(BEN) == []


def test_every_method_with_an_owner_is_tried() -> None:
    public = {n: f for n, f in inspect.getmembers(Comparing, inspect.isfunction) if not n.startswith("_")}
    assert all("owner" in inspect.signature(function).parameters for function in public.values())
    assert set(public) == set(CALLS) | {"create", "from_answer", "list"}
