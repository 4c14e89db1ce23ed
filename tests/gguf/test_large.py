"""Headers of files larger than a test may be: sparse, read in little memory, whatever they claim."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from benchmarks.header import LARGE, LAYERS, TOKENS, made
from core.errors import ModelFileInvalid
from core.gguf import anatomy, reader
from core.models.local import room
from core.models.local.model_settings import ModelSettings
from core.models.local.room import Memory

MOST = 150_000_000
"""Bytes that reading may take."""


def test_a_file_of_40_gb(tmp_path: Path) -> None:
    path = made(tmp_path / "large.gguf", n_bytes=LARGE, tokens=1000)
    assert path.stat().st_size > 0.99 * LARGE
    tracemalloc.start()
    gguf = reader.read(path)
    shares = anatomy.shares(gguf)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST
    assert len(anatomy.layers(gguf)) == LAYERS and shares[0].type == "Q4_K"
    assert gguf.bits_per_weight == 4.5
    assert room.longest_context(gguf, ModelSettings(), Memory("RAM", 16 * 10**9, 16 * 10**9)) == 0
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    with pytest.raises(ModelFileInvalid, match="incomplete"):
        reader.read(path)


def test_a_vocabulary_of_150_000_tokens(tmp_path: Path) -> None:
    path = made(tmp_path / "wordy.gguf", n_bytes=10**7, tokens=TOKENS)
    tracemalloc.start()
    gguf = reader.read(path)
    reader.check_tokens(gguf)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST and gguf.vocabulary_size == TOKENS
    assert reader.array(gguf, "tokenizer.ggml.tokens")[-1] == f"token{TOKENS - 1}"
