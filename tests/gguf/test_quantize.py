"""Quantized files: the bytes that llama.cpp's own tool and the `gguf` package make, planned before, and checked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest

from benchmarks import llamacpp
from benchmarks.figure import Unmeasurable
from core.errors import (
    AlreadyQuantized,
    ImatrixNeeded,
    ModelFileInvalid,
    ModelNotFound,
    QuantizeFailed,
    SettingInvalid,
    TargetExists,
)
from core.gguf import quantize, reader, recipes
from tests.gguf.making import Raw, tensor, tiny

WIDE = 256


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random f16 model whose rows are whole super-blocks."""
    return tiny(tmp_path_factory.mktemp("source") / "wide.F16.gguf", width=WIDE, seed=1, half=True)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whose rows are not."""
    return tiny(tmp_path_factory.mktemp("source") / "narrow.gguf", width=96, seed=2)


def llama_quantize() -> Path:
    """llama.cpp's own tool, of the very version that is installed."""
    try:
        return llamacpp.tool("llama-quantize")
    except Unmeasurable as error:
        pytest.skip(str(error))


def by_tool(tool: Path, source: Path, target: Path, type: str, *options: str) -> bytes:
    subprocess.run([tool, *options, source, target, type, "2"], check=True, capture_output=True)
    return target.read_bytes()


@pytest.mark.parametrize("type", ["Q4_K_M", "Q2_K", "Q5_1", "IQ4_XS", "BF16"])
def test_the_file_is_llama_quantizes_own(source: Path, tmp_path: Path, type: str) -> None:
    expected = by_tool(llama_quantize(), source, tmp_path / "tool.gguf", type)
    made = quantize.quantize(source, tmp_path / "ours.gguf", type)
    assert made.path.read_bytes() == expected


def test_options_are_llama_quantizes_own(source: Path, tmp_path: Path) -> None:
    options = ("--pure", "--token-embedding-type", "q6_K")
    expected = by_tool(llama_quantize(), source, tmp_path / "tool.gguf", "Q4_K_S", *options)
    made = quantize.quantize(source, tmp_path / "ours.gguf", "Q4_K_S", pure=True, embedding_type="q6_k")
    assert made.path.read_bytes() == expected
    assert {t.after for t in made.tensors if t.name != "token_embd.weight"} == {"F32", "Q4_K"}


@pytest.mark.parametrize("type", ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "BF16"])
def test_weights_are_those_of_the_gguf_package(source: Path, tmp_path: Path, type: str) -> None:
    """Its numpy code is another implementation of the simple types, exact to the bit."""
    made = quantize.quantize(source, tmp_path / "ours.gguf", type, pure=True)
    before = {t.name: t for t in gguf.GGUFReader(source).tensors}
    after = {t.name: t for t in gguf.GGUFReader(made.path).tensors}
    kind = gguf.GGMLQuantizationType[type]
    changed = [name for name, t in after.items() if t.tensor_type == kind]
    assert len(changed) == 8
    for name in changed:
        expected = gguf.quants.quantize(before[name].data.astype(np.float32), kind)
        assert np.array_equal(after[name].data.reshape(expected.shape), expected), name


def test_the_embedded_model_becomes_smaller(smollm: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int, str]] = []
    made = quantize.quantize(smollm, tmp_path / "small.gguf", "q2_k", on_progress=lambda *step: steps.append(step))
    assert made.requantized and made.source_bytes == smollm.stat().st_size
    assert made.size_bytes == made.path.stat().st_size < made.source_bytes
    assert made.type == "Q2_K" and reader.read(made.path).quantization == "Q2_K"
    assert [done for done, _, _ in steps] == list(range(273)) and {total for _, total, _ in steps} == {272}
    assert {name for _, _, name in steps[:-1]} == {t.name for t in made.tensors}
    # rows of 576 are no whole super-blocks of 256
    assert made.fallbacks and all(t.after == "IQ4_NL" or t.after == "Q4_0" for t in made.fallbacks)
    assert list(tmp_path.iterdir()) == [made.path]


def test_a_plan_is_what_comes(source: Path, narrow: Path, tmp_path: Path) -> None:
    for number, (path, type) in enumerate([(source, "Q3_K_L"), (narrow, "Q4_K_M"), (narrow, "F32"), (source, "TQ1_0")]):
        plan = quantize.plan(path, type)
        made = quantize.quantize(path, tmp_path / f"{number}.gguf", type)
        assert (plan.tensors, plan.bits_per_weight) == (made.tensors, made.bits_per_weight)
        assert plan.size_bytes == pytest.approx(made.size_bytes, abs=512)
        found = {t.name: t.type.name for t in reader.read(made.path).tensors}
        assert found == {t.name: t.after for t in plan.tensors}
        assert bool(plan.fallbacks) == (path == narrow and type == "Q4_K_M")


def test_split_sources_become_one_file(tmp_path: Path) -> None:
    parts = [tiny(tmp_path / f"big-0000{n + 1}-of-00002.gguf", split=(n, 2), seed=n) for n in range(2)]
    made = quantize.quantize(parts[0], tmp_path / "one.gguf", "Q8_0")
    whole = reader.read(made.path)
    assert (whole.parts, len(whole.tensors)) == ((), 11) and "split.count" not in whole.metadata
    assert quantize.plan(parts[0], "Q8_0").size_bytes == pytest.approx(made.size_bytes, abs=1024)


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_every_type_is_made_or_its_refusal_explained(source: Path, tmp_path: Path, name: str) -> None:
    recipe = recipes.recipe(name)
    target = tmp_path / "made.gguf"
    if recipe.needs_imatrix:
        assert quantize.plan(source, name).needs_imatrix
        with pytest.raises(ImatrixNeeded):
            quantize.quantize(source, target, name)
        assert list(tmp_path.iterdir()) == []
        return
    made = quantize.quantize(source, target, name)
    found = reader.read(target)
    assert found.quantization == name
    most = max(found.tensors, key=lambda t: (t.type == recipe.base, t.n_bytes))
    assert most.type == recipe.base or name == "MXFP4_MOE"
    assert made.bits_per_weight == pytest.approx(found.bits_per_weight)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A place where nothing may be at the end."""
    yield tmp_path / "out" / "made.gguf"
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_what_cannot_be_is_said_before(source: Path, smollm: Path, target: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="Q4_K_XL") as unknown:
        quantize.quantize(source, target, "Q4_K_XL")
    assert "Q4_K_M" in unknown.value.advice()
    with pytest.raises(SettingInvalid, match="output_type"):
        quantize.quantize(source, target, "Q4_0", output_type="Q9")
    with pytest.raises(SettingInvalid, match="embedding_type") as unfit:
        quantize.quantize(smollm, target, "Q4_0", embedding_type="Q6_K")
    assert "rows of 576" in unfit.value.advice()
    with pytest.raises(AlreadyQuantized, match="Q4_1"):
        quantize.quantize(smollm, target, "Q4_0", allow_requantize=False)
    with pytest.raises(ModelNotFound):
        quantize.quantize(tmp_path / "none.gguf", target, "Q4_0")
    with pytest.raises(ModelFileInvalid, match="no tensors"):
        quantize.quantize(tiny(tmp_path / "empty.gguf", tensors=False), target, "Q4_0")
    lies = Raw(tensors=[tensor("a", (1 << 20,))], data=b"\0" * 64).write(tmp_path / "lies.gguf")
    with pytest.raises(ModelFileInvalid, match="end of the file"):
        quantize.quantize(lies, target, "Q4_0")


def test_what_llama_cpp_does_not_know_is_said_in_its_words(target: Path, tmp_path: Path) -> None:
    strange = Raw(tensors=[tensor("a.weight", (32, 2))], data=b"\0" * 256).write(tmp_path / "strange.gguf")
    with pytest.raises(QuantizeFailed, match="key not found"):
        quantize.quantize(strange, target, "Q4_0")


def test_what_is_there_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.gguf"
    there.write_bytes(b"mine")
    for target in (there, source, tmp_path / "x" / ".." / "there.gguf"):
        with pytest.raises(TargetExists):
            quantize.quantize(source, target, "Q8_0")
    (tmp_path / "link.gguf").symlink_to(tmp_path / "nowhere")
    with pytest.raises(TargetExists):
        quantize.quantize(source, tmp_path / "link.gguf", "Q8_0")
    assert there.read_bytes() == b"mine"


def test_a_file_is_named_after_its_source() -> None:
    named = recipes.file_name
    assert named("phi-4.F16.gguf", "q4_k_m") == "phi-4.Q4_K_M.gguf"
    assert named("SmolLM2-135M-Instruct.Q4_1.gguf", "Q8_0") == "SmolLM2-135M-Instruct.Q8_0.gguf"
    assert named("qwen2.5-7b-instruct-fp16-00001-of-00004.gguf", "Q4_K") == "qwen2.5-7b-instruct.Q4_K_M.gguf"
    assert named("model.gguf", "BF16") == "model.BF16.gguf"
    assert named("Q8_0.gguf", "F16") == "Q8_0.F16.gguf"
