"""Blind duels, from the draw to the reveal: nothing is counted twice, and a vote is kept before anything is shown."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from core.arena.blind import Duel
from core.arena.duel import Duels, reachable
from core.chat import Asking
from core.errors import DuelOver, EmptyPrompt, NoPair, NotThere, PairAlike, RouteInDuel, TooFewModels, VoteTooEarly
from core.messages import Sampling
from core.models.catalog import EMBEDDED_ID
from core.settings import Settings
from core.workbench import Workbench, open_workbench
from tests.answering import ended, until
from tests.arena.speaking import Speaking

ME, OTHER = "person", "somebody-else"
QUESTION = "What is the capital of France?"
SAID = {"alpha": "Paris, says the first.", "beta": "It is Paris."}


@pytest.fixture
def server() -> Iterator[Speaking]:
    with Speaking(**SAID) as running:
        yield running


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    workbench = open_workbench(Settings(home=tmp_path / "home"))
    yield workbench
    workbench.close()


@pytest.fixture
def ids(workbench: Workbench, server: Speaking) -> list[str]:
    return server.connected(workbench)


def duels(workbench: Workbench, seed: int) -> Duels:
    """The workbench's, with a chance of its own."""
    return Duels(
        workbench.comparing,
        workbench.conversations,
        workbench.votes,
        workbench.answers,
        partial(reachable, workbench.catalog, workbench.connections),
        lambda owner: partial(workbench.info, owner),
        chance=random.Random(seed),
    )


def started(workbench: Workbench, ids: list[str], **options: object) -> str:
    return workbench.duels.start(ME, QUESTION, among=ids, **options).id  # type: ignore[arg-type]


def answered(workbench: Workbench, id: str) -> Duel:
    """Once both have ended."""
    until(lambda: not workbench.comparing.running(ME, id))
    return workbench.duels.get(ME, id)


def sides(duel: Duel) -> dict[str, str]:
    newest = duel.newest
    assert newest is not None and newest.a is not None and newest.b is not None
    return {duel.terms.infos[0].name: newest.a.content, duel.terms.infos[1].name: newest.b.content}


def test_two_models_answer_and_what_chance_decided_is_kept(
    workbench: Workbench, server: Speaking, ids: list[str]
) -> None:
    lefts, orders = set(), set()
    for seed in range(8):
        drawing = duels(workbench, seed)
        server.order.clear()
        duel = answered(workbench, drawing.start(ME, QUESTION, among=ids).id)
        assert sides(duel) == SAID and duel.ready and not duel.over
        assert [pane.number for pane in duel.panes] == [1, 2]
        assert server.order == [duel.terms.infos[number - 1].name for number in duel.terms.order]
        lefts.add(duel.terms.infos[0].name)
        orders.add(duel.terms.order)
    assert lefts == set(SAID) and orders == {(1, 2), (2, 1)}


def test_a_vote_is_whole_and_kept_before_anything_is_shown(workbench: Workbench, ids: list[str]) -> None:
    asking = Asking(system_prompt="Be brief.", sampling=Sampling(temperature=0.3))
    id = started(workbench, ids, asking=asking, even_pace=True)
    duel = answered(workbench, id)
    assert not workbench.duels.revealed(ME, id)
    vote = workbench.duels.vote(ME, id, "b")
    assert workbench.votes.list(ME) == [vote] and workbench.duels.revealed(ME, id)
    assert (vote.choice, vote.source, vote.duel_id, vote.turn) == ("b", "duel", id, 1)
    assert (vote.pairing, vote.category, vote.language, vote.even_pace) == ("random", "general", "en", True)
    assert ME not in vote.voter and vote.voter
    for side, info in zip((vote.a, vote.b), duel.terms.infos, strict=True):
        assert (side.model_id, side.model_name, side.local) == (info.id, info.name, False)
        assert side.answer == SAID[info.name] and side.conversation[0].content == QUESTION
        assert side.label.startswith(info.name) and "Be brief." in side.label
        assert (side.system_prompt, side.temperature) == ("Be brief.", 0.3)
        assert side.finished is not None and side.finished.usage.generated_tokens > 0


def test_a_second_vote_counts_nothing(workbench: Workbench, ids: list[str]) -> None:
    id = started(workbench, ids)
    answered(workbench, id)
    workbench.duels.vote(ME, id, "a")
    with pytest.raises(DuelOver):
        workbench.duels.vote(ME, id, "b")
    with pytest.raises(DuelOver):
        workbench.duels.ask(ME, id, "And of Spain?")
    with pytest.raises(DuelOver):
        workbench.duels.paper(ME, id)
    assert [vote.choice for vote in workbench.votes.list(ME)] == ["a"]


def test_two_windows_that_vote_at_once_have_one_vote(workbench: Workbench, ids: list[str]) -> None:
    id = started(workbench, ids)
    answered(workbench, id)
    together, outcomes = threading.Barrier(4), []

    def window() -> None:
        together.wait()
        try:
            outcomes.append(workbench.duels.vote(ME, id, "tie"))
        except DuelOver:
            outcomes.append(None)

    windows = [threading.Thread(target=window) for _ in range(4)]
    for one in windows:
        one.start()
    for one in windows:
        one.join()
    assert len(outcomes) == 4 and outcomes.count(None) == 3 and workbench.votes.count(ME) == 1


def test_no_vote_before_both_have_ended_and_none_where_one_failed(
    workbench: Workbench, server: Speaking, ids: list[str]
) -> None:
    server.failing.add("beta")
    server.held.clear()
    id = started(workbench, ids)
    for _ in ("while one is still to come", "when one has failed"):
        with pytest.raises(VoteTooEarly):
            workbench.duels.vote(ME, id, "a")
        server.held.set()
        answered(workbench, id)
    assert workbench.votes.count(ME) == 0


def test_one_that_failed_is_tried_again_and_the_other_is_not(
    workbench: Workbench, server: Speaking, ids: list[str]
) -> None:
    server.failing.add("beta")
    id = started(workbench, ids)
    duel = answered(workbench, id)
    assert duel.newest is not None and not duel.ready
    (silent,) = duel.newest.silent
    assert duel.terms.infos[silent - 1].name == "beta"
    assert workbench.duels.showing(ME, id) is None
    server.failing.clear()
    server.order.clear()
    workbench.duels.try_again(ME, id)
    assert answered(workbench, id).ready and server.order == ["beta"]
    assert workbench.duels.vote(ME, id, "a").choice == "a"


def test_one_that_never_began_is_asked_for_the_first_time(
    workbench: Workbench, server: Speaking, ids: list[str]
) -> None:
    """As a server leaves it that was killed between the question and the answer."""
    id = started(workbench, ids)
    newest = answered(workbench, id).newest
    assert newest is not None and newest.b is not None
    workbench.conversations.delete_branch(ME, newest.b.id)
    newest = workbench.duels.get(ME, id).newest
    assert newest is not None and newest.ended and newest.silent == (2,)
    workbench.duels.try_again(ME, id)
    assert answered(workbench, id).ready


@pytest.mark.parametrize(
    ("question", "kind", "language"),
    [
        ("Write a Python function that adds two numbers.", "code", "en"),
        ("Traduis cette phrase en anglais.", "translation", "fr"),
        ("Hm?", "general", None),
    ],
)
def test_kind_and_language_of_the_question_are_kept(
    workbench: Workbench, ids: list[str], question: str, kind: str, language: str | None
) -> None:
    terms = workbench.duels.get(ME, workbench.duels.start(ME, question, among=ids).id).terms
    assert (terms.category, terms.language) == (kind, language)
    terms = workbench.duels.get(ME, workbench.duels.start(ME, question, among=ids, category="maths").id).terms
    assert terms.category == "maths"


def test_a_duel_that_does_not_exist_is_no_duel(workbench: Workbench, ids: list[str]) -> None:
    id = started(workbench, ids)
    answered(workbench, id)
    beside = workbench.comparing.create(ME, [Asking(model_id=id) for id in ids])
    for owner, wrong in ((ME, "nowhere"), (OTHER, id), (ME, beside.id)):
        for act in (
            lambda owner=owner, wrong=wrong: workbench.duels.vote(owner, wrong, "a"),
            lambda owner=owner, wrong=wrong: workbench.duels.ask(owner, wrong, QUESTION),
            lambda owner=owner, wrong=wrong: workbench.duels.reveal(owner, wrong),
            lambda owner=owner, wrong=wrong: workbench.duels.showing(owner, wrong),
            lambda owner=owner, wrong=wrong: workbench.duels.delete(owner, wrong),
            lambda owner=owner, wrong=wrong: workbench.duels.explain(owner, wrong, comment="!"),
        ):
            with pytest.raises(NotThere):
                act()
    assert workbench.votes.count(ME) == 0 and workbench.votes.count(OTHER) == 0


def test_a_further_question_is_another_turn(workbench: Workbench, server: Speaking, ids: list[str]) -> None:
    id = started(workbench, ids)
    answered(workbench, id)
    workbench.duels.ask(ME, id, "And of Spain?")
    duel = answered(workbench, id)
    assert [one.question.content for one in duel.exchanges] == [QUESTION, "And of Spain?"]
    vote = workbench.duels.vote(ME, id, "both_bad")
    assert vote.turn == 2 and [m.role for m in vote.a.conversation] == ["user", "assistant"] * 2


def test_reasons_come_after_the_vote_and_only_those_that_are_known(workbench: Workbench, ids: list[str]) -> None:
    id = started(workbench, ids)
    answered(workbench, id)
    vote = workbench.duels.vote(ME, id, "a")
    workbench.duels.explain(ME, vote.id, reasons_a=["clear", "useful"], reasons_b=["wrong", "=cmd()"], comment=" Hm. ")
    (kept,) = workbench.votes.list(ME)
    assert (kept.a.reasons, kept.b.reasons, kept.comment) == (("useful", "clear"), ("wrong",), "Hm.")
    assert msgspec.structs.replace(kept, a=vote.a, b=vote.b, comment="") == vote


def test_what_is_revealed_without_a_vote_is_over(workbench: Workbench, ids: list[str]) -> None:
    id = started(workbench, ids)
    answered(workbench, id)
    workbench.duels.reveal(ME, id)
    assert workbench.duels.revealed(ME, id) and workbench.duels.get(ME, id).vote is None
    with pytest.raises(DuelOver):
        workbench.duels.vote(ME, id, "a")


def test_chosen_models_are_asked_each_in_its_way(workbench: Workbench, server: Speaking, ids: list[str]) -> None:
    chosen = (
        Asking(model_id=ids[0], sampling=Sampling(temperature=0.0)),
        Asking(model_id=ids[0], sampling=Sampling(temperature=1.0)),
    )
    id = workbench.duels.start(ME, QUESTION, pairing="chosen", chosen=chosen).id
    answered(workbench, id)
    assert {body["temperature"] for body in server.bodies} == {0.0, 1.0}
    vote = workbench.duels.vote(ME, id, "tie")
    assert vote.a.label != vote.b.label and vote.pairing == "chosen"


def test_what_cannot_be_a_duel_is_refused_and_nothing_is_kept(workbench: Workbench, ids: list[str]) -> None:
    alike = (Asking(model_id=ids[0]), Asking(model_id=ids[0]))
    routed = (Asking(model_id="route:0123"), Asking(model_id=ids[0]))
    start = workbench.duels.start
    with pytest.raises(EmptyPrompt):
        start(ME, " \n", among=ids)
    with pytest.raises(PairAlike):
        start(ME, QUESTION, pairing="chosen", chosen=alike)
    with pytest.raises(RouteInDuel):
        start(ME, QUESTION, pairing="chosen", chosen=routed)
    with pytest.raises(NoPair):
        start(ME, QUESTION, pairing="quantizations", among=ids)
    with pytest.raises(TooFewModels):
        start(ME, QUESTION, among=ids[:1])
    assert workbench.duels.list(ME) == []


def test_with_local_only_nothing_that_leaves_is_drawn(workbench: Workbench, ids: list[str]) -> None:
    workbench.connections.connect(ME, "https://far.example/v1", names=("distant",))
    assert any(model.name == "distant" for model in workbench.duels.models(ME))
    workbench.connections.set_local_only(ME, True)
    assert {model.id for model in workbench.duels.models(ME)} == {EMBEDDED_ID, *ids}


def test_at_an_even_pace_both_are_shown_when_both_have_ended(
    workbench: Workbench, server: Speaking, ids: list[str]
) -> None:
    server.held.clear()
    id = started(workbench, ids)
    assert workbench.duels.showing(ME, id) is None
    server.held.set()
    until(lambda: workbench.duels.words_so_far(ME, id) == sum(len(text.split()) for text in SAID.values()))
    duel = answered(workbench, id)
    showing = workbench.duels.showing(ME, id)
    assert showing is not None and workbench.duels.showing(ME, id) == showing
    assert [ended(one).text for one in showing] == list(sides(duel).values())


def test_at_their_own_pace_both_begin_together(workbench: Workbench, server: Speaking, ids: list[str]) -> None:
    server.held.clear()
    id = started(workbench, ids, even_pace=False, timing="together")
    showing = workbench.duels.showing(ME, id)
    assert showing is not None and [one.text for one in showing] == ["", ""]
    server.held.set()
    assert sorted(ended(one).text for one in showing) == sorted(SAID.values())


def test_a_showing_and_a_duel_outlive_what_they_are_of(workbench: Workbench, ids: list[str]) -> None:
    """The models are disconnected and the duel is deleted: its vote is whole and stays."""
    id = started(workbench, ids)
    answered(workbench, id)
    vote = workbench.duels.vote(ME, id, "a")
    workbench.connections.disconnect(ME, ids[0].partition("#")[0])
    assert {info.name for info in workbench.duels.get(ME, id).terms.infos} == set(SAID)
    workbench.duels.delete(ME, id)
    assert workbench.votes.list(ME) == [vote]
    with pytest.raises(NotThere):
        workbench.duels.get(ME, id)


def test_a_duel_is_there_after_a_restart(tmp_path: Path, server: Speaking) -> None:
    settings = Settings(home=tmp_path / "again")
    first = open_workbench(settings)
    id = started(first, server.connected(first))
    answered(first, id)
    first.close()
    second = open_workbench(settings)
    try:
        duel = second.duels.get(ME, id)
        assert duel.ready and not duel.over
        assert second.duels.vote(ME, id, "a").a.answer in SAID.values()
        assert [one.id for one in second.duels.list(ME)] == [id]
    finally:
        second.close()


def test_votes_make_other_pairs_likelier(workbench: Workbench, server: Speaking, ids: list[str]) -> None:
    server.said["gamma"] = "Paris."
    ids = server.connected(workbench)
    gamma = next(id for id in ids if id.endswith("#gamma"))
    id = started(workbench, [one for one in ids if one != gamma])
    answered(workbench, id)
    vote = workbench.duels.vote(ME, id, "a")
    workbench.votes.merge(ME, [msgspec.structs.replace(vote, id=f"vote-{number}") for number in range(40)])
    for seed in range(4):
        drawn = workbench.duels.get(ME, duels(workbench, seed).start(ME, QUESTION, among=ids).id)
        assert gamma in {info.id for info in drawn.terms.infos}
