"""Batches as they are kept: whose they are, how a cell goes on, and what a restart finds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from core.arena.batch import Batch, Cell, Entrant, Place, Spec
from core.arena.checks import Check, Checked
from core.arena.judge import Pair, Said, Verdict
from core.arena.prompts import Prompt
from core.chat import Asking
from core.errors import ModelDied, NotThere
from core.events import Finished, Timings, Usage
from core.messages import Sampling
from core.models.base import ModelInfo
from core.store.batches import KeptBatches
from core.store.database import Database

ANA, BEN = "ana", "ben"
ENTRANT = Entrant(
    asking=Asking(model_id="m", sampling=Sampling(logit_bias={5: 1.0}), json_schema={"type": "object"}),
    info=ModelInfo(id="m", name="M", provider="", local=True),
    label="M",
)
SPEC = Spec(models=(ENTRANT, ENTRANT), prompts=(Prompt(text="a\0b", checks=(Check("regex", "x"),)),), repeats=2)
FIRST = Place(0, 0, 0)
END = Finished("stop", Usage(prompt_tokens=1, generated_tokens=2), Timings(end_to_end_s=4.0))

Call = Callable[[KeptBatches, str, str], Any]
CALLS: dict[str, Call] = {
    "get": lambda kept, owner, id: kept.get(owner, id),
    "rename": lambda kept, owner, id: kept.rename(owner, id, "mine"),
    "set_spec": lambda kept, owner, id: kept.set_spec(owner, id, SPEC),
    "cells": lambda kept, owner, id: kept.cells(owner, id),
    "cell": lambda kept, owner, id: kept.cell(owner, id, FIRST),
    "counts": lambda kept, owner, id: kept.counts(owner, id),
    "retry": lambda kept, owner, id: kept.retry(owner, id, FIRST),
    "verdicts": lambda kept, owner, id: kept.verdicts(owner, id),
    "forget_verdicts": lambda kept, owner, id: kept.forget_verdicts(owner, id),
    "delete": lambda kept, owner, id: kept.delete(owner, id),
}


@pytest.fixture
def kept(db: Database) -> KeptBatches:
    return KeptBatches(db)


@pytest.fixture
def made(kept: KeptBatches) -> Batch:
    return kept.create(ANA, "Mine", SPEC)


def done(place: Place = FIRST, **fields: Any) -> Cell:
    return Cell(**{"place": place, "status": "done", "answer": "yes", "finished": END, **fields})


def everything(db: Database) -> list[tuple[Any, ...]]:
    with db.reading() as connection:
        return [
            tuple(row)
            for table in ("batches", "cells", "verdicts")
            for row in connection.execute(f"SELECT * FROM {table}")
        ]


@pytest.mark.parametrize("name", CALLS)
def test_another_owner_reads_and_changes_nothing(kept: KeptBatches, made: Batch, db: Database, name: str) -> None:
    before = everything(db)
    for owner, id in ((BEN, made.id), (ANA, "no such batch")):
        with pytest.raises(NotThere):
            CALLS[name](kept, owner, id)
    assert everything(db) == before
    CALLS[name](kept, ANA, made.id)


def test_every_method_with_an_owner_is_tried() -> None:
    public = {n: f for n, f in inspect.getmembers(KeptBatches, inspect.isfunction) if not n.startswith("_")}
    owned = {name for name, function in public.items() if "owner" in inspect.signature(function).parameters}
    assert owned == set(CALLS) | {"create", "list", "seconds"}


def test_it_comes_back_as_it_was_given(kept: KeptBatches, made: Batch) -> None:
    assert kept.get(ANA, made.id) == made
    assert (made.spec, made.name, made.state, made.owner) == (SPEC, "Mine", "paused", ANA)
    assert [cell.place for cell in kept.cells(ANA, made.id)] == [
        Place(model, 0, repeat) for model in (0, 1) for repeat in (0, 1)
    ]
    assert {cell.status for cell in kept.cells(ANA, made.id)} == {"waiting"}


def test_a_cell_grows_and_ends(kept: KeptBatches, made: Batch) -> None:
    assert kept.begin(made.id, FIRST)
    assert not kept.begin(made.id, FIRST)
    kept.append(made.id, FIRST, "y")
    kept.append(made.id, FIRST, "e\ud800")
    kept.append(made.id, FIRST, "hm", reasoning=True)
    cell = kept.cell(ANA, made.id, FIRST)
    assert (cell.status, cell.answer, cell.reasoning) == ("running", "ye\ufffd", "hm")
    ended = done(at=cell.at, reasoning="hm", checks=(Checked(Check("regex", "x"), False, "no", {"a": "b"}),))
    kept.finish(made.id, ended)
    assert kept.cell(ANA, made.id, FIRST) == ended
    with pytest.raises(NotThere):
        kept.append(made.id, FIRST, "late")


def test_what_fails_is_kept_and_retried(kept: KeptBatches, made: Batch) -> None:
    kept.begin(made.id, FIRST)
    error = ModelDied(model="M", detail="killed")
    kept.finish(made.id, done(status="failed", error=error.to_dict(), finished=None))
    kept.fail_waiting(made.id, 1, error)
    statuses = [cell.status for cell in kept.cells(ANA, made.id)]
    assert statuses == ["failed", "waiting", "failed", "failed"]
    assert kept.retry(ANA, made.id) == 3
    assert len(kept.waiting(made.id)) == 4
    assert kept.cell(ANA, made.id, FIRST).answer == "yes"
    kept.begin(made.id, FIRST)
    assert kept.retry(ANA, made.id, FIRST) == 0
    assert kept.cell(ANA, made.id, FIRST).answer == ""


def test_a_restart_lets_what_was_running_wait(kept: KeptBatches, made: Batch) -> None:
    kept.set_state(made.id, "running")
    kept.begin(made.id, FIRST)
    kept.append(made.id, FIRST, "half")
    kept.begin(made.id, Place(0, 0, 1))
    kept.finish(made.id, done(Place(0, 0, 1)))
    kept.recover()
    assert kept.get(ANA, made.id).state == "paused"
    cells = kept.cells(ANA, made.id)
    assert [(cell.status, cell.answer) for cell in cells[:2]] == [("waiting", "half"), ("done", "yes")]


def test_counts_and_seconds(kept: KeptBatches, made: Batch) -> None:
    for number, seconds in enumerate((4.0, 8.0)):
        kept.begin(made.id, Place(0, 0, number))
        timings = Timings(end_to_end_s=seconds)
        kept.finish(made.id, done(Place(0, 0, number), finished=Finished("stop", END.usage, timings)))
    counts = {(one.model, one.status): (one.cells, one.seconds) for one in kept.counts(ANA, made.id)}
    assert counts == {(0, "done"): (2, 6.0), (1, "waiting"): (2, None)}
    assert kept.seconds(ANA) == {"m": 6.0}
    assert kept.seconds(BEN) == {}
    (summary,) = kept.list(ANA)
    assert (summary.done, summary.failed, summary.total) == (2, 0, 4)
    assert kept.list(BEN) == []
    assert kept.answered(made.id) == [Place(0, 0, 0), Place(0, 0, 1)]


def test_verdicts_are_kept_order_by_order(kept: KeptBatches, made: Batch) -> None:
    pair = Pair(0, 0, 0, 1)
    kept.say(made.id, pair, "first", Said(winner="a", reason="r"))
    kept.say(made.id, pair, "second", Said(winner="tie"))
    assert kept.verdicts(ANA, made.id) == {pair: Verdict(first=Said(winner="a", reason="r"), second=Said(winner="tie"))}
    kept.retry(ANA, made.id, Place(1, 0, 0))
    assert kept.verdicts(ANA, made.id) == {}


def test_one_that_was_deleted_takes_nothing_more(kept: KeptBatches, made: Batch, db: Database) -> None:
    kept.begin(made.id, FIRST)
    kept.say(made.id, Pair(0, 0, 0, 1), "first", Said(winner="a"))
    kept.delete(ANA, made.id)
    assert everything(db) == []
    for call in (
        lambda: kept.append(made.id, FIRST, "x"),
        lambda: kept.finish(made.id, done()),
        lambda: kept.say(made.id, Pair(0, 0, 0, 1), "first", Said(winner="a")),
        lambda: kept.set_state(made.id, "done"),
    ):
        with pytest.raises(NotThere):
            call()
    assert not kept.begin(made.id, FIRST)


def test_a_spec_of_another_version_can_still_be_deleted(kept: KeptBatches, made: Batch, db: Database) -> None:
    with db.transaction() as connection:
        connection.execute("UPDATE batches SET spec = '{\"models\": 3}'")
    assert kept.get(ANA, made.id).spec.models == ()
    kept.delete(ANA, made.id)
    assert kept.list(ANA) == []
