"""Measurements as they are kept: at once the second time, gone on from where they ended, never of another file."""

from __future__ import annotations

import fcntl
from pathlib import Path

import psutil
import pytest

from core.errors import (
    MeasureDied,
    ModelFileInvalid,
    ModelNotFound,
    NoSpaceToMeasure,
    ReferenceBusy,
    VocabulariesDiffer,
)
from core.gguf import quality, speed
from core.gguf.measures import Setup
from core.gguf.quality import Plan, Subject
from core.gguf.speed import SpeedPlan
from core.store.database import Database
from core.store.measurements import Measurements
from tests.gguf.worded import WORDS, text, worded

ANA = "ana"
PLAN = Plan(text=text(140), context=32, chunks=4)
QUICK = SpeedPlan(prompt=16, generate=4, repeat=2)


@pytest.fixture
def kept(db: Database) -> Measurements:
    return Measurements(db)


@pytest.fixture
def reference(kept: Measurements, tmp_path: Path) -> Subject:
    return quality.subject(kept, worded(tmp_path / "reference.gguf"), "reference")


@pytest.fixture
def model(kept: Measurements, tmp_path: Path) -> Subject:
    return quality.subject(kept, worded(tmp_path / "model.gguf", noise=0.1), "model")


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "core.llamacpp.perplexity" in " ".join(one.cmdline())]


class Stop(Exception):
    pass


def stop_after(number: int) -> quality.Notice:
    def notice(done: int, total: int) -> None:
        if done == number:
            raise Stop

    return notice


def test_what_was_measured_is_there_at_once(
    kept: Measurements, model: Subject, reference: Subject, tmp_path: Path
) -> None:
    first = quality.measure(kept, ANA, model, PLAN, folder=tmp_path, reference=reference)
    told: list[int] = []
    second = quality.measure(
        kept, ANA, model, PLAN, folder=tmp_path, reference=reference, notice=lambda done, total: told.append(done)
    )
    assert (second, told) == (first, [])
    assert first.figures.kl is not None and first.figures.kl.mean.value > 0
    assert quality.known(kept, "ben", model, PLAN, reference=reference) is None
    quality.forget(kept, ANA, model, PLAN, reference=reference)
    assert quality.known(kept, ANA, model, PLAN, reference=reference) is None


def test_everything_that_a_figure_depends_on_tells_it_apart(model: Subject, reference: Subject) -> None:
    plans = [
        PLAN,
        Plan(text=PLAN.text + " aa", context=32, chunks=4),
        Plan(text=PLAN.text, context=64, chunks=4),
        Plan(text=PLAN.text, context=32, chunks=3),
        Plan(text=PLAN.text, context=32, chunks=4, setup=Setup(kv_type="q8_0")),
    ]
    keys = {quality.key_of(one, plan, base) for plan in plans for one in (model, reference) for base in (None, model)}
    assert len(keys) == 4 * len(plans)
    threads = Plan(text=PLAN.text, context=32, chunks=4, setup=Setup(threads=1))
    assert quality.key_of(model, threads, None) == quality.key_of(model, PLAN, None)


def test_a_pass_that_was_ended_goes_on_with_the_next_chunk(
    kept: Measurements, model: Subject, reference: Subject, tmp_path: Path
) -> None:
    whole = quality.measure(kept, "ben", model, PLAN, folder=tmp_path, reference=reference)
    told: list[int] = []
    with pytest.raises(Stop):
        quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path, notice=stop_after(2))
    quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path, notice=lambda done, total: told.append(done))
    assert min(told) == 2
    with pytest.raises(Stop):
        quality.measure(kept, ANA, model, PLAN, folder=tmp_path, reference=reference, notice=stop_after(3))
    told.clear()
    resumed = quality.measure(
        kept, ANA, model, PLAN, folder=tmp_path, reference=reference, notice=lambda done, total: told.append(done)
    )
    assert [one.nll for one in resumed.chunks] == [one.nll for one in whole.chunks]
    assert [one.kl for one in resumed.chunks] == [one.kl for one in whole.chunks]
    assert min(told) == 3
    assert children() == []


def test_probabilities_that_are_gone_are_computed_again(
    kept: Measurements, model: Subject, reference: Subject, tmp_path: Path
) -> None:
    path = quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path)
    content = path.read_bytes()
    path.unlink()
    assert quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path).read_bytes() == content
    path.write_bytes(content[:-100])
    assert quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path).read_bytes() == content


def test_a_process_that_is_killed_is_an_error_and_what_it_had_is_kept(
    kept: Measurements, model: Subject, tmp_path: Path
) -> None:
    def kill(done: int, total: int) -> None:
        if done == 1:
            for one in children():
                one.kill()

    many = Plan(text=text(4000), context=32, chunks=100)
    with pytest.raises(MeasureDied, match="SIGKILL"):
        quality.measure(kept, ANA, model, many, folder=tmp_path, notice=kill)
    told: list[int] = []
    found = quality.measure(kept, ANA, model, many, folder=tmp_path, notice=lambda done, total: told.append(done))
    assert min(told) >= 1 and found.figures.chunks == 100


def test_a_file_that_changed_is_another_model(kept: Measurements, tmp_path: Path) -> None:
    path = worded(tmp_path / "model.gguf")
    before = quality.subject(kept, path, "model")
    assert quality.subject(kept, path, "model") == before
    worded(path, seed=3)
    assert quality.subject(kept, path, "model").sha256 != before.sha256
    path.unlink()
    with pytest.raises(ModelNotFound):
        quality.subject(kept, path, "model")
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelFileInvalid):
        quality.subject(kept, path, "model")


def test_another_vocabulary_is_refused(kept: Measurements, reference: Subject, tmp_path: Path) -> None:
    fewer = quality.subject(kept, worded(tmp_path / "fewer.gguf", words=WORDS[:-1]), "fewer")
    with pytest.raises(VocabulariesDiffer, match="fewer"):
        quality.measure(kept, ANA, fewer, PLAN, folder=tmp_path, reference=reference)
    # one that differs only in a token that the text does not have
    rare = next(word for word in WORDS if word not in PLAN.text.split())
    renamed = ["zz" if word == rare else word for word in WORDS]
    other = quality.subject(kept, worded(tmp_path / "renamed.gguf", words=renamed), "renamed")
    with pytest.raises(VocabulariesDiffer, match="renamed"):
        quality.measure(kept, ANA, other, PLAN, folder=tmp_path, reference=reference)


def test_a_disk_without_room_is_said_before(
    kept: Measurements, reference: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "SPARE", 1 << 60)
    with pytest.raises(NoSpaceToMeasure):
        quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path)


def test_a_reference_that_another_program_computes_is_left_alone(
    kept: Measurements, reference: Subject, tmp_path: Path
) -> None:
    path = quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path)
    content = path.read_bytes()
    quality.forget(kept, ANA, reference, PLAN)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ReferenceBusy):
            quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path)
    assert path.read_bytes() == content


def test_old_probabilities_make_room_for_new_ones(
    kept: Measurements, reference: Subject, model: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "REFERENCES_KEPT", 1000)
    first = quality.kept_reference(kept, ANA, reference, PLAN, folder=tmp_path)
    second = quality.kept_reference(kept, ANA, model, PLAN, folder=tmp_path)
    assert not first.exists() and second.exists()


def test_speed_has_as_many_rounds_as_were_asked_for(kept: Measurements, model: Subject) -> None:
    told: list[tuple[int, int]] = []
    found = speed.measure(kept, ANA, model, QUICK, notice=lambda done, total: told.append((done, total)))
    assert found.read is not None and found.write is not None
    assert (found.read.repeats, found.write.repeats) == (2, 2)
    assert found.read.mean > 0 and found.write.mean > 0 and found.load_s > 0
    assert found.peak_bytes is not None and found.peak_bytes > model.bytes
    assert found.others is not None and 0 <= found.others <= 1
    assert told[-1] == (6, 6)
    assert speed.measure(kept, ANA, model, QUICK) == found == speed.known(kept, ANA, model, QUICK)
    together = speed.measure(kept, ANA, model, SpeedPlan(prompt=0, generate=4, repeat=1, parallel=3))
    assert together.read is None and together.write is not None
    speed.forget(kept, ANA, model, QUICK)
    assert speed.known(kept, ANA, model, QUICK) is None
