"""Memory estimates against what llama.cpp allocates, in a process of its own."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.gguf import memory, reader
from core.gguf.memory import KvType
from tests.gguf import architectures
from tests.gguf.making import Raw, array, i32s, string, tiny, u32

MIB = 1 << 20

_ALLOCATED = """
import json, re, sys
import llama_cpp.llama_cpp as llama

lines = []
keep = llama.llama_log_callback(lambda level, text, data: lines.append(text.decode("utf-8", "replace")))
llama.llama_log_set(keep, None)
llama.llama_backend_init()
model = llama.llama_model_load_from_file(sys.argv[1].encode(), llama.llama_model_default_params())
kinds = {"f16": 1, "q8_0": 8, "q4_0": 2}
for length, kind, parallel, batch, flash in json.loads(sys.argv[2]):
    params = llama.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = length, batch, batch
    params.n_seq_max = params.n_outputs_max = parallel
    params.type_k = params.type_v = kinds[kind]
    params.flash_attn_type = int(flash)
    params.kv_unified = True
    lines.clear()
    context = llama.llama_init_from_model(model, params)
    sizes = {"output": 0.0, "KV": 0.0, "compute": 0.0}  # a model with sliding windows has two KV caches
    for k, v in re.findall(r"(output|KV|compute) buffer size = *([0-9.]+) MiB", "".join(lines)):
        sizes[k] += float(v)
    print(json.dumps(sizes))
    llama.llama_free(context)
"""

CONTEXTS: list[tuple[int, KvType, int, int, bool]] = [
    (4096, "f16", 8, 512, True),
    (8192, "f16", 1, 512, True),
    (1000, "f16", 3, 512, True),
    (4096, "q8_0", 8, 512, True),
    (2048, "q4_0", 8, 128, True),
    (4096, "f16", 8, 512, False),
    (256, "f16", 16, 512, True),
]


def allocated(path: Path) -> list[dict[str, float]]:
    """MiB of llama.cpp's buffers for each of CONTEXTS."""
    command = [sys.executable, "-c", _ALLOCATED, str(path), json.dumps(CONTEXTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.model
def test_embedded_model_takes_what_was_estimated(smollm: Path) -> None:
    gguf = reader.read(smollm)
    for (length, kind, parallel, batch, flash), sizes in zip(CONTEXTS, allocated(smollm), strict=True):
        estimate = memory.estimate(
            gguf, context_length=length, kv_type=kind, parallel=parallel, batch=batch, flash_attention=flash
        )
        # llama.cpp prints two decimals
        assert estimate.kv_cache / MIB == pytest.approx(sizes["KV"], abs=0.006)
        assert estimate.compute / MIB == pytest.approx(sizes["compute"] + sizes["output"], rel=0.1, abs=0.1)


def test_tiny_model_takes_what_was_estimated(tmp_path: Path) -> None:
    path = tiny(tmp_path / "tiny.gguf", layers=3)
    gguf = reader.read(path)
    for (length, kind, *_), sizes in zip(CONTEXTS, allocated(path), strict=True):
        estimate = memory.estimate(gguf, context_length=length, kv_type=kind)
        if kind == "f16":  # its heads are too short for the blocks of the other types
            assert estimate.kv_cache / MIB == pytest.approx(sizes["KV"], abs=0.006)


@pytest.mark.parametrize(("architecture", "window"), [("qwen3", None), ("gemma3", 512)])
def test_other_architectures_take_what_was_estimated(tmp_path: Path, architecture: str, window: int | None) -> None:
    path = architectures.made(tmp_path / "tiny.gguf", architecture, sliding_window=window)
    gguf = reader.read(path)
    for (length, kind, parallel, batch, flash), sizes in zip(CONTEXTS, allocated(path), strict=True):
        estimate = memory.estimate(
            gguf, context_length=length, kv_type=kind, parallel=parallel, batch=batch, flash_attention=flash
        )
        assert estimate.kv_cache / MIB == pytest.approx(sizes["KV"], abs=0.011)
        assert estimate.compute / MIB == pytest.approx(sizes["compute"] + sizes["output"], rel=0.1, abs=0.2)


def test_weights_are_the_tensors(smollm: Path) -> None:
    gguf = reader.read(smollm)
    weights = memory.estimate(gguf, context_length=256).weights
    assert gguf.size - gguf.data_offset - 32 * len(gguf.tensors) <= weights <= gguf.size - gguf.data_offset


def kv_bytes(tmp_path: Path, architecture: str, *pairs: bytes, length: int = 256, parallel: int = 1) -> int:
    """The KV cache of a model of four layers, 64 wide, with these pairs."""
    usual = [
        string("general.architecture", architecture),
        u32(f"{architecture}.block_count", 4),
        u32(f"{architecture}.embedding_length", 64),
    ]
    gguf = reader.read(Raw(pairs=[*usual, *pairs]).write(tmp_path / "model.gguf"))
    return memory.estimate(gguf, context_length=length, parallel=parallel).kv_cache


def test_kv_heads_of_each_layer_count(tmp_path: Path) -> None:
    heads = u32("deci.attention.head_count", 8)
    grouped = i32s("deci.attention.head_count_kv", [8, 4, 2, 0])
    assert kv_bytes(tmp_path, "deci", heads, grouped) == 256 * 2 * (8 + 4 + 2) * (8 + 8)
    assert kv_bytes(tmp_path, "deci", heads) == 256 * 2 * 4 * 8 * (8 + 8)


def test_key_and_value_lengths_count(tmp_path: Path) -> None:
    pairs = [
        u32("gemma4.attention.head_count", 8),
        u32("gemma4.attention.head_count_kv", 2),
        u32("gemma4.attention.key_length", 32),
        u32("gemma4.attention.value_length", 16),
    ]
    assert kv_bytes(tmp_path, "gemma4", *pairs) == 256 * 2 * 4 * 2 * (32 + 16)
    shared = u32("gemma4.attention.shared_kv_layers", 3)
    assert kv_bytes(tmp_path, "gemma4", *pairs, shared) == 256 * 2 * 1 * 2 * (32 + 16)
    windows = array("gemma4.attention.sliding_window_pattern", 7, 4, b"\1\1\1\0")
    short = u32("gemma4.attention.key_length_swa", 8)
    assert kv_bytes(tmp_path, "gemma4", *pairs, windows, short) == 256 * 2 * 2 * (3 * (8 + 16) + (32 + 16))


def test_recurrent_models_keep_a_state_whatever_the_context(tmp_path: Path) -> None:
    pairs = [
        u32("mamba.ssm.conv_kernel", 4),
        u32("mamba.ssm.inner_size", 128),
        u32("mamba.ssm.state_size", 16),
    ]
    state = 4 * 4 * (3 * 128 + 16 * 128)
    assert kv_bytes(tmp_path, "mamba", *pairs, length=256, parallel=2) == 2 * state
    assert kv_bytes(tmp_path, "mamba", *pairs, length=65536, parallel=2) == 2 * state


def test_hybrid_models_have_both(tmp_path: Path) -> None:
    pairs = [
        u32("lfm2.attention.head_count", 8),
        i32s("lfm2.attention.head_count_kv", [0, 0, 0, 2]),
        u32("lfm2.shortconv.l_cache", 3),
    ]
    assert kv_bytes(tmp_path, "lfm2", *pairs) == 256 * 2 * 2 * (8 + 8) + 3 * 4 * 64 * 2


@given(budget=st.integers(0, 1 << 30), kind=st.sampled_from(["f16", "q8_0", "q4_0"]))
@settings(max_examples=25, deadline=None)
def test_context_that_fits_is_the_longest(smollm: Path, budget: int, kind: KvType) -> None:
    gguf = reader.read(smollm)
    length = memory.context_that_fits(gguf, budget, kv_type=kind, parallel=8)

    def total(tokens: int) -> int:
        return memory.estimate(gguf, context_length=tokens, kv_type=kind, parallel=8).total

    assert length % 256 == 0 and 0 <= length <= 8192
    assert length == 0 or total(length) <= budget
    assert length == 8192 or total(length + 256) > budget


def test_a_quantized_cache_is_smaller(smollm: Path) -> None:
    gguf = reader.read(smollm)
    sizes = [memory.estimate(gguf, context_length=4096, kv_type=k).kv_cache for k in ("f16", "q8_0", "q4_0")]
    assert sizes[0] / sizes[1] == pytest.approx(32 / 17)
    assert sizes[0] / sizes[2] == pytest.approx(32 / 9)


def test_file_of_absurd_numbers_is_estimated_all_the_same(tmp_path: Path) -> None:
    pairs = [array("llama.attention.head_count_kv", 5, 4, struct.pack("<4i", -5, 2**31 - 1, 0, 1))]
    assert kv_bytes(tmp_path, "llama", *pairs, u32("llama.attention.head_count", 0)) >= 0
