"""Endpoints, favourites and decisions, each its owner's own; and what requests cost."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest

from core.errors import StoreUnavailable
from core.events import Cost, Finished, Usage
from core.models.base import ModelInfo, Price
from core.models.remote.kept import Provider
from core.models.remote.listing import Listed
from core.models.remote.permit import Spent
from core.store.database import Database
from core.store.providers import Providers
from core.store.runs import REQUEST, Runs

ANA, BEN = "ana", "ben"
URL = "https://llm.example.org/v1"
INFO = ModelInfo(
    id=f"{URL}#m",
    name="m",
    provider="P",
    local=False,
    price=Price(input=1.0, output=2.0),
    modalities=("text",),
    tools=True,
)
LISTED = (
    Listed(INFO, frozenset({"top_k"})),
    Listed(msgspec.structs.replace(INFO, id=f"{URL}#n", name="n"), typed=True),
)
USAGE = Usage(prompt_tokens=3, generated_tokens=4)


@pytest.fixture
def providers(db: Database) -> Providers:
    return Providers(db)


def provider(url: str = URL, **fields: object) -> Provider:
    return Provider(base_url=url, name="P", added_at=1.0, **fields)  # type: ignore[arg-type]


def test_what_is_kept_comes_back_as_it_was(providers: Providers) -> None:
    full = provider(preset="openai", listed=LISTED, listed_at=2.0)
    providers.put(ANA, full)
    assert providers.get(ANA, URL) == full and providers.list(ANA) == [full]
    assert providers.set_listed(ANA, URL, LISTED[:1], 3.0)
    assert providers.get(ANA, URL) == provider(preset="openai", listed=LISTED[:1], listed_at=3.0)


def test_an_endpoint_is_kept_once_and_keeps_its_place(providers: Providers) -> None:
    for url in ("http://b/v1", "http://a/v1", "http://b/v1"):
        providers.put(ANA, provider(url))
    assert [one.base_url for one in providers.list(ANA)] == ["http://b/v1", "http://a/v1"]
    providers.remove(ANA, "http://b/v1")
    providers.remove(ANA, "http://b/v1")
    assert [one.base_url for one in providers.list(ANA)] == ["http://a/v1"]
    assert not providers.set_listed(ANA, "http://b/v1", LISTED, 1.0)


def test_another_owner_sees_and_changes_nothing(providers: Providers) -> None:
    providers.put(ANA, provider())
    providers.set_favourite(ANA, "m", True)
    providers.set_preference(ANA, "local only", True)
    assert (providers.list(BEN), providers.get(BEN, URL), providers.favourites(BEN)) == ([], None, frozenset())
    assert providers.preference(BEN, "local only") is None
    assert not providers.set_listed(BEN, URL, LISTED, 1.0)
    providers.remove(BEN, URL)
    providers.set_favourite(BEN, "m", False)
    providers.set_preference(BEN, "local only", None)
    assert providers.get(ANA, URL) == provider()
    assert providers.favourites(ANA) == {"m"} and providers.preference(ANA, "local only") is True


def test_favourites_are_marked_once(providers: Providers) -> None:
    for id, on in (("m", True), ("m", True), ("half \ud800", True), ("n", True), ("n", False), ("n", False)):
        providers.set_favourite(ANA, id, on)
    assert providers.favourites(ANA) == {"m", "half \ufffd"}


@pytest.mark.parametrize("value", [True, 3, "text", {"amount": 1.5, "currency": "EUR"}, ["a"]])
def test_decisions_are_plain_values(providers: Providers, value: object) -> None:
    providers.set_preference(ANA, "x", "before")
    providers.set_preference(ANA, "x", value)
    assert providers.preference(ANA, "x") == value
    providers.set_preference(ANA, "x", None)
    assert providers.preference(ANA, "x") is None


def test_what_this_version_cannot_read_is_left_out(providers: Providers, db: Database) -> None:
    providers.put(ANA, provider(listed=LISTED))
    with db.transaction() as connection:
        connection.execute("UPDATE providers SET listed = '[{\"info\": 3}]'")
        connection.execute("INSERT INTO preferences VALUES ('ana', 'x', '{')")
    assert providers.get(ANA, URL) == provider() and providers.preference(ANA, "x") is None


def test_a_database_that_is_held_is_said(providers: Providers, db: Database) -> None:
    impatient = Database(db.path, patience_s=0.01)
    with sqlite3.connect(db.path, isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            Providers(impatient).set_favourite(ANA, "m", True)
        holder.execute("ROLLBACK")
    impatient.close()


def test_what_was_paid_is_summed_by_provider_and_currency(db: Database) -> None:
    runs = Runs(db)
    for owner, name, cost in (
        (ANA, "P", Cost(amount=0.5)),
        (ANA, "P", Cost(amount=0.25)),
        (ANA, "P", Cost(amount=2.0, currency="EUR")),
        (ANA, "P", None),
        (ANA, "Q", None),
        (ANA, "R", Cost(amount=0.0)),
        (BEN, "P", Cost(amount=100.0)),
    ):
        runs.pay(owner, model_id="m", provider=name, usage=USAGE, cost=cost)
    assert runs.spent(ANA) == {
        ("P", None): Spent(amount=None, answers=1, unknown=1),
        ("P", "EUR"): Spent(amount=2.0, answers=1),
        ("P", "USD"): Spent(amount=0.75, answers=2),
        ("Q", None): Spent(amount=None, answers=1, unknown=1),
        ("R", "USD"): Spent(amount=0.0, answers=1),
    }
    assert runs.spent("nobody") == {}
    last = runs.list(ANA, kind=REQUEST, limit=1)[0].at
    assert runs.spent(ANA, since=last + 1) == {} and runs.spent(ANA, since=last)[("R", "USD")].answers == 1


def test_a_request_is_no_answer_and_is_counted_once(db: Database) -> None:
    runs = Runs(db)
    finished = Finished("stop", USAGE, cost=Cost(amount=0.5))
    chat = runs.add(ANA, kind="chat", model_id="m", figures=finished)
    runs.pay(ANA, model_id="m", provider="P", usage=USAGE, cost=finished.cost)
    assert runs.list(ANA) == runs.list(ANA, model_id="m") == [chat]
    (request,) = runs.list(ANA, kind=REQUEST)
    assert msgspec.convert(request.figures, Usage) == USAGE
    assert runs.spent(ANA) == {("P", "USD"): Spent(amount=0.5, answers=1)}
