"""Local only and budgets: whoever asks, whatever they ask with, nothing gets round them."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from core.answers import Answers
from core.chat import Asking
from core.errors import BudgetSpent, KeyRefused, LocalOnly, NotPermitted, PriceUnknown, SettingInvalid, WorkbenchError
from core.events import Event, Finished, Text
from core.models.base import Price
from core.models.remote import listing
from core.models.remote.client import RemoteModel
from core.models.remote.permit import Accounts, Budget, Spent
from core.settings import Settings
from core.store.database import Database
from core.store.providers import Providers
from core.store.runs import REQUEST, Runs
from core.workbench import Workbench, open_workbench
from tests import asking
from tests.asking import request
from tests.models.remote.conftest import INFO, KEY, PATIENT
from tests.models.remote.misbehaving import USAGE, Misbehaving

ME, YOU = "me", "you"
PRICED = msgspec.structs.replace(INFO, price=Price(input=1_000_000.0, output=1_000_000.0))
"""A unit of money for each token."""

COST = float(USAGE["prompt_tokens"] + USAGE["completion_tokens"])
FAR = INFO.provider


@pytest.fixture
def runs(db: Database) -> Runs:
    return Runs(db)


@pytest.fixture
def accounts(db: Database, runs: Runs) -> Accounts:
    return Accounts(Providers(db), runs)


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("NO_PROXY", "*")
    opened = open_workbench(Settings(home=tmp_path))
    yield opened
    opened.close()


def away(server: Misbehaving, behaviour: str = "well") -> str:
    """An address that is the test server's all the same, and that nothing says is on this machine."""
    return server.url(behaviour).replace("127.0.0.1", "0.0.0.0")


def priced(server: Misbehaving, accounts: Accounts, behaviour: str = "well", owner: str = ME) -> RemoteModel:
    return RemoteModel(PRICED, server.url(behaviour), KEY, timeouts=PATIENT, permit=accounts.permit(owner), retries=0)


def finished(model: RemoteModel) -> Finished:
    *_, last = model.stream(request())
    assert isinstance(last, Finished)
    return last


def chat(workbench: Workbench, model_id: str) -> None:
    message = workbench.chat.ask(ME, None, "The capital?", Asking(model_id=model_id))
    answer = workbench.chat.running(message)
    assert answer is not None and answer.wait(60)
    if answer.error is not None:
        raise answer.error


def again(workbench: Workbench, model_id: str) -> None:
    """A conversation that was answered before is answered once more."""
    kept = workbench.conversations.create(ME, model_id=model_id)
    question = workbench.conversations.add_question(ME, kept.id, "The capital?", parent_id=None)
    message = workbench.chat.answer(ME, question.id, Asking(model_id=model_id))
    answer = workbench.chat.running(message)
    assert answer is not None and answer.wait(60)
    if answer.error is not None:
        raise answer.error


def answers(workbench: Workbench, model_id: str) -> None:
    answer = Answers().start(workbench.chat_model(ME, model_id), request())
    assert answer.wait(60)
    if answer.error is not None:
        raise answer.error


WAYS: dict[str, Callable[[Workbench, str], object]] = {
    "chat": chat,
    "again": again,
    "answers": answers,
    "chat_model": lambda workbench, id: list(workbench.chat_model(ME, id).stream(request())),
    "model": lambda workbench, id: list(workbench.connections.model(ME, id).stream(request())),
    "models": lambda workbench, id: workbench.connections.models(ME, id.partition("#")[0]),
    "listing": lambda workbench, id: listing.models(workbench.connections.endpoint(ME, id.partition("#")[0])),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_leaves_this_machine(workbench: Workbench, server: Misbehaving, way: str) -> None:
    (info,) = workbench.connections.connect(ME, away(server), KEY, names=["tiny"]).models
    WAYS[way](workbench, info.id)
    assert server.asked, "it can be reached"
    server.asked.clear()
    workbench.connections.set_local_only(ME, True)
    with pytest.raises(LocalOnly) as refused:
        WAYS[way](workbench, info.id)
    assert server.asked == [] and "Local only" in refused.value.advice()
    workbench.connections.set_local_only(ME, False)
    WAYS[way](workbench, info.id)
    assert server.asked


def test_a_model_that_was_got_before_is_held_too(workbench: Workbench, server: Misbehaving) -> None:
    (info,) = workbench.connections.connect(ME, away(server), KEY, names=["tiny"]).models
    model = workbench.chat_model(ME, info.id)
    copies = [model, cast(RemoteModel, model).impatient()]
    workbench.connections.set_local_only(ME, True)
    for one in copies:
        with pytest.raises(LocalOnly):
            list(one.stream(request()))
    assert server.asked == []


def test_an_endpoint_that_was_never_connected_is_held_too(workbench: Workbench, server: Misbehaving) -> None:
    workbench.connections.set_local_only(ME, True)
    with pytest.raises(LocalOnly):
        list(workbench.chat_model(ME, f"{away(server)}#tiny").stream(request()))
    assert server.asked == []


def test_it_holds_for_its_owner_after_a_restart_and_not_for_this_machine(
    workbench: Workbench, server: Misbehaving
) -> None:
    workbench.connections.set_local_only(ME, True)
    again = open_workbench(workbench.settings)
    try:
        assert again.connections.local_only(ME) and not again.connections.local_only(YOU)
        assert asking.text(again.chat_model(YOU, f"{away(server)}#tiny").stream(request()))
        assert asking.text(again.chat_model(ME, f"{server.url('well')}#tiny").stream(request()))
        with pytest.raises(LocalOnly):
            list(again.chat_model(ME, f"{away(server)}#tiny").stream(request()))
    finally:
        again.close()


@pytest.mark.parametrize("host", ["192.168.1.5", "host.docker.internal", "classroom", "0.0.0.0", "api.openai.com"])
def test_the_local_network_is_not_this_machine(workbench: Workbench, host: str) -> None:
    workbench.connections.set_local_only(ME, True)
    url = f"http://{host}:9/v1"
    workbench.connections.connect(ME, url, names=["m"])
    with pytest.raises(LocalOnly):
        workbench.connections.endpoint(ME, url).allowed()


def test_an_answer_costs_its_tokens_and_is_written_down(server: Misbehaving, accounts: Accounts, runs: Runs) -> None:
    last = finished(priced(server, accounts))
    assert last.cost is not None and (last.cost.amount, last.cost.currency) == (COST, "USD")
    assert accounts.spent(ME) == accounts.spent(ME, this_month=True) == {(FAR, "USD"): Spent(amount=COST, answers=1)}
    assert accounts.spent(YOU) == {}
    (run,) = runs.list(ME, kind=REQUEST)
    assert (run.model_id, run.figures["prompt_tokens"]) == (INFO.id, USAGE["prompt_tokens"])


def test_an_unknown_price_is_unknown(server: Misbehaving, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    for url in (server.url("well"), away(server)):
        last = finished(RemoteModel(INFO, url, KEY, timeouts=PATIENT, permit=accounts.permit(ME)))
        assert last.cost is None
    assert accounts.spent(ME) == {(FAR, None): Spent(amount=None, answers=1, unknown=1)}, (
        "on this machine nothing is paid"
    )


def test_a_budget_stops_the_request_that_would_pass_it(server: Misbehaving, accounts: Accounts) -> None:
    accounts.set_budget(ME, FAR, Budget(2 * COST + 40))
    model = priced(server, accounts)
    assert [finished(model).reason for _ in range(2)] == ["stop", "stop"]
    server.asked.clear()
    with pytest.raises(BudgetSpent) as refused:
        list(model.stream(request("A question that is a good deal longer than the forty tokens left. " * 5)))
    assert server.asked == [] and refused.value.values["currency"] == "USD"
    assert finished(model).reason == "stop", "a shorter one fits"
    accounts.set_budget(ME, FAR, None)
    assert finished(model).reason == "stop"


def test_nothing_is_asked_when_nothing_is_left(server: Misbehaving, accounts: Accounts) -> None:
    free = msgspec.structs.replace(PRICED, price=Price(input=0.0, output=0.0))
    accounts.set_budget(ME, FAR, Budget(0.0))
    for info in (PRICED, free):
        with pytest.raises(BudgetSpent):
            list(RemoteModel(info, server.url("well"), permit=accounts.permit(ME)).stream(request()))
    assert server.asked == []


def test_an_answer_that_costs_more_than_is_left_ends_and_what_came_is_kept(
    server: Misbehaving, accounts: Accounts
) -> None:
    accounts.set_budget(ME, FAR, Budget(200.0))
    came: list[Event] = []
    with pytest.raises(BudgetSpent):
        for event in priced(server, accounts, "endless").stream(request()):
            came.append(event)
    assert asking.text(came).startswith("more more more")
    assert server.dropped.wait(30), "the provider is told to stop"
    spent = accounts.spent(ME)[FAR, "USD"]
    assert spent.answers == 1 and spent.amount is not None and 200 < spent.amount < 210
    with pytest.raises(BudgetSpent):
        next(priced(server, accounts).stream(request()))


@pytest.mark.parametrize(
    ("behaviour", "answers"), [("refuses-401", 0), ("refuses-429", 0), ("cut", 1), ("error-event", 1), ("no-status", 0)]
)
def test_what_failed_costs_what_came_of_it(
    server: Misbehaving, accounts: Accounts, behaviour: str, answers: int
) -> None:
    with pytest.raises(WorkbenchError):
        list(priced(server, accounts, behaviour).stream(request()))
    spent = accounts.spent(ME)
    assert sum(one.answers for one in spent.values()) == answers
    assert all(one.amount and one.amount > 3 for one in spent.values())


def test_an_answer_that_is_given_up_is_paid_for(server: Misbehaving, accounts: Accounts) -> None:
    model = priced(server, accounts, "endless")
    with closing(cast(Any, model.stream(request()))) as stream:
        next(event for event in stream if isinstance(event, Text) and event.text)
    assert accounts.spent(ME)[FAR, "USD"].answers == 1


def test_answers_that_come_at_once_share_what_is_left(server: Misbehaving, accounts: Accounts) -> None:
    accounts.set_budget(ME, FAR, Budget(1000.0))
    refused: list[WorkbenchError] = []

    def ask() -> None:
        try:
            list(priced(server, accounts, "endless").stream(request()))
        except WorkbenchError as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    spent = accounts.spent(ME)[FAR, "USD"].amount
    assert [type(error) for error in refused] == [BudgetSpent] * 4
    # One that had not got a word yet when the others reached the limit costs nothing.
    assert spent is not None and 900 < spent < 1100, "together, and not four times as much"


def test_a_budget_is_its_owner_s_and_its_provider_s(server: Misbehaving, accounts: Accounts) -> None:
    accounts.set_budget(ME, FAR, Budget(0.0))
    accounts.set_budget(ME, "Another", Budget(5.0, "EUR"))
    assert finished(priced(server, accounts, owner=YOU)).cost
    assert (accounts.budget(ME, FAR), accounts.budget(YOU, FAR)) == (Budget(0.0, "USD"), None)
    assert accounts.budget(ME, "Another") == Budget(5.0, "EUR")


@pytest.mark.parametrize("info", [INFO, PRICED], ids=["no price", "another currency"])
def test_a_budget_that_cannot_be_kept_to_is_said(server: Misbehaving, accounts: Accounts, info: Any) -> None:
    accounts.set_budget(ME, FAR, Budget(5.0, "EUR"))
    with pytest.raises(PriceUnknown) as said:
        list(RemoteModel(info, server.url("well"), permit=accounts.permit(ME)).stream(request()))
    assert isinstance(said.value, NotPermitted) and server.asked == []


def test_a_budget_is_a_month_s(server: Misbehaving, db: Database, runs: Runs) -> None:
    last_month = datetime.datetime.now().astimezone().replace(day=1) - datetime.timedelta(days=1)
    accounts = Accounts(Providers(db), runs)
    accounts.set_budget(ME, FAR, Budget(30.0))
    assert finished(priced(server, accounts)).cost
    with pytest.raises(BudgetSpent):
        finished(priced(server, accounts))
    with db.transaction() as connection:
        connection.execute("UPDATE runs SET at = ?", (last_month.timestamp(),))
    assert accounts.spent(ME, this_month=True) == {} and accounts.spent(ME)
    assert finished(priced(server, accounts)).cost


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_what_is_no_budget(accounts: Accounts, amount: float) -> None:
    with pytest.raises(SettingInvalid):
        accounts.set_budget(ME, FAR, Budget(amount))
    assert accounts.budget(ME, FAR) is None


def test_a_budget_stops_an_answer_in_a_conversation(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("endless")
    connections = workbench.connections
    connections.connect(ME, url, KEY, names=["tiny"])
    info = connections.list(ME)[0].models[0]
    priced = msgspec.structs.replace(info, price=PRICED.price)
    Providers(workbench.database).set_listed(ME, url, [listing.Listed(priced)], 1.0)
    connections.set_budget(ME, info.provider, Budget(100.0))
    message = workbench.chat.ask(ME, None, "The capital?", Asking(model_id=info.id))
    answer = workbench.chat.running(message)
    assert answer is not None and answer.wait(60) and isinstance(answer.error, BudgetSpent)
    kept = workbench.conversations.message(ME, message.id)
    assert kept.status == "failed" and kept.content.startswith("more more") and kept.error is not None
    spent = connections.spent(ME, this_month=True)[info.provider, "USD"].amount
    assert spent is not None and spent > 100


def test_a_failure_is_still_its_own(server: Misbehaving, accounts: Accounts) -> None:
    accounts.set_budget(ME, FAR, Budget(500.0))
    with pytest.raises(KeyRefused):
        list(priced(server, accounts, "refuses-401").stream(request()))
    with suppress(BudgetSpent):
        list(priced(server, accounts, "endless").stream(request()))
    assert accounts.spent(ME)[FAR, "USD"].answers == 1
