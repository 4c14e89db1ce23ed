"""Studies: made, measured and timed in the background; paused, gone on with after a restart; one failure is not all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import LogitsInvalid, NothingToMeasure, NotThere, VocabulariesDiffer
from core.gguf import study
from core.gguf.studies import Studies
from core.gguf.study import Spec, Variant
from core.gguf.study_run import Bench
from core.jobs import Jobs
from core.models.in_turn import Turns
from core.store.database import Database
from core.store.measurements import Measurements
from tests.e2e.serving import until
from tests.gguf.worded import WORDS, text, worded

ANA, BEN = "ana", "ben"
PATIENCE_S = 60.0


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def opened(db: Database, folder: Path, jobs: Jobs, turns: Turns | None = None) -> Studies:
    bench = Bench(Measurements(db), folder / "measurements", turns or Turns(), folder / "models")
    return Studies(bench, jobs)


@pytest.fixture
def studies(db: Database, tmp_path: Path, jobs: Jobs) -> Studies:
    return opened(db, tmp_path, jobs)


def spec(tmp_path: Path, *variants: Variant, chunks: int = 3, words: str = text(200)) -> Spec:
    source = worded(tmp_path / "source.gguf")
    return Spec(
        source=str(source),
        reference=Variant(name="source", path=str(source)),
        variants=variants or (Variant(name="Q8_0", type="Q8_0"), Variant(name="Q4_0", type="Q4_0")),
        text_name="own",
        text=words,
        context=32,
        chunks=chunks,
        repeat=0,
    )


def ended(studies: Studies, id: str, owner: str = ANA) -> str:
    job = studies.job(owner, id)
    assert job is not None and job.wait(PATIENCE_S)
    return studies.get(owner, id).state


def test_variants_are_made_and_measured(studies: Studies, tmp_path: Path) -> None:
    made = studies.start(ANA, spec(tmp_path))
    assert ended(studies, made.id) == "done"
    source, eight, four = studies.rows(ANA, made.id)
    assert source.reference and source.quality is not None and source.quality.figures.kl is None
    assert eight.bytes is not None and four.bytes is not None and four.bytes < eight.bytes
    assert eight.quality is not None and four.quality is not None
    one, other = eight.quality.figures.kl, four.quality.figures.kl
    assert one is not None and other is not None and 0 < one.mean.value <= other.mean.value
    job = studies.job(ANA, made.id)
    assert job is not None and job.fraction == 1.0
    again = studies.start(ANA, made.spec)
    assert ended(studies, again.id) == "done"
    assert studies.rows(ANA, again.id) == studies.rows(ANA, made.id)  # nothing was measured twice


def test_what_fails_of_one_variant_is_its_own(studies: Studies, tmp_path: Path) -> None:
    fewer = worded(tmp_path / "fewer.gguf", words=WORDS[:-1])
    asked = spec(tmp_path, Variant(name="fewer", path=str(fewer)), Variant(name="Q8_0", type="Q8_0"))
    made = studies.start(ANA, asked)
    assert ended(studies, made.id) == "failed"
    _, failed, whole = studies.rows(ANA, made.id)
    assert isinstance(failed.error, VocabulariesDiffer) and failed.quality is None
    assert whole.error is None and whole.quality is not None


def test_a_reference_that_fails_ends_it(studies: Studies, tmp_path: Path) -> None:
    asked = spec(tmp_path)
    data = bytearray(Path(asked.source).read_bytes())
    data[-4000:] = b"\xff" * 4000  # not-a-number in the last tensors: all of what comes out
    Path(asked.source).write_bytes(data)
    made = studies.start(ANA, asked)
    assert ended(studies, made.id) == "failed"
    job = studies.job(ANA, made.id)
    assert job is not None and isinstance(job.error, LogitsInvalid)


def test_paused_it_goes_on_after_a_restart(db: Database, tmp_path: Path, jobs: Jobs) -> None:
    studies = opened(db, tmp_path, jobs)
    made = studies.start(ANA, spec(tmp_path, chunks=200, words=text(6500)))
    job = studies.job(ANA, made.id)
    assert job is not None
    until(lambda: job.done > 20)
    studies.pause(ANA, made.id)
    assert ended(studies, made.id) == "paused"
    later = Jobs()
    restarted = opened(db, tmp_path, later)
    restarted.recover()
    assert restarted.job(ANA, made.id) is None
    restarted.go_on(ANA, made.id)
    assert ended(restarted, made.id) == "done"
    rows = restarted.rows(ANA, made.id)
    assert [row.quality is not None and row.quality.figures.chunks for row in rows] == [200, 200, 200]
    later.close()


def test_one_that_was_running_is_paused_after_a_start(studies: Studies, tmp_path: Path) -> None:
    made = studies.bench.kept.create(ANA, spec(tmp_path))
    studies.bench.kept.set_state(ANA, made.id, "running")
    studies.recover()
    assert studies.get(ANA, made.id).state == "paused"


def test_it_waits_for_whoever_is_timed(db: Database, tmp_path: Path, jobs: Jobs) -> None:
    turns = Turns()
    studies = opened(db, tmp_path, jobs, turns)
    with turns.take():
        made = studies.start(ANA, spec(tmp_path))
        until(lambda: studies.doing(made.id)[1] != "")
        assert studies.doing(made.id)[0] == "waits for its turn"
        assert studies.rows(ANA, made.id)[0].quality is None
    assert ended(studies, made.id) == "done"


def test_measured_again_all_is_new(studies: Studies, tmp_path: Path) -> None:
    made = studies.start(ANA, spec(tmp_path))
    assert ended(studies, made.id) == "done"
    before = [row.quality.at for row in studies.rows(ANA, made.id) if row.quality is not None]
    studies.again(ANA, made.id)
    assert ended(studies, made.id) == "done"
    after = [row.quality.at for row in studies.rows(ANA, made.id) if row.quality is not None]
    assert all(new > old for new, old in zip(after, before, strict=True))


def test_it_is_its_owners_alone(studies: Studies, tmp_path: Path) -> None:
    made = studies.start(ANA, spec(tmp_path))
    for refused in (studies.get, studies.go_on, studies.pause, studies.rows, studies.delete, studies.again):
        with pytest.raises(NotThere):
            refused(BEN, made.id)
    assert studies.list(BEN) == []
    studies.delete(ANA, made.id)
    assert studies.list(ANA) == []
    with pytest.raises(NothingToMeasure):
        studies.start(ANA, study.with_files(Spec(**{**asdict(made.spec), "variants": ()}), []))


def asdict(one: Spec) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def test_the_button_makes_its_own_reference_of_a_quantized_source() -> None:
    made = study.of_types(Path("/m/a.Q4_1.gguf"), ("Q8_0",), text_name="english", text="")
    assert made.reference == Variant(name="F16", type="F16")
    whole = study.of_types(Path("/m/a.f16.gguf"), ("Q8_0",), text_name="english", text="", quantized=False)
    assert whole.reference.path == "/m/a.f16.gguf"
    two = study.with_files(made, [Variant(name="Q8_0", path="/x"), Variant(name="Q8_0", path="/y")])
    assert [one.name for one in two.variants] == ["Q8_0", "Q8_0 (2)", "Q8_0 (3)"]
