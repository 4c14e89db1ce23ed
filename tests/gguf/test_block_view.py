"""Blocks taken apart stand for the weights that ggml and the `gguf` package say they do."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import QuantizeFailed, SettingInvalid
from core.gguf import block_view, reader
from core.gguf.unpack import TYPES, unpack
from tests.gguf.making import tiny


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("wide") / "wide.gguf", width=256, seed=4, half=True)


@given(data=st.data(), name=st.sampled_from(list(TYPES)))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_taken_apart_as_the_gguf_package_does(data: st.DataObject, name: str) -> None:
    kind = gguf.GGMLQuantizationType[name]
    size, n_bytes = gguf.GGML_QUANT_SIZES[kind]
    seed = data.draw(st.integers(0, 2**32 - 1))
    raw = np.random.default_rng(seed).integers(0, 256, 3 * n_bytes, dtype=np.uint8)
    with np.errstate(all="ignore"):  # random scales may be infinite
        found = unpack(name, raw.tobytes())
        expected = gguf.quants.dequantize(raw.reshape(1, -1), kind).ravel()
        assert np.array_equal(np.nan_to_num(found.weights), np.nan_to_num(expected))
    assert len(found.numbers) == 3 * size == found.group * len(found.scales)
    assert found.low <= found.numbers.min() and found.numbers.max() < found.low + 2**found.bits


@pytest.mark.parametrize("types", [block_view.LADDER, block_view.SIMPLE])
def test_each_step_is_ggmls(wide: Path, types: tuple[str, ...]) -> None:
    file = reader.read(wide)
    block = block_view.block(file, "blk.0.ffn_down.weight", row=7, number=1, types=types)
    stored = next(t for t in gguf.GGUFReader(wide).tensors if t.name == block.tensor)
    assert block.weights == tuple(stored.data[7, 256:512].astype(np.float32).tolist())
    for step in block.steps:
        kept = np.repeat(step.scales, step.group) * np.array(step.numbers) + np.repeat(step.minimums, step.group)
        assert np.allclose(kept, step.weights, rtol=1e-5, atol=1e-7)
        assert step.rmse == pytest.approx(np.sqrt(np.mean((kept - block.weights) ** 2)), rel=1e-4)
        if "_K" not in step.type:
            kind = gguf.GGMLQuantizationType[step.type]
            packed = gguf.quants.quantize(np.array([block.weights], dtype=np.float32), kind)
            assert np.allclose(gguf.quants.dequantize(packed, kind)[0], step.weights)
    assert [step.type for step in block.steps] == list(types)
    errors = [step.rmse for step in block.steps]
    assert errors[0] < errors[-1] and max(errors[:-1]) <= errors[-1]


def test_a_part_of_a_block_is_that_part(wide: Path) -> None:
    block = block_view.block(reader.read(wide), "blk.0.ffn_up.weight", row=3)
    parts = [block_view.part(block, number) for number in range(8)]
    assert [weight for one in parts for weight in one.weights] == list(block.weights)
    for place, step in enumerate(block.steps):
        for name in ("weights", "numbers", "scales", "minimums"):
            assert [value for one in parts for value in getattr(one.steps[place], name)] == list(getattr(step, name))
        assert step.rmse**2 == pytest.approx(sum(one.steps[place].rmse ** 2 for one in parts) / 8)


def test_narrow_rows_have_small_blocks(smollm: Path) -> None:
    file = reader.read(smollm)
    block = block_view.block(file, "blk.3.attn_q.weight", row=5, number=17)  # rows of 576
    assert len(block.weights) == 32 and [step.type for step in block.steps] == list(block_view.SIMPLE)
    same = next(step for step in block.steps if step.type == "Q4_1")
    assert same.rmse == pytest.approx(0, abs=1e-3)  # the file is Q4_1
    wide = block_view.block(file, "blk.3.ffn_down.weight")  # rows of 1536
    assert len(wide.weights) == 256 and wide.steps[-1].type == "Q2_K"


def test_errors_are_counted_over_the_tensor(wide: Path) -> None:
    file = reader.read(wide)
    (found,) = block_view.errors(file, ["Q8_0", "Q4_0", "Q2_K"], names=["blk.0.attn_q.weight"])
    stored = next(t for t in gguf.GGUFReader(wide).tensors if t.name == "blk.0.attn_q.weight").data.astype(np.float32)
    assert (found.weights, found.of) == (256 * 256, 256 * 256)
    assert found.rms == pytest.approx(np.sqrt(np.mean(np.square(stored))), rel=1e-5)
    for error in found.errors[:2]:
        kind = gguf.GGMLQuantizationType[error.type]
        made = gguf.quants.dequantize(gguf.quants.quantize(stored, kind), kind)
        assert error.rmse == pytest.approx(np.sqrt(np.mean((made - stored) ** 2)), rel=1e-4)
        cosine = np.sum(made * stored) / np.linalg.norm(made) / np.linalg.norm(stored)
        assert error.cosine == pytest.approx(cosine, abs=1e-5)
        assert error.largest == pytest.approx(np.abs(made - stored).max(), rel=1e-4)
    assert [error.rmse for error in found.errors] == sorted(error.rmse for error in found.errors)
    assert 0.999 * found.weights < sum(found.histogram) <= found.weights


def test_all_tensors_of_the_embedded_model(smollm: Path) -> None:
    file = reader.read(smollm)
    steps: list[tuple[int, int, str]] = []
    found = block_view.errors(file, ["Q8_0", "Q2_K"], most=4096, on_progress=lambda *step: steps.append(step))
    assert [one.name for one in found] == [t.name for t in block_view.candidates(file)]
    assert len(found) == 211 and steps[-1][:2] == (211, 211)
    by_name = {one.name: {error.type for error in one.errors} for one in found}
    assert by_name["blk.0.ffn_down.weight"] == {"Q8_0", "Q2_K"}
    assert by_name["blk.0.ffn_up.weight"] == {"Q8_0"}  # rows of 576
    assert all(one.weights <= max(4096, 1536) and one.weights % one.of for one in found)


def test_parts_of_a_split_model(tmp_path: Path) -> None:
    parts = [tiny(tmp_path / f"big-0000{n + 1}-of-00002.gguf", split=(n, 2), seed=n) for n in range(2)]
    file = reader.read(parts[0])
    for tensor in block_view.candidates(file):
        assert any(block_view.block(file, tensor.name).weights)


def test_what_is_not_there_is_refused(wide: Path, tmp_path: Path) -> None:
    file = reader.read(wide)
    for wrong in ({"row": 256}, {"row": -1}, {"number": 1}, {"types": ("IQ1_S",)}):
        with pytest.raises(SettingInvalid):
            block_view.block(file, "blk.0.attn_q.weight", **wrong)  # type: ignore[arg-type]
    with pytest.raises(SettingInvalid):
        block_view.block(file, "no such tensor")
    with pytest.raises(SettingInvalid):
        block_view.errors(file, ["Q9"])
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(wide.read_bytes())
    known = reader.read(copy)
    copy.write_bytes(wide.read_bytes()[:20_000])
    with pytest.raises(QuantizeFailed, match="shorter"):
        block_view.block(known, "blk.0.ffn_down.weight", row=200)
