"""The blind duel on the Compare page, as a person goes through it; nothing tells who answers before the vote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.arena.blind import Duel
from core.arena.votes import Vote
from core.messages import Sampling
from core.models.catalog import EMBEDDED_ID
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.answering import until
from tests.arena.speaking import Speaking
from tests.pages.sitting import Sitting, _drawn

QUESTION = "What is the capital of France?"
SAID = {"parrot-7b": "Paris, I believe.", "magpie-70b": "Lyon. Surely Lyon."}
NAMES = ("parrot", "magpie")


class Duelling(Sitting):
    """A person at the blind duel."""

    def __init__(self, workbench: Workbench, **address: str) -> None:
        super().__init__(workbench, view="duel", **address)
        self.at.switch_page("../compare/page.py")
        self.run()

    @property
    def opened(self) -> str:
        return str(self.at.query_params["duel"])

    @property
    def duel(self) -> Duel:
        return self.workbench.duels.get(PERSON, self.opened)

    def asks(self, question: str = QUESTION) -> Duelling:
        self.at.text_area(key="duel-question").set_value(question)
        self.press("duel-start")
        return self

    def reads(self) -> Duelling:
        """Waits until both are there and have been shown."""
        shown(self.workbench, self.opened)
        self.run()
        return self

    def votes(self, choice: str) -> Duelling:
        self.press(f"duel-vote-{choice}")
        return self

    def sent(self) -> str:
        """All that this page has given to the browser."""
        blocks = (self.at.sidebar, self.at.main)
        return "\n".join(str(element.proto) for block in blocks for element in _drawn(block))

    def texts(self) -> str:
        elements = [*self.at.markdown, *self.at.caption, *self.at.header, *self.at.subheader, *self.at.warning]
        return "\n".join(element.value for element in elements).replace("\\", "")

    def buttons(self) -> set[str | None]:
        return {button.key for button in self.at.button}


@pytest.fixture(scope="module")
def server() -> Iterator[Speaking]:
    with Speaking(**SAID) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_it_was(server: Speaking, workbench: Workbench) -> Iterator[None]:
    yield
    server.failing.clear()
    server.held.set()
    for duel in workbench.duels.list(PERSON):
        workbench.duels.delete(PERSON, duel.id)
    for vote in workbench.votes.list(PERSON):
        workbench.votes.delete(PERSON, vote.id)


@pytest.fixture
def ids(workbench: Workbench, server: Speaking) -> list[str]:
    return server.connected(workbench)


@pytest.fixture
def page(workbench: Workbench, ids: list[str]) -> Duelling:
    """A new duel is drawn among the two of the server."""
    page = Duelling(workbench)
    page.at.multiselect(key="duel-among").set_value(ids)
    page.run()
    return page


def opened(workbench: Workbench, ids: list[str]) -> Duelling:
    """A duel that was started before this page was opened, and whose answers have been shown, or have failed."""
    id = workbench.duels.start(PERSON, QUESTION, among=ids).id
    shown(workbench, id)
    return Duelling(workbench, duel=id)


def shown(workbench: Workbench, id: str) -> None:
    until(lambda: not workbench.comparing.running(PERSON, id))
    for answer in workbench.duels.showing(PERSON, id) or ():
        assert answer.wait(20)


def only_vote(workbench: Workbench) -> Vote:
    (vote,) = workbench.votes.list(PERSON)
    return vote


def test_a_duel_from_the_question_to_the_reveal(workbench: Workbench, page: Duelling) -> None:
    page.asks().reads()
    assert all(text in page.texts() for text in SAID.values()) and not workbench.votes.count(PERSON)
    page.votes("a")
    vote = only_vote(workbench)
    assert vote.choice == "a" and vote.even_pace and vote.pairing == "random"
    assert f"You found {vote.a.label} better than {vote.b.label}" in page.texts()
    assert "Answer A: " + vote.a.label in page.texts() and "your choice" in page.texts()
    assert "tokens" in page.sent() and page.errors() == []


def test_nothing_says_who_answers_before_the_vote(
    workbench: Workbench, server: Speaking, ids: list[str], page: Duelling
) -> None:
    page.asks()
    opened = page.opened
    server.held.clear()
    stages = []
    held = workbench.duels.start(PERSON, QUESTION, among=ids).id
    stages.append(Duelling(workbench, duel=held).sent())
    server.held.set()
    stages.append(Duelling(workbench, duel=opened).reads().sent())
    stages.append(Duelling(workbench, duel=opened, lang="fr").sent())
    page = Duelling(workbench, duel=opened)
    real = [answer for answer in workbench.comparing.answers(PERSON, opened) if answer]
    newest = page.duel.newest
    assert newest is not None and newest.a is not None and newest.b is not None and len(real) == 2
    secret = [*NAMES, server.base_url, str(server._server.server_port), *ids, *(answer.id for answer in real)]
    secret += [newest.a.id, newest.b.id, "token"]
    for sent in stages:
        assert [word for word in secret if word in sent] == []
    assert SAID["parrot-7b"] in stages[1] and "parrot" in page.votes("tie").sent()


def test_while_they_write_the_page_says_so_and_can_stop_them(
    workbench: Workbench, server: Speaking, page: Duelling
) -> None:
    server.held.clear()
    page.asks()
    assert "Both are writing…" in page.texts() and "duel-vote-a" not in page.buttons()
    page.press("duel-stop")
    until(lambda: not workbench.comparing.running(PERSON, page.opened))
    page.run()
    assert "Neither of the two could answer." in page.texts() and "duel-vote-a" not in page.buttons()
    server.held.set()
    page.press("duel-retry")
    assert "duel-vote-a" in page.reads().buttons()


def test_what_failed_is_not_named_and_can_be_tried_again(
    workbench: Workbench, server: Speaking, ids: list[str]
) -> None:
    server.failing.add("magpie-70b")
    page = opened(workbench, ids)
    assert "One of the two could not answer." in page.texts() and page.errors() == []
    assert [word for word in (*NAMES, "does not like this") if word in page.sent()] == []
    server.failing.clear()
    server.order.clear()
    page.press("duel-retry")
    page.reads()
    assert server.order == ["magpie-70b"]
    assert page.votes("b").workbench.votes.count(PERSON) == 1


def test_who_failed_is_told_to_who_gives_up(workbench: Workbench, server: Speaking, ids: list[str]) -> None:
    server.failing.add("magpie-70b")
    page = opened(workbench, ids)
    page.press("duel-reveal")
    assert any("does not like this" in error for error in page.errors()) and "magpie" in page.sent()
    assert workbench.votes.count(PERSON) == 0 and "duel-vote-a" not in page.buttons()


def test_a_vote_from_a_page_that_is_behind_counts_nothing(workbench: Workbench, ids: list[str]) -> None:
    page = opened(workbench, ids)
    behind = Duelling(workbench, duel=page.opened)
    page.votes("a")
    behind.votes("b")
    assert only_vote(workbench).choice == "a"
    assert "You found" in behind.texts()


def test_a_duel_that_does_not_exist_is_said_and_another_offered(workbench: Workbench, ids: list[str]) -> None:
    page = Duelling(workbench, duel="nowhere")
    assert any("There is no such" in error for error in page.errors())
    assert "duel-start" in page.buttons() and "duel" not in page.at.query_params


def test_a_further_question_before_the_vote(workbench: Workbench, ids: list[str]) -> None:
    page = opened(workbench, ids)
    page.at.chat_input(key="duel-further").set_value("And of Spain?")
    page.run()
    page.reads().votes("tie")
    assert only_vote(workbench).turn == 2
    assert [message.children[0].value for message in page.at.chat_message] == [QUESTION, "And of Spain?"]


def test_reasons_are_kept_with_the_vote(workbench: Workbench, ids: list[str]) -> None:
    page = opened(workbench, ids).votes("a")
    id = only_vote(workbench).id
    page.at.pills(key=f"duel-reasons-A-{id}").set_value(["clear", "useful"])
    page.at.pills(key=f"duel-reasons-B-{id}").set_value(["wrong"])
    page.at.text_area(key=f"duel-comment-{id}").set_value("One of the two has been there.")
    page.run()
    vote = only_vote(workbench)
    assert (vote.a.reasons, vote.b.reasons) == (("useful", "clear"), ("wrong",))
    assert vote.comment == "One of the two has been there."
    again = Duelling(workbench, duel=page.opened)
    assert again.at.text_area(key=f"duel-comment-{id}").value == vote.comment
    assert set(again.at.pills(key=f"duel-reasons-A-{id}").value) == {"useful", "clear"}


def test_another_duel_and_the_same_models_again(workbench: Workbench, ids: list[str]) -> None:
    page = opened(workbench, ids).votes("a")
    first = page.opened
    page.press("duel-again")
    picked = {page.at.selectbox(key=f"duel-model-{number}").value for number in (0, 1)}
    assert picked == set(ids) and "duel" not in page.at.query_params
    page.asks("Once more?")
    second = page.opened
    assert second != first and page.duel.terms.pairing == "chosen"
    page.reads().votes("b").press("duel-another")
    assert "duel-start" in page.buttons()
    assert workbench.votes.count(PERSON) == 2


def test_a_duel_is_opened_side_by_side_once_it_is_over(workbench: Workbench, ids: list[str]) -> None:
    page = opened(workbench, ids)
    peeping = Sitting(workbench, view="side", comparison=page.opened)
    peeping.at.switch_page("../compare/page.py")
    peeping.run()
    assert any("There is no such comparison" in error for error in peeping.errors())
    assert not any(name in text for text in peeping.shown() for name in NAMES)
    page.votes("a").press("duel-beside")
    assert page.at.query_params["comparison"] == page.opened and page.errors() == []
    assert page.at.segmented_control(key="compare-view").value == "side"
    assert all(text in page.texts() for text in SAID.values())


def test_one_model_meets_itself_at_two_temperatures(workbench: Workbench, server: Speaking, ids: list[str]) -> None:
    page = Duelling(workbench)
    page.at.pills(key="duel-pairing").set_value("chosen")
    page.run()
    for number, temperature in enumerate((0.0, 1.0)):
        page.at.selectbox(key=f"duel-model-{number}").set_value(ids[0])
        page.at.slider(key=f"duel-temperature-{number}").set_value(temperature)
    page.run()
    page.asks().reads().votes("tie")
    vote = only_vote(workbench)
    assert {vote.a.temperature, vote.b.temperature} == {0.0, 1.0} != {Sampling().temperature}
    assert vote.a.label != vote.b.label


def test_where_there_is_one_model_it_is_offered_twice_unlike(workbench: Workbench, server: Speaking) -> None:
    workbench.connections.disconnect(PERSON, server.base_url)
    page = Duelling(workbench)
    assert page.at.pills(key="duel-pairing").value == "chosen"
    assert [page.at.selectbox(key=f"duel-model-{number}").value for number in (0, 1)] == [EMBEDDED_ID] * 2
    assert [page.at.slider(key=f"duel-temperature-{number}").value for number in (0, 1)] == [0.0, 1.0]


def test_what_cannot_be_asked_stays_in_the_field(workbench: Workbench, page: Duelling) -> None:
    page.at.pills(key="duel-pairing").set_value("quantizations")
    page.run()
    assert "0 pairs are possible." in page.texts()
    page.asks()
    assert any("No two of the models here make such a pair" in error for error in page.errors())
    assert page.at.text_area(key="duel-question").value == QUESTION and workbench.duels.list(PERSON) == []


def test_earlier_duels_are_opened_and_deleted(workbench: Workbench, ids: list[str]) -> None:
    page = opened(workbench, ids).votes("a")
    first = page.opened
    page.press("duel-another")
    page.at.session_state["duel-earlier"] = True
    page.run()
    page.press(f"duel-open-{first}")
    assert page.opened == first and "You found" in page.texts()
    page.press("duel-another")
    page.at.session_state["duel-earlier"] = True
    page.run()
    page.press(f"duel-delete-{first}")
    assert workbench.duels.list(PERSON) == [] and workbench.votes.count(PERSON) == 1
