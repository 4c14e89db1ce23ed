"""Sound GGUF files: read as the `gguf` package reads them."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from core.gguf import reader
from core.gguf.header import LongArray
from tests.gguf.making import VOCABULARY, Raw, array, string, strings, tensor, tiny, u32


def test_embedded_model_is_read_as_the_oracle_reads_it(smollm: Path) -> None:
    oracle, gguf = GGUFReader(smollm), reader.read(smollm)
    fields = {name: f for name, f in oracle.fields.items() if not name.startswith("GGUF.")}
    assert set(gguf.metadata) == set(fields)
    for key, value in gguf.metadata.items():
        expected = fields[key].contents()
        actual = list(reader.array(gguf, key)) if isinstance(value, tuple | LongArray) else value
        assert actual == expected, key
    assert [(t.name, list(t.shape), t.type.name, t.n_bytes, gguf.data_offset + t.offset) for t in gguf.tensors] == [
        (t.name, t.shape.tolist(), t.tensor_type.name, t.n_bytes, t.data_offset) for t in oracle.tensors
    ]
    assert (gguf.alignment, gguf.data_offset) == (oracle.alignment, oracle.data_offset)
    assert gguf.version == 3


def test_what_is_derived_from_the_embedded_model(smollm: Path) -> None:
    gguf = reader.read(smollm)
    assert (gguf.architecture, gguf.quantization, gguf.licence) == ("llama", "Q4_1", "apache-2.0")
    assert (gguf.context_length, gguf.block_count, gguf.vocabulary_size) == (8192, 30, 49152)
    assert gguf.per_layer("attention.head_count_kv") == (3,) * 30
    assert gguf.parameters == 134_515_008
    assert gguf.chat_template is not None and "im_start" in gguf.chat_template
    assert gguf.size == gguf.total_size == smollm.stat().st_size
    assert gguf.generates and not gguf.recurrent
    reader.check_tokens(gguf)


def test_tiny_model_of_the_writer_is_sound(tmp_path: Path) -> None:
    gguf = reader.read(tiny(tmp_path / "tiny.gguf", layers=2))
    assert (gguf.name, gguf.quantization, gguf.vocabulary_size) == ("Tiny", "F32", VOCABULARY)
    assert len(gguf.tensors) == 20
    assert reader.array(gguf, "tokenizer.ggml.merges") == ("a b", "b c")
    assert reader.array(gguf, "no.such.key") == ()
    reader.check_tokens(gguf)


_values = st.one_of(
    st.tuples(st.just(GGUFValueType.UINT8), st.integers(0, 255)),
    st.tuples(st.just(GGUFValueType.INT16), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(GGUFValueType.INT64), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(GGUFValueType.UINT64), st.integers(0, 2**64 - 1)),
    st.tuples(st.just(GGUFValueType.FLOAT64), st.floats(allow_nan=False)),
    st.tuples(st.just(GGUFValueType.FLOAT32), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just(GGUFValueType.BOOL), st.booleans()),
    st.tuples(st.just(GGUFValueType.STRING), st.text(min_size=1, max_size=40)),
    st.tuples(st.just(GGUFValueType.ARRAY), st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=700)),
    st.tuples(st.just(GGUFValueType.ARRAY), st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=20)),
)
_keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)


@given(
    pairs=st.dictionaries(_keys.map(lambda k: "x." + k), _values, max_size=8),
    shapes=st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), max_size=5),
    alignment=st.sampled_from([8, 32, 64, 4096]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_writer_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    pairs: dict[str, tuple[GGUFValueType, object]],
    shapes: list[list[int]],
    alignment: int,
) -> None:
    path = tmp_path_factory.mktemp("written") / "any.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_custom_alignment(alignment)
    for key, (kind, value) in pairs.items():
        writer.add_key_value(key, value, kind)
    for number, shape in enumerate(shapes):
        writer.add_tensor(f"tensor{number}", np.zeros(shape, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    gguf = reader.read(path)
    for key, (kind, value) in pairs.items():
        is_list = kind == GGUFValueType.ARRAY
        assert (list(reader.array(gguf, key)) if is_list else gguf.metadata[key]) == value
    assert [list(reversed(t.shape)) for t in gguf.tensors] == shapes
    assert gguf.alignment == alignment


def test_version_2_is_read_and_is_the_same(tmp_path: Path) -> None:
    gguf = reader.read(Raw(version=struct.pack("<I", 2), pairs=[u32("a", 7)]).write(tmp_path / "v2.gguf"))
    assert (gguf.version, gguf.metadata["a"]) == (2, 7)


def test_values_that_are_no_utf8_are_replaced(tmp_path: Path) -> None:
    gguf = reader.read(Raw(pairs=[string("general.name", b"caf\xe9")]).write(tmp_path / "latin.gguf"))
    assert gguf.name == "caf\N{REPLACEMENT CHARACTER}"


def test_tokens_that_differ_only_in_broken_bytes_are_not_the_same(tmp_path: Path) -> None:
    tokens = [b"\xff", b"\xfe", b"", b""]
    listed = array("tokenizer.ggml.tokens", 8, 4, b"".join(struct.pack("<Q", len(t)) + t for t in tokens))
    gguf = reader.read(Raw(pairs=[string("tokenizer.ggml.model", "gpt2"), listed]).write(tmp_path / "t.gguf"))
    reader.check_tokens(gguf)
    assert gguf.vocabulary_size == 4


@pytest.mark.parametrize(
    ("pairs", "generates"),
    [
        ([string("general.architecture", "llama"), u32("llama.block_count", 1)], True),
        (
            [string("general.architecture", "llama"), string("general.type", "adapter"), u32("llama.block_count", 1)],
            False,
        ),
        ([string("general.architecture", "clip"), u32("clip.vision.block_count", 1)], False),
        ([string("general.architecture", "bert"), u32("bert.block_count", 1), u32("bert.pooling_type", 1)], False),
        ([u32("llama.block_count", 1)], False),
    ],
)
def test_only_models_that_write_text_generate(tmp_path: Path, pairs: list[bytes], generates: bool) -> None:
    assert reader.read(Raw(pairs=pairs).write(tmp_path / "m.gguf")).generates is generates


def test_quantization_is_that_of_most_values_where_the_file_names_none(tmp_path: Path) -> None:
    tensors = [tensor("a", (32,), kind=8), tensor("b", (64,), kind=2, offset=64)]
    raw = Raw(tensors=tensors, data=b"\0" * 128)
    assert reader.read(raw.write(tmp_path / "q.gguf")).quantization == "Q4_0"


_LARGE = """
import resource, sys
from core.gguf import reader
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
gguf = reader.read(sys.argv[1])
reader.check_tokens(gguf)
print(gguf.vocabulary_size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_a_large_vocabulary_takes_little_memory(tmp_path: Path) -> None:
    pairs = [
        string("tokenizer.ggml.model", "gpt2"),
        strings("tokenizer.ggml.tokens", [f"a token number {i}" for i in range(300_000)]),
        array("tokenizer.ggml.scores", 6, 300_000, b"\0" * 1_200_000),
        strings("tokenizer.ggml.merges", [f"left{i} right{i}" for i in range(300_000)]),
    ]
    path = Raw(pairs=pairs).write(tmp_path / "large.gguf")
    done = subprocess.run([sys.executable, "-c", _LARGE, str(path)], capture_output=True, text=True, check=True)
    vocabulary, kilobytes = map(int, done.stdout.split())
    assert vocabulary == 300_000
    assert kilobytes < 150_000
