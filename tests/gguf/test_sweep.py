"""A sweep over load settings: every trial is kept, another value is taken only where it is surely better."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.gguf import sweep
from core.gguf.estimates import Estimate
from core.gguf.measures import Setup
from core.gguf.speed import Rate, Speed
from core.gguf.study_run import Bench
from core.gguf.sweep import Axis, Effort, Trial
from core.models.in_turn import Turns
from core.store.database import Database
from core.store.measurements import Measurements
from tests.gguf.worded import worded

ANA = "ana"


def trial(
    value: str,
    rate: float,
    *,
    axis: Axis = "threads",
    deviation: float = 1.0,
    memory: int = 10,
    kl: float | None = None,
) -> Trial:
    own = Rate(mean=rate, deviation=deviation, repeats=4)
    speed = Speed(read=own, write=own, threads=1, load_s=0.1, peak_bytes=1, others=0.0, at=0.0)
    cost = Estimate(kl, kl / 100) if kl is not None else None
    return Trial(axis=axis, value=value, setup=Setup(), parallel=1, speed=speed, memory=memory, kl=cost)


def test_the_first_is_kept_unless_another_is_surely_faster() -> None:
    assert sweep.best("threads", [trial("2", 50.0), trial("1", 51.0)]).value == "2"
    assert sweep.best("threads", [trial("2", 50.0), trial("1", 60.0), trial("3", 55.0)]).value == "1"
    assert sweep.best("threads", [trial("2", 50.0), trial("1", 60.0, deviation=40.0)]).value == "2"


def test_a_smaller_cache_is_taken_where_it_costs_nothing() -> None:
    f16 = trial("f16", 50.0, memory=30)
    q8, q4 = trial("q8_0", 50.0, memory=20, kl=0.0005), trial("q4_0", 50.0, memory=10, kl=0.05)
    assert sweep.best("kv_type", [f16, q8, q4]).value == "q8_0"
    slow = trial("q8_0", 30.0, memory=20, kl=0.0005)
    assert sweep.best("kv_type", [f16, slow, q4]).value == "f16"


def test_everything_is_tried_and_kept(db: Database, tmp_path: Path) -> None:
    bench = Bench(Measurements(db), tmp_path / "kept", Turns(), tmp_path / "models")
    path = worded(tmp_path / "model.gguf")
    told: list[tuple[int, int, str]] = []
    effort = Effort(prompt=8, generate=2, repeat=2, axes=("threads", "parallel"))
    found = sweep.sweep(bench, ANA, path, "tiny", effort=effort, notice=lambda *what: told.append(what))
    tried = {axis: [one.value for one in found.trials if one.axis == axis] for axis in effort.axes}
    assert tried == {axis: list(sweep.values(axis)) for axis in effort.axes}
    assert [sum(one.best for one in found.trials if one.axis == axis) for axis in effort.axes] == [1, 1]
    assert told[-1][:2] == (len(found.trials), len(found.trials))
    assert found.best == found.best.checked()
    again = sweep.sweep(bench, ANA, path, "tiny", effort=effort)
    assert again == found  # nothing was tried twice


@pytest.mark.model
def test_a_smaller_cache_costs_what_is_measured(db: Database, tmp_path: Path, smollm: Path) -> None:
    bench = Bench(Measurements(db), tmp_path / "kept", Turns(), tmp_path / "models")
    effort = Effort(prompt=8, generate=2, repeat=1, chunks=1, context=128, axes=("kv_type",))
    found = sweep.sweep(bench, ANA, smollm, "SmolLM2", effort=effort)
    f16, q8, q4 = found.trials
    assert f16.kl is None and q8.kl is not None and q4.kl is not None
    assert 0 < q8.kl.value < q4.kl.value
    assert q4.memory < q8.memory < f16.memory
