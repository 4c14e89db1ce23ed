"""The vote of the class on the Compare page, as a teacher uses it; the phones are real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.classroom import polls
from core.classroom.addresses import LOOPBACK
from core.classroom.ballots import Poll, Tally
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.answering import until
from tests.arena.speaking import Speaking
from tests.classroom.phones import Phone, reachable
from tests.pages.sitting import Sitting

QUESTION = "What is the capital of France?"
SAID = {"parrot": "Paris, I believe.", "magpie": "Lyon. Surely Lyon."}


class Teacher(Sitting):
    """A person with a duel open whose two answers are there."""

    def __init__(self, workbench: Workbench, duel: str, **address: str) -> None:
        self.duel = duel
        super().__init__(workbench, view="duel", duel=duel, **address)
        self.at.switch_page("../compare/page.py")
        self.run()

    def opens(self) -> Teacher:
        """Opens a vote on this machine only."""
        self.at.selectbox(key="classroom-address").set_value(LOOPBACK)
        self.press("classroom-open")
        return self

    @property
    def poll(self) -> Poll:
        poll = self.workbench.classroom.of(PERSON, self.duel)
        assert poll is not None
        return poll

    def closes(self) -> Teacher:
        self.press(f"classroom-close-{self.poll.id}")
        return self

    def texts(self) -> str:
        """All that is said on the page, Markdown's backslashes left out."""
        elements = [*self.at.markdown, *self.at.caption, *self.at.title, *self.at.subheader, *self.at.warning]
        return "\n".join(element.value for element in elements).replace("\\", "").replace("\u00a0", " ")

    def bars(self) -> list[str]:
        return [bar.proto.text.replace("\u00a0", " ") for bar in self.at.get("progress")]

    def buttons(self) -> set[str | None]:
        return {button.key for button in self.at.button}


@pytest.fixture(scope="module")
def server() -> Iterator[Speaking]:
    with Speaking(**SAID) as running:
        yield running


@pytest.fixture
def duel(workbench: Workbench, server: Speaking) -> str:
    ids = server.connected(workbench)
    id = workbench.duels.start(PERSON, QUESTION, among=ids, even_pace=False).id
    until(lambda: not workbench.comparing.running(PERSON, id))
    for answer in workbench.duels.showing(PERSON, id) or ():
        assert answer.wait(20)
    return id


@pytest.fixture
def teacher(workbench: Workbench, duel: str) -> Iterator[Teacher]:
    yield Teacher(workbench, duel)
    workbench.classroom.end()
    workbench.classroom.recover()


def test_before_opening_it_says_what_will_be_opened(teacher: Teacher) -> None:
    assert "classroom-open" in teacher.buttons()
    teacher.at.selectbox(key="classroom-address").set_value(LOOPBACK)
    teacher.run()
    assert "Other devices cannot reach it" in teacher.texts()
    assert teacher.workbench.classroom.of(PERSON, teacher.duel) is None


def test_an_open_vote_shows_its_code_and_counts(teacher: Teacher) -> None:
    teacher.opens()
    poll = teacher.poll
    assert poll.code in teacher.texts()
    assert poll.host in teacher.texts()
    (picture,) = teacher.at.get("image")
    assert picture.proto.imgs[0].alt == f"QR code of {poll.url}"
    assert "0 votes so far" in teacher.texts()
    voting(poll, "a", "a", "tie")
    teacher.run()
    assert "3 votes so far" in teacher.texts()


def test_counts_by_answer_wait_for_the_end_or_the_teacher(teacher: Teacher) -> None:
    teacher.opens()
    voting(teacher.poll, "a", "b", "b")
    teacher.run()
    assert teacher.bars() == []
    teacher.at.toggle(key=f"classroom-shown-{teacher.poll.id}").set_value(True)
    teacher.run()
    assert teacher.bars()[:2] == ["**A is better** · 1 vote · 33%", "**B is better** · 2 votes · 67%"]


def test_while_the_class_votes_the_teacher_cannot_reveal(teacher: Teacher) -> None:
    assert "duel-vote-a" in teacher.buttons()
    teacher.opens()
    assert not {"duel-vote-a", "duel-reveal", "classroom-open"} & teacher.buttons()
    assert not [name for name in SAID if name in teacher.texts()]


def test_closing_counts_every_vote_shows_the_result_and_stops_listening(teacher: Teacher) -> None:
    teacher.opens()
    poll = teacher.poll
    phones = voting(poll, "a", "b", "b")
    phones[0].vote("b")
    before = teacher.workbench.votes.count(PERSON)
    teacher.closes()
    assert teacher.workbench.votes.count(PERSON) == before + 3
    assert not reachable(poll.url)
    assert "3 votes of the class" in teacher.texts()
    assert teacher.bars()[1] == "**B is better** · 3 votes · 100%"
    assert teacher.workbench.duels.revealed(PERSON, teacher.duel)
    assert "classroom-open" not in teacher.buttons()
    assert all(name in teacher.texts() for name in SAID)


def test_a_vote_that_nobody_took_part_in_can_be_opened_again(teacher: Teacher) -> None:
    teacher.opens().closes()
    assert "before anybody had voted" in teacher.texts()
    assert not teacher.workbench.duels.revealed(PERSON, teacher.duel)
    teacher.opens()
    voting(teacher.poll, "tie")
    assert teacher.workbench.classroom.tally(PERSON, teacher.poll.id) == Tally(tie=1)


def test_another_window_closes_it(teacher: Teacher) -> None:
    teacher.opens()
    voting(teacher.poll, "a")
    other = Teacher(teacher.workbench, teacher.duel)
    assert teacher.poll.code in other.texts()
    other.closes()
    teacher.run()
    assert "1 vote of the class" in teacher.texts()


def test_a_vote_that_cannot_be_opened_is_said(teacher: Teacher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "MOST_OPEN", 0)
    teacher.opens()
    assert "votes are open on this machine already" in teacher.errors()[0]
    assert teacher.workbench.classroom.of(PERSON, teacher.duel) is None


def voting(poll: Poll, *choices: str) -> list[Phone]:
    """A phone for each."""
    phones = [Phone(poll.url) for _ in choices]
    for phone, choice in zip(phones, choices, strict=True):
        phone.look()
        assert phone.vote(choice).status == 303
    return phones
