"""What is said of a quantization before it is downloaded: does it fit, how fast, which is recommended and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf import GGUFWriter

from core.gguf import reader
from core.gguf.header import GGUF
from core.hub import advice, bandwidth, judge
from core.hub.advice import Pace
from core.hub.client import Hub
from core.hub.judge import Judge
from core.hub.values import Found, HubFile, Repository, Variant
from core.models.base import ModelInfo
from core.models.catalog import Catalog
from core.models.in_turn import Turns
from core.models.local import fit
from core.models.local.model_settings import ModelSettings
from core.settings import Settings
from core.store.database import Database
from core.store.runs import Runs
from core.store.tally import Speed, Tally
from tests.hub.local_hub import LocalHub, Repo

BILLION = 1_000_000_000
BITS = {"Q2_K": 2.6, "Q3_K_M": 3.9, "Q4_K_M": 4.9, "Q6_K": 6.6, "Q8_0": 8.5, "F16": 16.0}


def repository(parameters: int = BILLION, **more: Variant) -> Repository:
    """A model in six quantizations, smallest first."""
    variants = [
        Variant(label=label, kind="model", files=(HubFile(name=f"m-{label}.gguf", size=int(bits * parameters / 8)),))
        for label, bits in BITS.items()
    ]
    return Repository(
        found=Found(id="org/m", parameters=parameters), commit="c" * 40, variants=(*variants, *more.values())
    )


def recommended(budget: int, pace: Pace | None = None) -> tuple[str, str]:
    (one,) = [one for one in advice.advise(repository(), None, budget=budget, pace=pace) if one.recommended]
    return one.variant.label, one.reason


def test_the_largest_that_fits_up_to_six_bits_is_recommended() -> None:
    assert recommended(100 * BILLION)[0] == "Q6_K"
    assert recommended(int(1.2 * BILLION))[0] == "Q6_K"
    label, reason = recommended(int(0.8 * BILLION))
    assert label == "Q4_K_M" and "fits here" in reason


def test_where_memory_is_slow_a_smaller_one_is_recommended() -> None:
    label, reason = recommended(100 * BILLION, Pace(bytes_per_s=4.2 * BILLION, measured=True))
    assert label == "Q4_K_M" and "as fast as one reads" in reason
    label, reason = recommended(100 * BILLION, Pace(bytes_per_s=4.2 * BILLION, measured=False))
    assert label == "Q4_K_M" and "as fast as one reads" not in reason, "a bound is no promise"
    label, reason = recommended(100 * BILLION, Pace(bytes_per_s=BILLION, measured=True))
    assert label == "Q4_K_M" and "slower than one reads" in reason


def test_less_than_four_bits_come_with_a_warning() -> None:
    label, reason = recommended(int(0.45 * BILLION))
    assert label == "Q2_K" and "noticeably worse" in reason


def test_where_none_fits_none_is_recommended() -> None:
    told = advice.advise(repository(), None, budget=BILLION // 10, pace=None)
    assert {one.verdict for one in told} == {"does not fit"} and not any(one.recommended for one in told)


def test_bits_and_tokens_a_second_are_what_they_are_said_to_be() -> None:
    told = advice.advise(repository(), None, budget=BILLION, pace=Pace(bytes_per_s=10 * BILLION, measured=False))
    assert [round(one.bits_per_weight or 0, 1) for one in told] == list(BITS.values())
    assert told[-1].tokens_per_s == pytest.approx(10 * BILLION / (2 * BILLION))
    assert not told[0].exact and told[0].longest_context is None


def test_what_is_no_model_or_not_whole_gets_no_advice() -> None:
    file = (HubFile(name="x.gguf", size=5),)
    more = {
        "projector": Variant(label="F16", kind="projector", files=file),
        "half": Variant(label="Q8_0", kind="model", files=file, complete=False),
    }
    assert len(advice.advise(repository(**more), None, budget=BILLION, pace=None)) == len(BITS)


def test_with_a_header_the_memory_is_what_it_is_for_a_local_file(smollm: Path) -> None:
    size = smollm.stat().st_size
    one = Variant(label="Q4_1", kind="model", files=(HubFile(name="s.gguf", size=size),))
    two = Variant(label="F16", kind="model", files=(HubFile(name="t.gguf", size=3 * size),))
    opened = Repository(found=Found(id="org/s"), commit="c" * 40, variants=(one, two))
    budget = 10 * BILLION
    told = advice.advise(opened, reader.read(smollm), budget=budget, pace=None)
    here = fit.fit(smollm, ModelSettings(), budget=budget)
    header = size - here.needed.weights
    assert told[0].exact and told[0].needed == here.needed.total + header
    assert told[0].longest_context == here.longest_context
    assert told[1].needed == told[0].needed + 2 * size
    assert told[0].bits_per_weight == pytest.approx(size * 8 / 134_515_008, rel=0.01)


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.85, "fits"), (0.95, "tight"), (1.05, "tight"), (3.0, "does not fit")]
)
def test_the_badge_follows_the_memory(smollm: Path, share: float, verdict: str) -> None:
    """Just above the budget a shorter context still fits; far above it nothing does."""
    one = Variant(label="Q4_1", kind="model", files=(HubFile(name="s.gguf", size=smollm.stat().st_size),))
    opened = Repository(found=Found(id="org/s"), commit="c" * 40, variants=(one,))
    header = reader.read(smollm)
    (told,) = advice.advise(opened, header, budget=10 * BILLION, pace=None)
    (told,) = advice.advise(opened, header, budget=int(told.needed / share), pace=None)
    assert told.verdict == verdict


def experts(path: Path) -> GGUF:
    """A header in which a token uses 2 of 8 experts."""
    import numpy as np

    writer = GGUFWriter(path, "qwen3moe")
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_head_count(4)
    writer.add_expert_count(8)
    writer.add_expert_used_count(2)
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((32, 32), dtype=np.float32))
    writer.add_tensor("blk.0.ffn_up_exps.weight", np.zeros((8, 12, 32), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return reader.read(path)


def test_of_experts_only_those_in_use_are_read(tmp_path: Path) -> None:
    assert advice.share_read(experts(tmp_path / "moe.gguf")) == pytest.approx((1024 + 3072 * 2 / 8) / (1024 + 3072))
    assert advice.share_read(None) == 1.0


def test_the_bandwidth_is_measured_once_and_kept_with_its_date(tmp_path: Path) -> None:
    assert bandwidth.kept(tmp_path) is None
    found = bandwidth.measure(tmp_path)
    assert found.bytes_per_s > 1e8 and found.at > 1.7e9 and found.threads >= 1
    assert bandwidth.kept(tmp_path) == found


@pytest.mark.parametrize("spoilt", [b"", b"{}", b'{"bytes_per_s": 1.0, "at": 1.0, "threads": 1, "machine": "another"}'])
def test_a_measurement_of_another_machine_does_not_count(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / bandwidth.FILE).write_bytes(spoilt)
    assert bandwidth.kept(tmp_path) is None


def test_what_cannot_be_kept_is_measured_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"a file")
    assert bandwidth.measure(tmp_path / "home").bytes_per_s > 0


def speed(model: str, rate: float | None, tokens: int | None = 100) -> Speed:
    return Speed(
        model_id=model,
        ttft_s=1.0,
        decode_rate=rate,
        prompt_tokens=10,
        generated_tokens=tokens,
        cost=None,
        currency=None,
    )


def test_the_largest_model_that_wrote_here_says_how_fast() -> None:
    models = [
        ModelInfo(id=id, name=id.upper(), provider="local", local=local, size_bytes=size)
        for id, size, local in (("a", 100, True), ("b", 900, True), ("c", 5000, False), ("d", 9000, True))
    ]
    speeds = [speed("b", 20.0), speed("b", 30.0), speed("b", 22.0), speed("a", 99.0), speed("c", 80.0)]
    speeds += [speed("d", None), speed("d", 50.0, tokens=3), speed("d", 50.0, tokens=None)]
    assert judge.written(speeds, models) == (models[1], 22.0)
    assert judge.written([], models) is None


@pytest.fixture
def judging(hub: Hub, settings: Settings, db: Database) -> Judge:
    return Judge(hub, settings, Catalog(settings), Tally(db), Turns(), budget=lambda: 8 * BILLION, busy=lambda: 0)


def test_a_repository_is_judged_from_one_header(
    judging: Judge, hub: Hub, local: LocalHub, model: bytes, settings: Settings
) -> None:
    local.add(Repo("org/two", {"t-Q4_0.gguf": model, "t-Q8_0.gguf": model + b"\0" * 4096}))
    judged = judging.judged("me", hub.repository("org/two"))
    assert [one.exact for one in judged.advices] == [True, True] and judged.header_error is None
    assert local.ranges("t-Q4_0.gguf") and not local.ranges("t-Q8_0.gguf")
    assert judged.pace is not None and not judged.pace.measured
    assert bandwidth.kept(settings.home) is not None


def test_without_a_header_the_estimates_are_rougher_and_it_says_why(
    judging: Judge, hub: Hub, local: LocalHub, model: bytes
) -> None:
    local.add(Repo("org/closed", {"t-Q4_0.gguf": model}, gated="auto"))
    judged = judging.judged("me", hub.repository("org/closed"))
    assert [one.exact for one in judged.advices] == [False]
    assert type(judged.header_error).__name__ == "HubGated"


def test_answers_measured_here_count_more_than_the_bandwidth(judging: Judge, db: Database) -> None:
    from core.events import Finished, Timings, Usage

    timings = Timings(ttft_s=0.1, decode_rate=50.0)
    figures = Finished(reason="stop", usage=Usage(prompt_tokens=5, generated_tokens=64), timings=timings)
    Runs(db).add("me", kind="chat", model_id="smollm2-135m", figures=figures)
    pace = judging.pace("me")
    assert pace is not None and pace.measured and pace.model == "SmolLM2-135M-Instruct"
    assert pace.bytes_per_s == pytest.approx(50.0 * 98e6, rel=0.1)
    other = judging.pace("somebody else")
    assert other is not None and not other.measured


def test_nothing_is_measured_while_models_are_at_work(hub: Hub, settings: Settings, db: Database) -> None:
    busy = Judge(hub, settings, Catalog(settings), Tally(db), Turns(), budget=lambda: BILLION, busy=lambda: 1)
    assert busy.pace("me") is None and bandwidth.kept(settings.home) is None
