"""A conversation asked over routes: who really answered is kept with the answer, counted, exported, continued."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from core import snippets
from core.chat import Asking
from core.errors import KeyMissing, NotThere, WorkbenchError
from core.events import Routed
from core.messages import ChatRequest
from core.models.catalog import EMBEDDED_ID
from core.models.local.model_settings import ModelSettings
from core.models.router import Router
from core.models.routes import ByTask, Fastest, LocalFirst, RemoteFirst, Route, Row
from core.routing import offered
from core.store.restoring import Restoring
from core.transfer import detect, importing, ours
from core.workbench import Workbench
from tests.asking import GREEDY, QUESTION
from tests.chat.talking import ANA, BEN, ended
from tests.models.remote.misbehaving import WORDS, Misbehaving

pytestmark = pytest.mark.model

SAID = "".join(WORDS)
SMOLLM = "SmolLM2-135M-Instruct"


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_left(workbench: Workbench) -> Iterator[None]:
    yield
    for connection in workbench.connections.list(ANA):
        workbench.connections.disconnect(ANA, connection.base_url)
    for route in workbench.routes.list(ANA):
        workbench.routes.remove(ANA, route.id)


def connected(workbench: Workbench, server: Misbehaving, behaviour: str) -> str:
    """The id of a model that behaves so."""
    connection = workbench.connections.connect(ANA, server.url(behaviour), names=[behaviour])
    return connection.models[0].id


def asking(route: Route, **fields: object) -> Asking:
    return msgspec.structs.replace(Asking(model_id=route.model_id, sampling=GREEDY, max_tokens=4), **fields)


def falling_back(workbench: Workbench, server: Misbehaving) -> Route:
    away = connected(workbench, server, "refuses-401")
    return workbench.routes.add(ANA, "Away first", RemoteFirst(away, EMBEDDED_ID))


def test_the_answer_is_of_the_model_that_spoke(workbench: Workbench, server: Misbehaving) -> None:
    route = falling_back(workbench, server)
    runs = len(workbench.runs.list(ANA, kind="chat", model_id=EMBEDDED_ID))
    message = workbench.chat.ask(ANA, None, QUESTION, asking(route))
    answer = ended(workbench, message)
    assert (answer.status, answer.model_id, answer.model_name) == ("complete", EMBEDDED_ID, SMOLLM)
    assert answer.routed == Routed(
        EMBEDDED_ID,
        SMOLLM,
        "{before} did not answer: {why}",
        {"before": "refuses-401", "why": "it wants a key"},
    )
    running = workbench.chat.running(answer)
    assert running is not None and running.routed == answer.routed
    assert workbench.conversations.get(ANA, answer.conversation_id).model_id == route.model_id
    assert len(workbench.runs.list(ANA, kind="chat", model_id=EMBEDDED_ID)) == runs + 1
    assert workbench.runs.list(ANA, model_id=route.model_id) == []


def test_asking_again_asks_the_route_again(workbench: Workbench, server: Misbehaving) -> None:
    route = falling_back(workbench, server)
    first = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(route)))
    away = connected(workbench, server, "well")
    workbench.routes.update(ANA, msgspec.structs.replace(route, rule=RemoteFirst(away, EMBEDDED_ID)))
    again = ended(workbench, workbench.chat.regenerate(ANA, first.id, asking(route)))
    assert (again.content, again.model_id, again.model_name) == (SAID, away, "well")
    assert again.routed == Routed(away, "well", "the remote model comes first")
    assert workbench.conversations.message(ANA, first.id).routed == first.routed


def test_the_exact_request_is_that_of_the_model_that_spoke(workbench: Workbench, server: Misbehaving) -> None:
    away = connected(workbench, server, "well")
    route = workbench.routes.add(ANA, "Away", RemoteFirst(away, EMBEDDED_ID))
    answer = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(route)))
    model = workbench.chat_model(ANA, answer.model_id)
    shown = snippets.exact(model, workbench.chat.request_of(ANA, answer.id), own_api="http://localhost/v1")
    (sent,) = [one for one in server.asked if one.path.endswith("/chat/completions")]
    assert shown.body == sent.body and shown.url == server.url("well") + "/chat/completions"


def test_an_answer_that_was_cut_is_continued_over_the_route(workbench: Workbench, server: Misbehaving) -> None:
    cut = connected(workbench, server, "cut")
    route = workbench.routes.add(ANA, "Cut", RemoteFirst(cut, EMBEDDED_ID))
    answer = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(route)))
    assert (answer.status, answer.content, answer.model_id) == ("failed", SAID, cut)
    assert answer.error is not None and answer.error["error"] == "AnswerCut"
    assert answer.routed is not None and answer.routed.model_id == cut
    assert workbench.runs.list(ANA, kind="chat", model_id=cut) == []
    local = msgspec.structs.replace(route, rule=LocalFirst(EMBEDDED_ID, cut))
    workbench.routes.update(ANA, local)
    on = ended(workbench, workbench.chat.go_on(ANA, answer.id, asking(route)))
    assert on.id == answer.id and on.content.startswith(SAID) and len(on.content) > len(SAID)
    assert on.routed == Routed(EMBEDDED_ID, SMOLLM, "the local model comes first") and on.model_id == EMBEDDED_ID


def test_when_all_fail_the_last_error_is_kept_and_the_others_are_named(
    workbench: Workbench, server: Misbehaving
) -> None:
    away = connected(workbench, server, "refuses-401")
    route = workbench.routes.add(ANA, "Nobody", RemoteFirst("/nowhere.gguf", away))
    answer = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(route)))
    assert answer.status == "failed" and answer.model_id == away
    assert answer.error is not None and isinstance(WorkbenchError.from_dict(answer.error), KeyMissing)
    assert answer.routed is not None and answer.routed.values == {"before": "/nowhere.gguf", "why": "it is not there"}


def test_nothing_of_it_is_lost_in_a_file(workbench: Workbench, server: Misbehaving) -> None:
    answer = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(falling_back(workbench, server))))
    file = ours.export([Restoring(workbench.database).read(ANA, answer.conversation_id)])
    (id,) = importing.write(workbench.database, BEN, detect.read(file)).ids
    copy = workbench.conversations.messages(BEN, id)[-1]
    assert (copy.routed, copy.model_id, copy.content) == (answer.routed, EMBEDDED_ID, answer.content)


def test_local_only_is_a_reason_and_not_got_around(workbench: Workbench, server: Misbehaving) -> None:
    away = workbench.connections.connect(ANA, "https://api.example.com/v1", names=["big"]).models[0].id
    first = workbench.routes.add(ANA, "First", RemoteFirst(away, EMBEDDED_ID))
    only = workbench.routes.add(ANA, "Only", Fastest((away, "https://api.example.org/v1#other")))
    workbench.connections.set_local_only(ANA, True)
    try:
        answer = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(first)))
        assert answer.model_id == EMBEDDED_ID and answer.routed is not None
        assert answer.routed.values == {"before": "big", "why": "nothing may leave this machine"}
        failed = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(only)))
        assert failed.error is not None and failed.error["error"] == "LocalOnly"
    finally:
        workbench.connections.set_local_only(ANA, False)


def test_routes_are_listed_among_the_models_of_their_owner(workbench: Workbench, server: Misbehaving) -> None:
    away = connected(workbench, server, "well")
    route = workbench.routes.add(ANA, "By task", ByTask((Row("code", away), Row("general", EMBEDDED_ID))))
    listed = {info.id: info for info in workbench.models(ANA)}
    assert listed[route.model_id].name == "By task"
    assert route.model_id not in {info.id for info in workbench.models(BEN)}
    model = workbench.chat_model(ANA, "route:by TASK")
    assert isinstance(model, Router) and model.info == listed[route.model_id]
    assert [info.id for info in model.models()] == [away, EMBEDDED_ID]
    with pytest.raises(NotThere):
        workbench.chat_model(BEN, route.model_id)
    with pytest.raises(NotThere):
        workbench.chat.ask(BEN, None, QUESTION, asking(route))


def test_a_route_that_was_removed_is_not_there_and_nothing_is_kept(workbench: Workbench, server: Misbehaving) -> None:
    route = falling_back(workbench, server)
    workbench.routes.remove(ANA, route.id)
    before = workbench.conversations.list(ANA)
    with pytest.raises(NotThere):
        workbench.chat.ask(ANA, None, QUESTION, asking(route))
    assert workbench.conversations.list(ANA) == before


def test_the_settings_of_a_local_model_are_not_a_route_s(workbench: Workbench) -> None:
    route = workbench.routes.add(ANA, "Here", LocalFirst(EMBEDDED_ID, "http://127.0.0.1:9/v1#none"))
    loaded = {one.settings for one in workbench.shelf.loaded()} | {ModelSettings()}
    odd = asking(route, settings=ModelSettings(context_length=128))
    answer = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, odd))
    assert answer.status == "complete"
    assert {one.settings for one in workbench.shelf.loaded()} <= loaded


def test_fastest_by_what_was_measured_here(workbench: Workbench, server: Misbehaving) -> None:
    away = connected(workbench, server, "refuses-500")
    ended(workbench, workbench.chat.ask(ANA, None, QUESTION, Asking(sampling=GREEDY, max_tokens=4)))
    assert EMBEDDED_ID in workbench.routing.speeds(ANA) and workbench.routing.speeds(BEN) == {}
    route = workbench.routes.add(ANA, "Quick", Fastest((away, EMBEDDED_ID)))
    answer = ended(workbench, workbench.chat.ask(ANA, None, QUESTION, asking(route)))
    assert answer.routed is not None and answer.routed.reason.startswith("it was the fastest lately")
    assert float(answer.routed.values["rate"]) > 0 and int(answer.routed.values["answers"]) >= 1
    assert [one for one in server.asked if one.path.endswith("/chat/completions")] == []


def test_ready_made_routes_can_be_kept_as_they_are(workbench: Workbench, server: Misbehaving) -> None:
    connected(workbench, server, "well")
    models = [info for info in workbench.models(ANA) if not info.id.startswith("route:")]
    away = msgspec.structs.replace(models[-1], id="https://api.example.com/v1#x", local=False)
    for within, most in (([], 0), (models[:1], 0), (models, 3), ([*models, away], 5), ([away, away], 0)):
        made = offered(within)
        assert len(made) == most
        for name, rule in made:
            workbench.routes.remove(ANA, workbench.routes.add(ANA, name, rule).id)


def test_what_is_kept_by_hand_is_read(workbench: Workbench) -> None:
    conversation = workbench.conversations.create(ANA)
    question = workbench.conversations.add_question(ANA, conversation.id, "?", parent_id=None)
    answer = workbench.conversations.begin_answer(
        ANA, conversation.id, parent_id=question.id, model_id="route:x", model_name="X", request=ChatRequest()
    )
    assert answer.routed is None
    chosen = Routed("m\ud800", "M", "reason {a}", {"a": "b"})
    workbench.conversations.set_routed(answer.id, chosen)
    kept = workbench.conversations.message(ANA, answer.id)
    assert (kept.model_id, kept.model_name) == ("m\ufffd", "M")
    assert kept.routed == msgspec.structs.replace(chosen, model_id="m\ufffd")
    with pytest.raises(NotThere):
        workbench.conversations.set_routed("nowhere", chosen)
