"""What a file consists of, counted another way by the `gguf` package."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from gguf import GGUFReader

from core.gguf import anatomy, reader
from tests.gguf.making import Raw, i32s, string, strings, tensor, tiny, u32


def test_shares_are_those_of_the_oracle(smollm: Path) -> None:
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in GGUFReader(smollm).tensors:
        for place, number in enumerate((1, int(one.n_elements), int(one.n_bytes))):
            counted[one.tensor_type.name][place] += number
    shares = anatomy.shares(reader.read(smollm))
    assert {share.type: [share.tensors, share.parameters, share.n_bytes] for share in shares} == dict(counted)
    assert sum(share.share for share in shares) == pytest.approx(1)
    assert [share.n_bytes for share in shares] == sorted((share.n_bytes for share in shares), reverse=True)
    for share in shares:
        assert share.bits_per_weight == pytest.approx(8 * share.n_bytes / share.parameters)


def test_bits_per_weight_of_the_whole(smollm: Path, tmp_path: Path) -> None:
    assert reader.read(smollm).bits_per_weight == pytest.approx(5.74, abs=0.01)  # as llama-quantize says it
    assert reader.read(tiny(tmp_path / "f32.gguf")).bits_per_weight == 32
    assert reader.read(tiny(tmp_path / "none.gguf", tensors=False)).bits_per_weight == 0


def test_the_map_has_every_tensor_once(smollm: Path) -> None:
    gguf = reader.read(smollm)
    cells = anatomy.layer_map(gguf)
    assert sorted(cell.tensor.name for cell in cells) == sorted(tensor.name for tensor in gguf.tensors)
    assert anatomy.layers(gguf) == list(range(30))
    for cell in cells:
        whole = cell.kind if cell.layer is None else f"blk.{cell.layer}.{cell.kind}"
        assert whole == cell.tensor.name
    assert [cell.kind for cell in cells if cell.layer is None] == ["output_norm.weight", "token_embd.weight"]


def test_names_that_only_look_like_layers(tmp_path: Path) -> None:
    names = ["blk.7.attn_q.weight", "enc.blk.3.ffn.weight", "blk.x.a", "blk.123456789.a", "blk.1", "v.blk.2.a.b"]
    tensors = [tensor(name, offset=32 * place) for place, name in enumerate(names)]
    gguf = reader.read(Raw(tensors=tensors, data=b"\0" * 32 * len(names)).write(tmp_path / "odd.gguf"))
    layers = {cell.tensor.name: cell.layer for cell in anatomy.layer_map(gguf)}
    assert [layers[name] for name in names] == [7, 3, None, None, None, 2]


def test_metadata_is_grouped_and_searched(smollm: Path) -> None:
    gguf = reader.read(smollm)
    groups = anatomy.metadata(gguf)
    assert list(groups) == ["general", "llama", "tokenizer"]
    assert sum(map(len, groups.values())) == len(gguf.metadata)
    tokens = next(entry for entry in groups["tokenizer"] if entry.key == "tokenizer.ggml.tokens")
    assert (tokens.count, tokens.type) == (49152, "arr[str]")
    found = anatomy.metadata(gguf, containing=" APACHE ")
    assert [entry.key for entries in found.values() for entry in entries] == ["general.license"]
    assert [entry.key for entry in anatomy.metadata(gguf, containing="rope")["llama"]] == [
        "llama.rope.freq_base",
        "llama.rope.dimension_count",
    ]
    assert anatomy.metadata(gguf, containing="no such thing") == {}


def test_special_tokens_have_roles_and_texts(smollm: Path) -> None:
    tokens = anatomy.special_tokens(reader.read(smollm))
    assert [(one.id, one.text, one.roles) for one in tokens[:3]] == [
        (0, "<|endoftext|>", ("unk",)),
        (1, "<|im_start|>", ("bos",)),
        (2, "<|im_end|>", ("eos", "pad")),
    ]
    assert len(tokens) == 17


def test_roles_outside_of_the_vocabulary_are_passed_over(tmp_path: Path) -> None:
    pairs = [
        string("general.architecture", "llama"),
        strings("tokenizer.ggml.tokens", ["a", "<b>", "c"]),
        i32s("tokenizer.ggml.token_type", [1, 3, 1]),
        u32("tokenizer.ggml.padding_token_id", 99),
        u32("tokenizer.ggml.unknown_token_id", 2),
    ]
    gguf = reader.read(Raw(pairs=pairs).write(tmp_path / "odd.gguf"))
    assert [(one.id, one.text, one.roles) for one in anatomy.special_tokens(gguf)] == [
        (1, "<b>", ()),
        (2, "c", ("unk",)),
    ]
    assert anatomy.special_tokens(reader.read(Raw().write(tmp_path / "none.gguf"))) == []
