"""Damaged and hostile GGUF files: always `ModelFileInvalid`, in little memory, and nothing worse for llama.cpp."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ModelFileInvalid, ModelNotFound
from core.gguf import anatomy, checks, memory, quantize, reader
from core.models.local import room
from core.models.local.model_settings import ModelSettings
from tests.gguf.making import Raw, array, i32s, pair, string, strings, tensor, text, tiny, u32

U64_MAX = (1 << 64) - 1


def refused(path: Path, words: str = "") -> None:
    """The file is refused with these words, its name and a cure, and without much memory."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileInvalid) as caught:
            reader.check_tokens(reader.read(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert words in caught.value.values["detail"]
    assert caught.value.values["model"] == path.name
    assert peak < 64 << 20


def vocabulary(count: int = 3, **pairs: bytes) -> list[bytes]:
    """Metadata of a model with `count` tokens; a pair given by name replaces or adds one."""
    usual = {
        "architecture": string("general.architecture", "llama"),
        "model": string("tokenizer.ggml.model", "gpt2"),
        "tokens": strings("tokenizer.ggml.tokens", [f"t{i}" for i in range(count)]),
    }
    return list((usual | pairs).values())


def test_a_sound_file_is_the_base_of_these_tests(tmp_path: Path) -> None:
    raw = Raw(pairs=vocabulary(), tensors=[tensor("a"), tensor("b", offset=32)], data=b"\0" * 64)
    assert len(reader.read(raw.write(tmp_path / "sound.gguf")).tensors) == 2


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (Raw(magic=b"GGML"), "begin with GGUF"),
        (Raw(magic=b"PK\x03\x04"), "begin with GGUF"),
        (Raw(version=struct.pack(">I", 3)), "big-endian"),
        (Raw(version=struct.pack("<I", 0)), "version is 0"),
        (Raw(version=struct.pack("<I", 1)), "version is 1"),
        (Raw(version=struct.pack("<I", 4)), "version is 4"),
        (Raw(tensor_count=U64_MAX), f"{U64_MAX} tensors"),
        (Raw(tensor_count=1 << 60), "tensors"),
        (Raw(tensor_count=70_000, data=b"\0" * 70_000 * 24), "tensors"),
        (Raw(key_count=U64_MAX), "metadata values"),
        (Raw(key_count=3), "metadata key"),
        (Raw(key_count=5000, data=b"\0" * 5000 * 13), "metadata values"),
        (Raw(pairs=[u32("a", 1), u32("a", 1)]), "'a' twice"),
        (Raw(pairs=[u32("", 1)]), "empty"),
        (Raw(pairs=[pair(b"\xff\xfe", 4, b"\0" * 4)]), "not UTF-8"),
        (Raw(pairs=[pair(b"a\0b", 4, b"\0" * 4)]), "NUL"),
        (Raw(pairs=[u32("k" * 65_536, 1)]), "65536 bytes long"),
        (Raw(pairs=[struct.pack("<Q", U64_MAX) + b"a"]), "bytes long"),
        (Raw(pairs=[pair("a", 13, b"\0" * 8)]), "unknown type 13"),
        (Raw(pairs=[pair("a", U64_MAX >> 32, b"\0" * 8)]), "unknown type"),
        (Raw(pairs=[pair("a", 8, struct.pack("<Q", U64_MAX))]), "bytes long"),
        (Raw(pairs=[pair("a", 8, struct.pack("<Q", 1000))]), "ends in the middle"),
        (Raw(pairs=[array("a", 4, U64_MAX, b"")]), "ends in the middle"),
        (Raw(pairs=[array("a", 4, 1 << 62, b"")]), "ends in the middle"),
        (Raw(pairs=[array("a", 8, 1 << 61, b"")]), "ends in the middle"),
        (Raw(pairs=[array("a", 8, 600, text("x") * 599 + struct.pack("<Q", U64_MAX))]), "ends in the middle"),
        (Raw(pairs=[array("a", 9, 1, struct.pack("<IQ", 9, 1) * 50_000)]), "array of arrays"),
        (Raw(pairs=[array("a", 77, 1, b"\0" * 8)]), "unknown type 77"),
        (Raw(pairs=[u32("general.alignment", 0)]), "alignment is 0"),
        (Raw(pairs=[u32("general.alignment", 24)]), "alignment is 24"),
        (Raw(pairs=[u32("general.alignment", 1 << 31)]), "alignment"),
        (Raw(pairs=[string("general.alignment", "32")]), "alignment"),
        (Raw(pairs=[pair("general.alignment", 5, struct.pack("<i", -32))]), "alignment"),
        (Raw(pairs=[u32("general.architecture", 1)]), "architecture"),
    ],
)
def test_header_that_lies(tmp_path: Path, raw: Raw, words: str) -> None:
    refused(raw.write(tmp_path / "lies.gguf"), words)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ([tensor("a", (1, 1, 1, 1, 1))], "5 dimensions"),
        ([text("a") + struct.pack("<I", 0xFFFFFFFF) + b"\0" * 64], "dimensions"),
        ([tensor("a", (0,))], "impossible shape"),
        ([tensor("a", (8, 0))], "impossible shape"),
        ([tensor("a", (U64_MAX,))], "impossible shape"),
        ([tensor("a", (1 << 32, 1 << 32))], "impossible shape"),
        ([tensor("a", (1 << 21, 1 << 21, 1 << 21, 2))], "impossible shape"),
        ([tensor("a", (1 << 62,))], "end of the file"),
        ([tensor("a", (33,))], "end of the file"),
        ([tensor("a", (8,), kind=4)], "unknown type 4"),
        ([tensor("a", (8,), kind=43)], "unknown type 43"),
        ([tensor("a", (8,), kind=0xFFFFFFFF)], "unknown type"),
        ([tensor("a", (31,), kind=2)], "whole Q4_0 blocks"),
        ([tensor("a", (128, 2), kind=12)], "whole Q4_K blocks"),
        ([tensor("a", offset=4)], "not aligned"),
        ([tensor("a", offset=32)], "one before it ends"),
        ([tensor("a", offset=U64_MAX - 31)], "end of the file"),
        ([tensor("a", (16,)), tensor("b", offset=32)], "overlaps"),
        ([tensor("a"), tensor("b", offset=0)], "overlaps"),
        ([tensor("a"), tensor("a", offset=32)], "twice"),
        ([tensor("x" * 64)], "64 bytes long"),
        ([tensor(b"\xc3")], "not UTF-8"),
        ([tensor("")], "empty"),
        ([tensor("a\0b")], "NUL"),
    ],
)
def test_tensors_that_lie(tmp_path: Path, tensors: list[bytes], words: str) -> None:
    refused(Raw(tensors=tensors, data=b"\0" * 128).write(tmp_path / "lies.gguf"), words)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ({"tokens": u32("tokenizer.ggml.tokens", 3)}, "vocabulary is missing"),
        ({"tokens": i32s("tokenizer.ggml.tokens", [1, 2, 3])}, "vocabulary is missing"),
        ({"tokens": strings("tokenizer.ggml.tokens", [])}, "vocabulary is missing"),
        ({"tokens": u32("other", 1)}, "vocabulary is missing"),
        ({"tokens": strings("tokenizer.ggml.tokens", ["a", "b", "a"])}, "twice"),
        ({"tokens": strings("tokenizer.ggml.tokens", ["a", "", "[EMPTY_1]"])}, "twice"),
        ({"types": i32s("tokenizer.ggml.token_type", [1, 1])}, "token type list"),
        ({"types": array("tokenizer.ggml.token_type", 0, 3, b"\1\1\1")}, "token type list"),
        ({"types": u32("tokenizer.ggml.token_type", 1)}, "token type list"),
        ({"scores": array("tokenizer.ggml.scores", 6, 2, b"\0" * 8)}, "scores list"),
        ({"scores": array("tokenizer.ggml.scores", 0, 3, b"\0" * 3)}, "scores list"),
        ({"merges": i32s("tokenizer.ggml.merges", [1])}, "merges"),
        ({"bos": u32("tokenizer.ggml.bos_token_id", 3)}, "bos token id"),
        ({"eos": u32("tokenizer.ggml.eos_token_id", 0xFFFFFFFF)}, "eos token id"),
        ({"eos": string("tokenizer.ggml.eos_token_id", "x")}, "eos token id"),
        ({"layers": u32("llama.block_count", 0)}, "0 layers"),
        ({"layers": u32("llama.block_count", checks.MAX_LAYERS + 1)}, "513 layers"),
        ({"layers": u32("llama.block_count", 0xFFFFFFFF)}, "layers"),
        ({"layers": u32("llama.block_count", 1), "next": u32("llama.nextn_predict_layers", 2)}, "prediction layers"),
        ({"context": u32("llama.context_length", 0)}, "context length is 0"),
        ({"width": u32("llama.embedding_length", 0xFFFFFFFF)}, "embedding length"),
        ({"experts": u32("llama.expert_count", 5000)}, "5000 experts"),
        ({"layers": u32("llama.block_count", 1), "used": u32("llama.expert_used_count", 2)}, "2 of 0 experts"),
        ({"layers": u32("llama.block_count", 1), "experts": u32("llama.expert_count", 8)}, "0 of 8 experts"),
        ({"groups": u32("llama.expert_group_count", 2)}, "2 groups"),
        ({"rope": string("llama.rope.scaling.type", "none of these")}, "RoPE"),
    ],
)
def test_metadata_that_llama_cpp_would_stumble_over(tmp_path: Path, pairs: dict[str, bytes], words: str) -> None:
    refused(Raw(pairs=vocabulary(**pairs)).write(tmp_path / "lies.gguf"), words)


def test_text_beyond_the_budget_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = Raw(pairs=[pair("a", 8, struct.pack("<Q", 17 << 20))]).write(tmp_path / "text.gguf")
    os.truncate(path, 64 << 20)
    refused(path, "bytes long")


def test_header_beyond_any_real_one_is_refused(tmp_path: Path) -> None:
    path = Raw(pairs=[array("a", 12, 40 << 20, b""), u32("b", 1)]).write(tmp_path / "header.gguf")
    os.truncate(path, 400 << 20)
    refused(path, "larger than 256 MB")


def test_more_strings_than_any_real_file_has_are_refused(tmp_path: Path) -> None:
    path = Raw(pairs=[array("a", 8, 5 << 20, b"")]).write(tmp_path / "strings.gguf")
    os.truncate(path, 64 << 20)
    refused(path, "four million")


def test_many_small_arrays_stay_in_the_file(tmp_path: Path) -> None:
    pairs = [array(f"k{i}", 11, 500, b"\x7f" * 4000) for i in range(3000)]
    tracemalloc.start()
    reader.read(Raw(pairs=pairs).write(tmp_path / "arrays.gguf"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.parametrize("content", [b"", b"G", b"GGUF", b"\0" * 24, b"<!DOCTYPE html>", b"version https://git-lfs"])
def test_what_is_no_gguf_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "page.gguf"
    path.write_bytes(content)
    refused(path)


def test_truncated_at_every_byte(tmp_path: Path) -> None:
    pairs = [*vocabulary(), array("list", 8, 5, text("x") * 5), u32("general.file_type", 1)]
    whole = Raw(pairs=pairs, tensors=[tensor("a"), tensor("b", offset=32)], data=b"\0" * 64)
    path = whole.write(tmp_path / "cut.gguf")
    gguf = reader.read(path)
    data = path.read_bytes()
    needed = gguf.data_offset + gguf.tensors[-1].offset + gguf.tensors[-1].n_bytes
    assert needed == len(data)
    for length in range(needed):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileInvalid):
            reader.read(path)


def test_no_file_a_folder_a_pipe(tmp_path: Path) -> None:
    for missing in (tmp_path / "no.gguf", tmp_path / "a\0b.gguf", tmp_path / ("x" * 5000), tmp_path / "\udcff\ud800"):
        with pytest.raises(ModelNotFound) as caught:
            reader.read(missing)
        str(caught.value).encode("utf-8")
    refused(tmp_path, "folder")
    os.mkfifo(tmp_path / "pipe.gguf")
    refused(tmp_path / "pipe.gguf", "no regular file")
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    with pytest.raises(ModelNotFound):
        reader.read(tmp_path / "loop.gguf")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelNotFound):
        reader.read(tmp_path / "file" / "below.gguf")


def test_split_model_needs_all_of_its_parts(tmp_path: Path) -> None:
    names = [f"big-0000{i}-of-00003.gguf" for i in (1, 2, 3)]
    for number, name in enumerate(names):
        tiny(tmp_path / name, split=(number, 3))
    whole = reader.read(tmp_path / names[0])
    assert len(whole.parts) == 2
    assert whole.parameters == reader.read(tiny(tmp_path / "whole.gguf")).parameters
    assert whole.total_size == sum((tmp_path / name).stat().st_size for name in names)

    refused(tmp_path / names[1], "choose the first part")
    third = (tmp_path / names[2]).read_bytes()
    (tmp_path / names[2]).unlink()
    refused(tmp_path / names[0], "part 00003 of 00003 is missing")
    (tmp_path / names[2]).write_bytes((tmp_path / names[1]).read_bytes())
    refused(tmp_path / names[0], "another model's")
    (tmp_path / names[2]).write_bytes(third[:-100])
    with pytest.raises(ModelFileInvalid, match="00003-of-00003"):
        reader.read(tmp_path / names[0])
    (tmp_path / names[0]).rename(tmp_path / "renamed.gguf")
    refused(tmp_path / "renamed.gguf", "does not end in -00001-of-00003.gguf")


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_mutation_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = _mutated(tmp_path_factory.getbasetemp() / "mutated.gguf", data, _sound(tmp_path_factory))
    try:
        gguf = reader.read(path)
        reader.check_tokens(gguf)
        estimate = memory.estimate(gguf, context_length=4096)
        assert min(estimate.weights, estimate.kv_cache, estimate.compute) >= 0
        for key in gguf.metadata:
            reader.array(gguf, key)
        assert sum(share.n_bytes for share in anatomy.shares(gguf)) == estimate.weights
        assert len(anatomy.layer_map(gguf)) == len(gguf.tensors)
        assert sum(map(len, anatomy.metadata(gguf).values())) == len(gguf.metadata)
        assert all(0 <= token.id < (gguf.vocabulary_size or 0) for token in anatomy.special_tokens(gguf))
        assert room.curve(gguf, ModelSettings()) and gguf.bits_per_weight >= 0
        quantize.is_quantized(gguf)
    except ModelFileInvalid as error:
        assert error.values["detail"]


def _sound(factory: pytest.TempPathFactory) -> bytes:
    path = factory.getbasetemp() / "sound.gguf"
    if not path.exists():
        tiny(path)
    return path.read_bytes()


def _mutated(path: Path, data: st.DataObject, sound: bytes) -> Path:
    """The sound file with a few of its header's bytes or 32- and 64-bit numbers replaced, or cut."""
    content, header = bytearray(sound), len(sound) - 60_000
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, header))
        new = data.draw(
            st.one_of(
                st.binary(min_size=1, max_size=8),
                st.integers(0, 300).map(lambda n: struct.pack("<Q", n)),
                st.sampled_from([0, 1 << 31, (1 << 32) - 1, 1 << 62, 1 << 63, U64_MAX]).map(
                    lambda n: struct.pack("<Q", n)
                ),
            )
        )
        content[at : at + len(new)] = new
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    return path


_LOAD_ALL = """
import sys
import llama_cpp.llama_cpp as llama

quiet = llama.llama_log_callback(lambda level, text, data: None)
llama.llama_log_set(quiet, None)
llama.llama_backend_init()
for path in sys.stdin.read().split():
    print(path, flush=True)
    model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
    if model:
        print("loaded", flush=True)
        llama.llama_model_free(model)
"""


@pytest.mark.faults
def test_what_is_accepted_does_not_end_llama_cpp(tmp_path: Path) -> None:
    """Every 32-bit number in the header of a sound model replaced in turn: refused here, or survived by llama.cpp."""
    sound = tiny(tmp_path / "sound.gguf")
    content, end = sound.read_bytes(), reader.read(sound).data_offset
    accepted = [sound]
    for number, at in enumerate(range(0, end - 4, 29)):
        for value in (0, 3, 0x7FFFFFFF, 0xFFFFFFFF):
            path = tmp_path / f"{number}-{value}.gguf"
            path.write_bytes(content[:at] + struct.pack("<I", value) + content[at + 4 :])
            try:
                reader.check_tokens(reader.read(path))
            except ModelFileInvalid:
                path.unlink()
            else:
                accepted.append(path)
    listed = "\n".join(map(str, accepted))
    done = subprocess.run([sys.executable, "-c", _LOAD_ALL], input=listed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"llama.cpp ended at {done.stdout.split()[-1:]}: {done.stderr[-500:]}"
    lines = done.stdout.split()
    assert [line for line in lines if line != "loaded"] == list(map(str, accepted))
    assert lines[1] == "loaded"
