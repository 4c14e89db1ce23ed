"""A route on the Chat page: picked like a model, and the answer says who gave it and why."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from core.events import Routed
from core.models.catalog import EMBEDDED_ID
from core.models.routes import RemoteFirst, Route
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.models.remote.misbehaving import WORDS, Misbehaving
from tests.pages.sitting import Sitting

pytestmark = pytest.mark.model

QUESTION = "What is the capital of France?"
SMOLLM = "SmolLM2-135M-Instruct"


@pytest.fixture
def server(workbench: Workbench) -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running
    for connection in workbench.connections.list(PERSON):
        workbench.connections.disconnect(PERSON, connection.base_url)
    for route in workbench.routes.list(PERSON):
        workbench.routes.remove(PERSON, route.id)


def away(workbench: Workbench, server: Misbehaving, behaviour: str) -> str:
    return workbench.connections.connect(PERSON, server.url(behaviour), names=[behaviour]).models[0].id


def route(workbench: Workbench, server: Misbehaving, behaviour: str, other: str = EMBEDDED_ID) -> Route:
    return workbench.routes.add(PERSON, "At school", RemoteFirst(away(workbench, server, behaviour), other))


def lines(page: Sitting) -> list[str]:
    """What is said of routes, Markdown's backslashes left out."""
    return [text.replace("\\", "") for text in page.captions() if text.startswith(":material/alt_route:")]


def test_the_answer_names_who_gave_it_and_why(workbench: Workbench, server: Misbehaving) -> None:
    kept = route(workbench, server, "refuses-401")
    page = Sitting(workbench)
    picker = page.at.selectbox(key="model-new")
    (label,) = [option for option in picker.options if option.startswith("At school")]
    picker.select(label)
    page.run().set(max_tokens=4).ask(QUESTION).answered()
    assert page.errors() == []
    assert lines(page) == [
        f":material/alt_route: Answered by **{SMOLLM}**: refuses-401 did not answer: it wants a key."
    ]
    question, answer = page.messages()
    assert page.shown() == [QUESTION, answer.content] and answer.model_id == EMBEDDED_ID
    again = Sitting(workbench, c=page.id or "")
    assert again.at.selectbox(key=f"model-{page.id}").value == kept.model_id
    assert lines(again) == lines(page)
    assert question.routed is None


def test_asking_again_and_asking_another_model(workbench: Workbench, server: Misbehaving) -> None:
    kept = route(workbench, server, "refuses-401")
    page = Sitting(workbench).set(max_tokens=4, model=kept.model_id).ask(QUESTION).answered()
    workbench.routes.update(
        PERSON, msgspec.structs.replace(kept, rule=RemoteFirst(away(workbench, server, "well"), EMBEDDED_ID))
    )
    page.press("regenerate").answered()
    assert page.shown()[-1] == "".join(WORDS)
    assert lines(page) == [":material/alt_route: Answered by **well**: the remote model comes first."]
    page.set(model=EMBEDDED_ID).press("regenerate").answered()
    assert lines(page) == []


def test_when_all_fail_the_last_error_stands_there_and_the_others_are_named(
    workbench: Workbench, server: Misbehaving
) -> None:
    kept = route(workbench, server, "refuses-500", away(workbench, server, "refuses-401"))
    page = Sitting(workbench).set(max_tokens=4, model=kept.model_id).ask(QUESTION).answered()
    (error,) = page.errors()
    assert "wants a key" in error
    (line,) = lines(page)
    assert line.endswith("**refuses-401** was asked in the end: refuses-500 did not answer: it failed.")


def test_a_route_that_is_gone(workbench: Workbench, server: Misbehaving) -> None:
    kept = route(workbench, server, "well")
    page = Sitting(workbench).set(max_tokens=4, model=kept.model_id).ask(QUESTION).answered()
    workbench.routes.remove(PERSON, kept.id)
    page.run().ask("And now?")
    assert page.errors() and all("There is no such route" in error for error in page.errors())
    assert page.shown()[-1] == "And now?" and len(page.messages()) == 2
    page.set(model=EMBEDDED_ID).press("unsent-retry").answered()
    assert page.messages()[-1].status == "complete"


def test_what_a_file_says_of_a_route_is_shown_as_it_is(workbench: Workbench, server: Misbehaving) -> None:
    page = Sitting(workbench).set(max_tokens=2).ask(QUESTION).answered()
    sly = Routed(
        "m", "**bold** ![x](http://x/y)", "{why.__class__} {why:>9999999999} <script> {why}", {"why": "[a](b)"}
    )
    workbench.conversations.set_routed(page.messages()[-1].id, sly)
    (line,) = [text for text in page.run().captions() if text.startswith(":material/alt_route:")]
    assert r"\*\*bold\*\* \!\[x\]\(http\:" in line and r"\[a\]\(b\)" in line and r"\<script\>" in line


def test_the_model_s_settings_of_a_route(workbench: Workbench, server: Misbehaving) -> None:
    kept = route(workbench, server, "well")
    page = Sitting(workbench).set(model=kept.model_id)
    assert "A route loads each of its local models as it is loaded by default." in page.captions()
    assert page.errors() == []
