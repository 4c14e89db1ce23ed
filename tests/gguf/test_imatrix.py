"""Importance matrices: both forms, as llama.cpp's own tool reads them; hostile ones refused."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ImatrixInvalid
from core.gguf import imatrix, quantize, reader
from tests.gguf.making import tiny
from tests.gguf.test_quantize import WIDE, by_tool, llama_quantize


def inputs(source: Path) -> dict[str, int]:
    """The length of a row of each tensor that a matrix is about."""
    return {t.name: t.shape[0] for t in reader.read(source).tensors if "norm" not in t.name and "embd" not in t.name}


def in_gguf(path: Path, source: Path, *, chunks: int | None = 7, scale: float = 1.0) -> Path:
    """As llama-imatrix writes it today."""
    writer = gguf.GGUFWriter(path, "")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["a text.txt"])
    if chunks is not None:
        writer.add_uint32("imatrix.chunk_count", chunks)
    writer.add_uint32("imatrix.chunk_size", 512)
    random = np.random.default_rng(5)
    for name, length in inputs(source).items():
        writer.add_tensor(f"{name}.in_sum2", (scale * random.random((1, length))).astype(np.float32))
        writer.add_tensor(f"{name}.counts", np.array([[3584]], dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def in_numbers(path: Path, source: Path, *, trailer: bytes = struct.pack("<ii", 9, 6) + b"a text") -> Path:
    """As it wrote it before."""
    random = np.random.default_rng(6)
    parts = [struct.pack("<i", len(inputs(source)))]
    for name, length in inputs(source).items():
        values = random.random(length).astype("<f4").tobytes()
        parts += [struct.pack("<i", len(name)), name.encode(), struct.pack("<ii", 9, length), values]
    path.write_bytes(b"".join(parts) + trailer)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("source") / "wide.gguf", width=WIDE, seed=3)


@pytest.mark.parametrize("type", ["IQ2_XXS", "Q4_K_M"])
@pytest.mark.parametrize("make", [in_gguf, in_numbers])
def test_the_file_is_llama_quantizes_own(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type: str, make: type
) -> None:
    tool = llama_quantize()
    matrix = make(tmp_path / "matrix.dat", source)
    monkeypatch.chdir(tmp_path)  # the tool writes the matrix' path into the file, we its name
    expected = by_tool(tool, source, tmp_path / "tool.gguf", type, "--imatrix", "matrix.dat")
    made = quantize.quantize(source, tmp_path / "ours.gguf", type, imatrix=matrix)
    assert made.path.read_bytes() == expected


def test_a_matrix_makes_the_type_possible_and_the_file_another(source: Path, tmp_path: Path) -> None:
    matrix = in_gguf(tmp_path / "matrix.gguf", source)
    assert not quantize.plan(source, "IQ2_XXS", imatrix=matrix).needs_imatrix
    quantize.quantize(source, tmp_path / "low.gguf", "IQ2_XXS", imatrix=matrix)
    made = reader.read(tmp_path / "low.gguf")
    told = {key.removeprefix("quantize.imatrix."): made.metadata[key] for key in made.metadata if "imatrix" in key}
    assert told == {"file": "matrix.gguf", "dataset": "a text.txt", "entries_count": 7, "chunks_count": 7}
    quantize.quantize(source, tmp_path / "with.gguf", "Q4_K_M", imatrix=matrix)
    quantize.quantize(source, tmp_path / "without.gguf", "Q4_K_M")
    plain, weighed = (gguf.GGUFReader(tmp_path / f"{name}.gguf") for name in ("without", "with"))
    same = [np.array_equal(a.data, b.data) for a, b in zip(plain.tensors, weighed.tensors, strict=True)]
    assert not all(same)


def test_means_are_sums_by_counts(source: Path, tmp_path: Path) -> None:
    found = imatrix.read(in_gguf(tmp_path / "matrix.gguf", source))
    assert (found.dataset, found.chunks, set(found.weights)) == ("a text.txt", 7, set(inputs(source)))
    random = np.random.default_rng(5)
    for name, length in inputs(source).items():
        assert np.allclose(found.weights[name], random.random((1, length)).astype(np.float32).ravel() / 3584)


def test_a_matrix_of_another_model_is_refused(source: Path, tmp_path: Path) -> None:
    other = tiny(tmp_path / "other.gguf", width=64)
    with pytest.raises(ImatrixInvalid, match="another model"):
        quantize.quantize(source, tmp_path / "out.gguf", "Q4_K_M", imatrix=in_gguf(tmp_path / "matrix.gguf", other))
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ends too early"),
        (struct.pack("<i", 0), "0 entries"),
        (struct.pack("<i", -1), "-1 entries"),
        (struct.pack("<ii", 1, 2**31 - 1), "letters in a name"),
        (struct.pack("<ii4sii", 1, 4, b"name", 1, 2**31 - 1), "values in an entry"),
        (struct.pack("<ii4siif", 1, 4, b"name", 1, 1, float("nan")), "no numbers"),
        (struct.pack("<ii4siif", 1, 4, b"name", 1, 1, 1.0) + struct.pack("<ii", 3, 99), "ends too early"),
        (b"GGUF", "middle of its header"),
    ],
)
def test_what_is_no_matrix_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "matrix.dat"
    path.write_bytes(content)
    with pytest.raises(ImatrixInvalid, match=words):
        imatrix.read(path)


def test_a_model_is_no_matrix(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ImatrixInvalid, match="what it was made from"):
        imatrix.read(source)
    with pytest.raises(ImatrixInvalid, match="what it was made from"):
        imatrix.read(in_gguf(tmp_path / "matrix.gguf", source, chunks=None))
    with pytest.raises(ImatrixInvalid, match="no numbers"):
        imatrix.read(in_gguf(tmp_path / "endless.gguf", source, scale=float("inf")))
    with pytest.raises(ImatrixInvalid, match="No such file"):
        imatrix.read(tmp_path / "none.dat")
    with pytest.raises(ImatrixInvalid, match="not a usable"):
        quantize.plan(source, "Q4_0", imatrix=tmp_path / "none.dat")


@given(data=st.data(), of_gguf=st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_mutation_is_read_or_refused(
    source: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, of_gguf: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    sound = folder / f"sound-{of_gguf}.dat"
    if not sound.exists():
        (in_gguf if of_gguf else in_numbers)(sound, source)
    content = bytearray(sound.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(content), 3000)))
        new = data.draw(st.binary(min_size=1, max_size=8))
        content[at : at + len(new)] = new
    del content[data.draw(st.integers(0, len(content))) :]
    path = folder / "mutated.dat"
    path.write_bytes(content)
    try:
        found = imatrix.read(path)
        assert found.weights and all(np.isfinite(values).all() for values in found.weights.values())
    except ImatrixInvalid as error:
        assert error.values["detail"]
