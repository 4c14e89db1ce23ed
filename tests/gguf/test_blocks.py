"""The table of tensor types against the `gguf` package's."""

from __future__ import annotations

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

from core.gguf.blocks import BY_NAME, FILE_TYPES, TENSOR_TYPES


def test_tensor_types_are_those_of_the_oracle() -> None:
    for kind, sizes in GGML_QUANT_SIZES.items():
        type = TENSOR_TYPES[kind.value]
        assert (type.name, type.block_size, type.block_bytes) == (kind.name, *sizes)
    assert {t for t in TENSOR_TYPES if t in set(GGMLQuantizationType)} == set(GGMLQuantizationType)


def test_file_types_are_those_of_the_oracle() -> None:
    for kind in LlamaFileType:
        if kind is not LlamaFileType.GUESSED:
            assert FILE_TYPES[kind.value] == kind.name.removeprefix("ALL_").removeprefix("MOSTLY_")


def test_sizes() -> None:
    assert BY_NAME["Q4_0"].n_bytes((64, 3)) == 6 * 18
    assert BY_NAME["F16"].n_bytes(()) == 2
    assert BY_NAME["Q4_K"].bits_per_weight == 4.5
