"""Models side by side as a person compares them: real endpoints on loopback behind the whole page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.arena.comparing import Comparison
from core.chat import Asking
from core.messages import Sampling
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.answering import until
from tests.arena.pacing import Pace, Pacing
from tests.e2e.serving import PATIENCE_S
from tests.pages.sitting import Sitting

QUESTION = "Who is the quickest of you?"
LONG = Pace(words=5000, gap_s=0.02)


class Comparing(Sitting):
    """A person at the side-by-side view."""

    def __init__(self, workbench: Workbench, **address: str) -> None:
        super().__init__(workbench, **address)
        self.at.switch_page("../compare/page.py")
        self.run()

    @property
    def panes(self) -> list[str]:
        """The keys of the panes, in their order."""
        boxes = [str(box.key) for box in self.at.selectbox]
        return [key.removeprefix("model-") for key in boxes if key.startswith("model-")]

    @property
    def comparison(self) -> Comparison:
        return self.workbench.comparing.get(PERSON, str(self.at.query_params["comparison"]))

    def settings(self, *panes: str) -> Comparing:
        """Opens the settings of these panes, of all where none is named."""
        for pane in panes or self.panes:
            self.at.session_state[f"settings-{pane}"] = True
        self.run()
        return self

    def pick(self, *models: str) -> Comparing:
        for pane, model in zip(self.panes, models, strict=False):
            box = self.at.selectbox(key=f"model-{pane}")
            box.options.append(model)
            box.set_value(model)
        self.run()
        return self

    def asks(self, question: str = QUESTION) -> Comparing:
        self.at.chat_input(key="compare-question").set_value(question)
        self.run()
        return self

    def ended(self) -> Comparing:
        """Waits for all panes, and draws the page again."""
        comparing = self.workbench.comparing
        for answer in comparing.answers(PERSON, self.comparison.id):
            assert answer is None or answer.wait(PATIENCE_S)
        self.run()
        return self

    def menu(self, pane: str, picked: str) -> Comparing:
        self.at.menu_button(key=f"pane-menu-{pane}").click(picked)
        self.run()
        return self

    def newest(self) -> list[StoredMessage]:
        """Of each pane."""
        return [
            self.workbench.conversations.messages(PERSON, pane.conversation.id, last=1)[0]
            for pane in self.comparison.panes
        ]

    def texts(self) -> str:
        return "\n".join(markdown.value for markdown in self.at.markdown).replace("\\", "")


@pytest.fixture(scope="module")
def server() -> Iterator[Pacing]:
    with Pacing(hare=Pace(words=6), tortoise=Pace(words=4, gap_s=0.05), snail=LONG) as running:
        yield running


@pytest.fixture
def page(workbench: Workbench, server: Pacing) -> Iterator[Comparing]:
    server.failing.clear()
    yield Comparing(workbench)
    for summary in workbench.comparing.list(PERSON):
        workbench.comparing.delete(PERSON, summary.id)


def compared(page: Comparing, server: Pacing, *names: str) -> Comparing:
    """A question has been asked of these two."""
    return page.pick(*(server.id(name) for name in names)).asks()


@pytest.mark.parametrize(
    ("language", "title"), [("en", "One question, several answers"), ("fr", "Une question, plusieurs réponses")]
)
def test_a_first_visit_finds_two_panes_ready_and_something_to_try(
    workbench: Workbench, language: str, title: str
) -> None:
    page = Comparing(workbench, lang=language).settings()
    assert [header.value for header in page.at.header] == [title]
    assert len(page.panes) == 2
    assert [page.at.slider(key=f"temperature-{pane}").value for pane in page.panes] == [0.0, 1.0]
    assert len([button for button in page.at.button if str(button.key).startswith("example-")]) == 3
    assert page.errors() == [] and "comparison" not in page.at.query_params


def test_one_question_has_an_answer_in_each_pane(page: Comparing, server: Pacing) -> None:
    compared(page, server, "hare", "tortoise")
    assert [pane.asking.model_id for pane in page.comparison.panes] == [server.id("hare"), server.id("tortoise")]
    page.ended()
    assert [message.content for message in page.newest()] == [server.text("hare"), server.text("tortoise")]
    assert "**A** · hare" in page.texts() and "**B** · tortoise" in page.texts()
    assert server.text("hare").strip() in page.texts() and server.text("tortoise").strip() in page.texts()
    assert len(page.components("figure_list")) == 2, "each pane has its figures"
    assert [box.label for box in page.at.expander if box.label == "Speed and cost"]
    assert page.components("workbench_race") == [] and page.components("workbench_live_answer") == []


def test_the_panes_and_the_race_are_live_while_they_run_and_a_reload_finds_them(
    page: Comparing, server: Pacing
) -> None:
    compared(page, server, "snail", "snail")
    id = page.comparison.id
    running = [answer.id for answer in page.workbench.comparing.answers(PERSON, id) if answer]
    for shown in (page, Comparing(page.workbench, comparison=id)):
        assert [one["id"] for one in shown.components("workbench_live_answer")] == running
        (race,) = shown.components("workbench_race")
        assert race["ids"] == ".".join(running)
        assert [lane["letter"] for lane in race["lanes"]] == ["A", "B"]
        assert race["lanes"][0]["light"] != race["lanes"][1]["light"]
        assert "Regenerate" not in shown.labels()
    page.press("stop-all")
    assert [message.status for message in page.newest()] == ["cut", "cut"]
    assert page.components("workbench_race") == [] and "Stop all" not in page.labels()


def test_one_pane_that_fails_leaves_the_others_and_can_be_tried_again(page: Comparing, server: Pacing) -> None:
    server.failing.add("hare")
    compared(page, server, "hare", "tortoise").ended()
    assert [message.status for message in page.newest()] == ["failed", "complete"]
    (error,) = page.errors()
    assert "hare has fallen" in error and server.text("tortoise").strip() in page.texts()
    server.failing.clear()
    page.press(f"again-{page.panes[0]}")
    page.ended()
    assert [message.content for message in page.newest()] == [server.text("hare"), server.text("tortoise")]
    assert page.errors() == []


def test_a_model_that_is_not_there_is_a_failed_pane(page: Comparing, server: Pacing) -> None:
    page.pick(server.id("hare"), "/nowhere/at/all.gguf").asks().ended()
    assert [message.status for message in page.newest()] == ["complete", "failed"]
    assert any("/nowhere/at/all.gguf" in error for error in page.errors())


def test_the_next_question_is_a_row_of_its_own(page: Comparing, server: Pacing) -> None:
    compared(page, server, "hare", "tortoise").ended()
    page.asks("And the slowest?").ended()
    assert [text.value for text in page.at.chat_message[0].text] == [QUESTION]
    assert [text.value for text in page.at.chat_message[1].text] == ["And the slowest?"]
    assert len(server.bodies[-1]["messages"]) == 3  # type: ignore[arg-type]
    assert page.labels().count("Regenerate") == 2, "only of the newest"


def test_what_is_set_is_kept_at_once(page: Comparing, server: Pacing) -> None:
    compared(page, server, "hare", "tortoise").ended()
    pane = page.settings().panes[1]
    page.at.slider(key=f"temperature-{pane}").set_value(0.35)
    page.at.text_area(key=f"system-{pane}").set_value("Be brief.")
    page.run()
    asking = page.comparison.panes[1].asking
    assert (asking.sampling.temperature, asking.system_prompt) == (0.35, "Be brief.")
    again = Comparing(page.workbench, comparison=page.comparison.id).settings()
    assert again.at.slider(key=f"temperature-{pane}").value == 0.35
    assert again.at.text_area(key=f"system-{pane}").value == "Be brief."


def test_what_is_set_before_the_first_question_outlasts_another_page(page: Comparing, server: Pacing) -> None:
    page.pick(server.id("hare")).settings()
    page.at.slider(key=f"temperature-{page.panes[0]}").set_value(0.4)
    page.run()
    page.at.switch_page("../providers/page.py")
    page.run()
    page.at.switch_page("../compare/page.py")
    page.run()
    page.settings()
    assert page.at.selectbox(key=f"model-{page.panes[0]}").value == server.id("hare")
    assert page.at.slider(key=f"temperature-{page.panes[0]}").value == 0.4


def test_one_more_pane_like_it_at_another_temperature(page: Comparing, server: Pacing) -> None:
    page.menu(page.panes[0], "temperature").settings()
    assert [page.at.slider(key=f"temperature-{pane}").value for pane in page.panes] == [0.0, 1.0, 1.0]
    page.menu(page.panes[1], "remove").settings()
    assert [page.at.slider(key=f"temperature-{pane}").value for pane in page.panes] == [0.0, 1.0]
    compared(page, server, "hare", "tortoise").ended()
    page.menu(page.panes[0], "temperature")
    assert len(page.comparison.panes) == 3 and "Ask it" in page.labels(), "nothing is asked that nobody asked"
    page.press(f"ask-{page.panes[2]}").ended()  # type: ignore[attr-defined]
    assert page.newest()[2].content == server.text("hare")
    page.menu(page.panes[1], "remove")
    assert [pane.asking.model_id for pane in page.comparison.panes] == [server.id("hare")] * 2


def test_no_more_than_six_and_no_fewer_than_two(page: Comparing) -> None:
    assert not any("Take it away" in one for one in page.at.menu_button(key=f"pane-menu-{page.panes[0]}").options)
    for _ in range(4):
        page.press("add-pane")
    assert len(page.panes) == 6 and page.at.button(key="add-pane").disabled
    assert len(page.at.menu_button(key=f"pane-menu-{page.panes[0]}").options) == 1, "it can only be taken away"


def test_timed_together_is_shown_on_the_figures(page: Comparing, server: Pacing) -> None:
    page.at.button_group(key="timing-new").set_value("together")
    page.run()
    compared(page, server, "hare", "tortoise").ended()
    assert page.comparison.timing == "together"
    assert page.captions().count(":material/join_inner: Asked together with others.") == 2
    page.at.button_group(key=f"timing-{page.comparison.id}").set_value("alone")
    page.run()
    assert page.comparison.timing == "alone"
    assert page.captions().count(":material/join_inner: Asked together with others.") == 2, "they were"


def test_the_differences_of_two_answers(page: Comparing, server: Pacing) -> None:
    compared(page, server, "hare", "tortoise").ended()
    assert page.components("workbench_difference") == []
    page.at.session_state[f"differences-{page.comparison.id}"] = True
    page.run()
    (shown,) = page.components("workbench_difference")
    assert [side["name"] for side in shown["sides"]] == ["A · hare", "B · tortoise"]
    texts = ["".join(text for text, _same in side["pieces"]) for side in shown["sides"]]
    assert texts == [server.text("hare"), server.text("tortoise")]
    assert any("temperature 0" in caption for caption in page.captions()), "why no parting is offered"


def test_comparisons_of_before_are_opened_and_deleted(page: Comparing, server: Pacing) -> None:
    compared(page, server, "hare", "tortoise").ended()
    first = page.comparison.id
    page.press("new-comparison")
    assert [header.value for header in page.at.header] == ["One question, several answers"]
    page.press(f"open-{first}")
    assert page.comparison.id == first and server.text("hare").strip() in page.texts()
    page.press(f"delete-{first}")
    assert page.workbench.comparing.list(PERSON) == [] and "comparison" not in page.at.query_params


def test_a_question_that_cannot_be_asked_is_given_back(page: Comparing, server: Pacing) -> None:
    page.pick(server.id("hare"), server.id("tortoise")).settings()
    pane = page.panes[0]
    page.at.button_group(key=f"form-{pane}").set_value("json_schema")
    page.run()
    page.at.text_area(key=f"json-schema-{pane}").set_value("{not json")
    page.run()
    page.at.session_state[f"settings-{pane}"] = False
    page.asks("Kept?")
    assert page.workbench.comparing.list(PERSON) == []
    assert page.at.chat_input(key="compare-question").proto.value == "Kept?"
    assert len(page.errors()) == 2, "at the field, and over the question"


@pytest.mark.parametrize("id", ["nowhere", ""])
def test_a_comparison_that_is_not_there_is_said_and_the_page_goes_on(page: Comparing, id: str) -> None:
    other = Comparing(page.workbench, comparison=id)
    assert len(other.errors()) == 1 and len(other.panes) == 2
    assert "comparison" not in other.at.query_params


def test_a_duel_is_not_shown_with_its_names(page: Comparing, server: Pacing) -> None:
    askings = [Asking(model_id=server.id(name)) for name in ("hare", "tortoise")]
    duel = page.workbench.duels.start(PERSON, QUESTION, pairing="chosen", chosen=(askings[0], askings[1]))
    until(lambda: not page.workbench.comparing.running(PERSON, duel.id))
    other = Comparing(page.workbench, comparison=duel.id)
    assert len(other.errors()) == 1 and "hare" not in other.texts()
    page.workbench.comparing.delete(PERSON, duel.id)


def test_an_answer_of_the_chat_page_opens_here_with_all_that_it_was_asked_with(page: Comparing, server: Pacing) -> None:
    asking = Asking(model_id=server.id("hare"), system_prompt="Be brief.", sampling=Sampling(temperature=0.25))
    said = page.workbench.chat.ask(PERSON, None, "First?", asking)
    for question in ("Second?", ""):
        running = page.workbench.chat.running(said)
        assert running is not None and running.wait(PATIENCE_S)
        if question:
            said = page.workbench.chat.ask(PERSON, said.conversation_id, question, asking)
    chat = Sitting(page.workbench, c=said.conversation_id)
    chat.at.menu_button(key=f"menu-{said.id}").click("compare")
    chat.run()
    (kept,) = page.workbench.comparing.list(PERSON)
    opened = Comparing(page.workbench, comparison=kept.id)
    assert [pane.asking for pane in opened.comparison.panes] == [asking, asking]
    assert [text.value for message in opened.at.chat_message for text in message.text] == ["First?", "Second?"]
    assert opened.labels().count("Ask it") == 1 and opened.labels().count("Regenerate") == 1
    assert any("All panes begin with this answer of hare." in caption for caption in opened.captions())
    opened.pick(server.id("hare"), server.id("tortoise"))
    opened.press(f"ask-{opened.panes[1]}").ended()  # type: ignore[attr-defined]
    assert [message.content for message in opened.newest()] == [server.text("hare"), server.text("tortoise")]
    assert [message["role"] for message in server.bodies[-1]["messages"]] == [  # type: ignore[attr-defined]
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_an_answer_that_is_asked_again_keeps_the_one_before(page: Comparing, server: Pacing) -> None:
    compared(page, server, "hare", "tortoise").ended()
    pane, first = page.panes[1], page.newest()[1].id
    page.press(f"again-{pane}")
    page.ended()
    assert page.newest()[1].id != first and "2/2" in page.captions()
    page.press(f"variant-1-{pane}")
    assert page.newest()[1].id == first and "1/2" in page.captions()


@pytest.mark.model
def test_where_two_greedy_answers_of_this_machine_part(page: Comparing) -> None:
    page.settings()
    for pane, prompt in zip(page.panes, ("", "You are a pirate. Answer like one."), strict=True):
        page.at.slider(key=f"temperature-{pane}").set_value(0.0)
        page.at.text_area(key=f"system-{pane}").set_value(prompt)
        page.at.number_input(key=f"max-tokens-{pane}").set_value(12)
    page.run()
    page.asks("What is the capital of France?").ended()
    assert page.newest()[0].content != page.newest()[1].content
    page.at.session_state[f"differences-{page.comparison.id}"] = True
    page.run()
    (button,) = [one for one in page.at.button if one.label == "Where do they part?"]
    before = len(page.at.get("plotly_chart"))
    page.press(str(button.key))
    assert len(page.at.get("plotly_chart")) == before + 2
    assert page.errors() == []
