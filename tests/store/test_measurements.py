"""Measurements in the store: part by part, each owner's own, gone on from; studies; hashes of files."""

from __future__ import annotations

import msgspec
import pytest

from core.errors import NotThere
from core.store.database import Database
from core.store.measurements import Measurements

ANA, BEN = "ana", "ben"


class Head(msgspec.Struct, frozen=True):
    chunks: int


class Part(msgspec.Struct, frozen=True):
    values: tuple[float, ...]


@pytest.fixture
def kept(db: Database) -> Measurements:
    return Measurements(db)


def test_parts_come_back_in_order_and_without_gaps(kept: Measurements) -> None:
    kept.begin(ANA, "k", "quality")
    kept.head(ANA, "k", Head(4))
    for number in (1, 0, 3):
        kept.part(ANA, "k", number, Part((number + 0.1, 1e-9)))
    found = kept.get(ANA, "k")
    assert found is not None and found.end is None
    assert found.read(found.head, Head) == Head(4)
    assert [found.read(part, Part) for part in found.parts] == [Part((0.1, 1e-9)), Part((1.1, 1e-9))]
    kept.part(ANA, "k", 1, Part((5.0,)))
    kept.end(ANA, "k", Head(0))
    found = kept.get(ANA, "k")
    assert found is not None and found.read(found.end, Head) == Head(0)
    assert found.read(found.parts[1], Part) == Part((5.0,))


def test_begun_anew_nothing_is_left(kept: Measurements) -> None:
    kept.begin(ANA, "k", "quality")
    kept.part(ANA, "k", 0, Part(()))
    kept.begin(ANA, "k", "quality")
    found = kept.get(ANA, "k")
    assert found is not None and found.parts == ()
    kept.forget(ANA, "k")
    assert kept.get(ANA, "k") is None


def test_what_another_version_wrote_is_not_there(kept: Measurements) -> None:
    kept.begin(ANA, "k", "quality")
    kept.head(ANA, "k", {"other": 1})
    found = kept.get(ANA, "k")
    assert found is not None and found.read(found.head, Head) is None


def test_what_is_anothers_is_not_there(kept: Measurements) -> None:
    kept.begin(ANA, "k", "quality")
    study = kept.create(ANA, Head(1))
    assert kept.get(BEN, "k") is None and kept.studies(BEN) == []
    for refused in (
        lambda: kept.part(BEN, "k", 0, Part(())),
        lambda: kept.head(BEN, "k", Head(1)),
        lambda: kept.end(BEN, "k", Head(1)),
        lambda: kept.study(BEN, study.id),
        lambda: kept.set_state(BEN, study.id, "done"),
        lambda: kept.set_errors(BEN, study.id, {}),
        lambda: kept.delete(BEN, study.id),
    ):
        with pytest.raises(NotThere):
            refused()
    kept.forget(BEN, "k")
    kept.begin(BEN, "k", "speed")
    found = kept.get(ANA, "k")
    assert found is not None and found.kind == "quality"
    assert kept.study(ANA, study.id).state == "paused"


def test_studies_are_listed_newest_first_and_paused_after_a_start(kept: Measurements) -> None:
    first, second = kept.create(ANA, Head(1)), kept.create(ANA, Head(2))
    kept.set_state(ANA, first.id, "running")
    kept.set_errors(ANA, first.id, {"Q2_K": {"error": "LogitsInvalid", "values": {}}})
    kept.set_state(ANA, second.id, "done")
    kept.recover()
    found = kept.studies(ANA)
    assert [(one.state, one.read(Head)) for one in found] == [("done", Head(2)), ("paused", Head(1))]
    assert found[1].errors["Q2_K"]["error"] == "LogitsInvalid"
    kept.delete(ANA, first.id)
    assert [one.id for one in kept.studies(ANA)] == [second.id]


def test_a_hash_is_that_of_the_file_as_it_stood(kept: Measurements) -> None:
    kept.keep_hash("/a.gguf", 10, 5, "one")
    assert kept.hashed("/a.gguf", 10, 5) == "one"
    assert kept.hashed("/a.gguf", 10, 6) is None and kept.hashed("/a.gguf", 11, 5) is None
    kept.keep_hash("/a.gguf", 10, 6, "two")
    assert kept.hashed("/a.gguf", 10, 5) is None and kept.hashed("/a.gguf", 10, 6) == "two"
