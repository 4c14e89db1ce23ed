"""The Chat page as a person uses it, with the real model behind it: asking, settings, variants, conversations."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.messages import Message
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.pages.sitting import Sitting

pytestmark = pytest.mark.model

QUESTION = "What is the capital of France?"


def asked(workbench: Workbench, question: str = QUESTION, max_tokens: int = 6, **settings: object) -> Sitting:
    """A page on which a question has been answered, greedily and briefly."""
    sitting = Sitting(workbench).set(temperature=0.0, max_tokens=max_tokens, **settings)
    return sitting.ask(question).answered()


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Ask a model on this machine"), ("fr", "Interrogez un modèle sur cette machine")]
)
def test_an_empty_page_offers_four_things_to_try(workbench: Workbench, language: str, title: str) -> None:
    page = Sitting(workbench, lang=language)
    assert [header.value for header in page.at.header] == [title]
    assert len([button for button in page.at.button if str(button.key).startswith("idea-")]) == 4
    assert page.opened() == [] and page.shown() == [] and page.errors() == []
    assert page.id is None


def test_an_idea_is_asked_with_a_click(workbench: Workbench) -> None:
    page = Sitting(workbench).set(max_tokens=4)
    idea = next(button for button in page.at.button if str(button.key).startswith("idea-"))
    page.press(str(idea.key))
    assert page.shown() == [idea.label] and page.at.header == []
    page.answered()
    assert [message.content for message in page.messages()] == page.shown()


def test_a_question_is_answered_and_its_figures_follow(workbench: Workbench) -> None:
    page = Sitting(workbench).set(temperature=0.0, max_tokens=6).ask(QUESTION)
    running = page.answer()
    assert running is not None
    assert [shown["id"] for shown in page.components("workbench_live_answer")] == [running.id]
    assert page.components("figure_list") == [] and "Regenerate" not in page.labels()
    page.answered()
    assert page.components("workbench_live_answer") == []
    question, answer = page.messages()
    assert page.shown() == [QUESTION, answer.content] and answer.content
    assert (question.status, answer.status) == ("complete", "complete")
    (line,) = page.components("figure_list")
    phrases = " ".join(figure["phrase"] or figure["value"] for figure in line["figures"])
    assert "tokens/s" in phrases and "6\u00a0tokens" in phrases and "length limit" in phrases
    (bar,) = page.components("context_bar")
    assert [part["label"] for part in bar["parts"]][-3:] == ["question", "answer", "free"]
    assert page.opened() == [QUESTION]
    assert [run.model_id for run in workbench.runs.list(PERSON, limit=1)] == [answer.model_id]


def test_what_is_set_decides_the_answer_and_stays_with_the_conversation(workbench: Workbench) -> None:
    page = asked(workbench, system="You are a parrot.", max_tokens=3, overflow="truncate_middle")
    request = page.messages()[-1].request
    assert request is not None
    assert request.messages == (Message("system", "You are a parrot."),)
    assert (request.sampling.temperature, request.max_tokens, request.overflow) == (0.0, 3, "truncate_middle")
    finished = page.messages()[-1].finished
    assert finished is not None and finished.usage.generated_tokens == 3 and finished.usage.by_origin["system"] > 0
    again = Sitting(workbench, c=page.id or "")
    assert again.at.text_area(key=f"system-{page.id}").value == "You are a parrot."
    assert again.at.slider(key=f"temperature-{page.id}").value == 0.0
    assert again.at.number_input(key=f"max-tokens-{page.id}").value == 3
    assert again.at.selectbox(key=f"overflow-{page.id}").value == "truncate_middle"


def test_what_is_set_in_the_moment_of_asking_decides_too(workbench: Workbench) -> None:
    page = asked(workbench, max_tokens=3)
    page.at.slider(key=f"temperature-{page.id}").set_value(0.35)
    page.at.text_area(key=f"system-{page.id}").set_value("You are a parrot.")
    request = page.ask("And of Spain?").answered().messages()[-1].request
    assert request is not None
    assert (request.sampling.temperature, request.messages[0].content) == (0.35, "You are a parrot.")


def test_at_temperature_zero_the_same_question_has_the_same_answer(workbench: Workbench) -> None:
    # The first of all reads the prompt, the others take it from the cache: that is rounded otherwise.
    _, first, second = (asked(workbench, "Name three colours.", max_tokens=10).messages()[-1] for _ in range(3))
    assert first.conversation_id != second.conversation_id
    assert first.content == second.content


def test_the_next_question_has_the_conversation_before_it(workbench: Workbench) -> None:
    page = asked(workbench).ask("And of Spain?").answered()
    finished = page.messages()[-1].finished
    assert finished is not None and finished.usage.by_origin["history"] > 0
    assert [message.role for message in page.messages()] == ["user", "assistant"] * 2
    assert len(page.shown()) == 4 and page.opened() == [QUESTION]


def test_regenerating_makes_a_variant_to_go_back_from(workbench: Workbench) -> None:
    page = asked(workbench)
    first = page.messages()[-1]
    page.press("regenerate").answered()
    second = page.messages()[-1]
    assert second.id != first.id and second.parent_id == first.parent_id
    assert "2/2" in page.captions() and page.at.button(key="variant1").disabled
    page.press("variant-1")
    assert page.messages()[-1].id == first.id and page.shown()[-1] == first.content
    assert "1/2" in page.captions() and page.at.button(key="variant-1").disabled
    page.press("variant1")
    assert page.messages()[-1].id == second.id


def test_a_stopped_answer_says_so_and_goes_on(workbench: Workbench) -> None:
    page = Sitting(workbench).set(temperature=0.0, max_tokens=2000)
    page.ask("Write a very long story about a lighthouse keeper.")
    answer = page.answer()
    assert answer is not None
    next(event for event in answer.follow(timeout=60) if getattr(event, "text", ""))
    answer.stop()
    page.answered()
    cut = page.messages()[-1]
    assert cut.status == "cut" and cut.content and page.shown()[-1] == cut.content
    assert "This answer was cut." in page.captions()
    page.set(max_tokens=5).press("continue").answered()
    (_, whole) = page.messages()
    assert whole.id == cut.id and whole.status == "complete"
    assert whole.content.startswith(cut.content) and len(whole.content) > len(cut.content)
    assert "This answer was cut." not in page.captions()


def test_a_question_in_mid_answer_stops_the_answer_and_keeps_it(workbench: Workbench) -> None:
    page = Sitting(workbench).set(temperature=0.0, max_tokens=2000)
    page.ask("Write a very long story about a lighthouse keeper.")
    first = page.answer()
    page.set(max_tokens=4).ask("Hello?").answered()
    assert first is not None and first.ended
    _, story, question, reply = page.messages()
    assert (story.status, question.content, reply.status) == ("cut", "Hello?", "complete")


def test_the_list_opens_conversations(workbench: Workbench) -> None:
    older, newer = asked(workbench, "First?", max_tokens=2), asked(workbench, "Second?", max_tokens=2)
    page = Sitting(workbench)
    assert page.opened() == ["Second?", "First?"]
    page.act("open", str(older.id))
    assert page.id == older.id and page.shown()[0] == "First?"
    page.act("open", str(newer.id))
    assert page.id == newer.id and page.shown()[0] == "Second?"
    next(button for button in page.at.button if button.label == "New conversation").click()
    page.run()
    assert page.id is None and page.shown() == [] and len(page.at.header) == 1


def test_earlier_messages_are_shown_on_demand(workbench: Workbench) -> None:
    conversations = workbench.conversations
    kept = conversations.create(PERSON)
    parent = None
    for number in range(25):
        parent = conversations.add_question(PERSON, kept.id, f"Message {number}", parent_id=parent).id
    page = Sitting(workbench, c=kept.id)
    assert page.shown() == [f"Message {number}" for number in range(5, 25)]
    next(button for button in page.at.button if button.label == "Show earlier messages").click()
    assert page.run().shown() == [f"Message {number}" for number in range(25)]


def test_models_of_the_same_name_are_told_apart(workbench: Workbench, smollm: Path) -> None:
    folder = workbench.settings.models
    folder.mkdir()
    paths = [folder / "first.gguf", folder / "second.gguf"]
    for path in paths:
        shutil.copyfile(smollm, path)
    page = Sitting(workbench)
    labels = page.at.selectbox(key="model-new").options
    assert len(labels) == len(set(labels)) == 3
    assert [path.name in label for path, label in zip(paths, labels[1:], strict=True)] == [True, True]
    page.set(model=str(paths[1]), max_tokens=2).ask(QUESTION).answered()
    assert page.messages()[-1].model_id == str(paths[1])
    shutil.rmtree(folder)


def test_all_of_it_in_french(workbench: Workbench) -> None:
    kept = asked(workbench)
    page = Sitting(workbench, lang="fr", c=kept.id or "")
    assert page.shown() == kept.shown()
    assert {"Régénérer", "Nouvelle conversation"} <= set(page.labels())
    (line,) = page.components("figure_list")
    assert any("premier token" in figure["phrase"] for figure in line["figures"])
    assert page.at.chat_input(key="question").placeholder != kept.at.chat_input(key="question").placeholder


def test_another_owners_conversation_is_refused(workbench: Workbench) -> None:
    theirs = workbench.conversations.create("somebody-else")
    workbench.conversations.add_question("somebody-else", theirs.id, "A secret.", parent_id=None)
    page = Sitting(workbench, c=theirs.id)
    assert page.errors() == ["**It may have been deleted in another window.**\n\nThere is no such conversation."]
    assert page.shown() == [] and page.opened() == [] and page.id is None


@pytest.mark.parametrize("id", ["no-such-conversation", "\0", "'; DROP TABLE messages; --", "é" * 5000])
def test_a_conversation_that_does_not_exist(workbench: Workbench, id: str) -> None:
    page = Sitting(workbench, c=id)
    assert len(page.errors()) == 1 and "There is no such conversation." in page.errors()[0]
    assert page.id is None
    assert page.set(max_tokens=2).ask("Still there?").answered().messages()[-1].status == "complete"
