"""Headers read by HTTP ranges: what a local file gives, no more fetched than that takes, every claim checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import (
    ModelFileInvalid,
)
from core.gguf import reader
from core.hub.client import Hub
from core.hub.ranged import Ranged
from tests.gguf.making import Raw, string, tiny
from tests.hub.local_hub import Fault, LocalHub, Repo


def test_a_header_is_read_by_ranges_and_nothing_else(local: LocalHub, hub: Hub, smollm: Path) -> None:
    local.add(Repo("org/smol", {"smol-Q4_1.gguf": smollm.read_bytes()}))
    opened = hub.repository("org/smol")
    header = hub.header(opened, opened.variants[0].files[0])
    true = reader.read(smollm)
    assert (header.metadata, header.tensors, header.data_offset) == (true.metadata, true.tensors, true.data_offset)
    ranges = local.ranges("smol-Q4_1.gguf")
    assert all(ranges) and 1 <= len(ranges) <= 3
    assert max(int(one.split("-")[1]) for one in ranges) < true.data_offset + (9 << 20) < true.size


def test_a_tiny_file_takes_one_range(repo: Repo, local: LocalHub, hub: Hub, model: bytes) -> None:
    opened = hub.repository(repo.id)
    assert hub.header(opened, opened.variants[0].files[0]).name == "Tiny"
    assert local.ranges("tiny-F32.gguf") == [f"bytes=0-{len(model) - 1}"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:2000], "ends in the middle"),
        (lambda data: b"PK" + data[2:], "does not begin with GGUF"),
        (lambda data: data[:8] + b"\xff" * 8 + data[16:], "claims to have"),
    ],
)
def test_a_hostile_header_is_refused_as_a_local_one(local: LocalHub, hub: Hub, model: bytes, spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    data = spoil(model)
    local.add(Repo("evil/x", {"x.gguf": data}, sizes={"x.gguf": len(data)}))
    opened = hub.repository("evil/x")
    with pytest.raises(ModelFileInvalid, match=says):
        hub.header(opened, opened.variants[0].files[0])


def test_a_header_without_end_is_given_up(local: LocalHub, hub: Hub, tmp_path: Path) -> None:
    """A text of 16 MB in each of many values: each is allowed to be there, all together are not."""
    pairs = [string("general.architecture", "llama"), *(string(f"k{n}", b"x" * (4 << 20)) for n in range(12))]
    data = Raw(pairs=pairs).write(tmp_path / "x.gguf").read_bytes()
    local.add(Repo("evil/x", {"x.gguf": data}))
    opened = hub.repository("evil/x")
    with pytest.raises(ModelFileInvalid):
        hub.header(opened, opened.variants[0].files[0])


def test_more_than_was_asked_for_is_not_taken(repo: Repo, hub: Hub) -> None:
    repo.fault = Fault(too_long=True)
    opened = hub.repository(repo.id)
    assert hub.header(opened, opened.variants[0].files[0]).name == "Tiny"


def test_a_file_that_shrinks_while_it_is_read_is_refused(repo: Repo, hub: Hub, model: bytes) -> None:
    opened = hub.repository(repo.id)
    repo.files["tiny-F32.gguf"] = model[:300]
    with pytest.raises(ModelFileInvalid, match="not the one that the Hub lists"):
        hub.header(opened, opened.variants[0].files[0])


@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=3000), reads=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 900))))
def test_reading_by_ranges_is_reading(data: bytes, reads: list[tuple[int, int]]) -> None:
    """Whatever is read in whatever order, by windows of a few bytes."""

    class Response:
        status_code = 206

        def __init__(self, part: bytes) -> None:
            self.headers: dict[str, str] = {"content-range": f"bytes 0-0/{len(data)}"}
            self._part = part

        def iter_raw(self) -> Iterator[bytes]:
            yield from (self._part[at : at + 7] for at in range(0, len(self._part), 7))

    file = Ranged(lambda start, end: nullcontext(Response(data[start:end])), size=len(data), address="x")
    file._next = 16
    for position, count in reads:
        place = min(position, len(data))
        file.seek(place)
        assert file.read(count) == data[place : place + count]


def test_a_split_model_s_headers_are_one(local: LocalHub, hub: Hub, parts: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in parts.items():
        (tmp_path / name).write_bytes(data)
    local.add(Repo("org/split", parts))
    opened = hub.repository("org/split")
    header, true = hub.whole_header(opened, opened.variants[0]), reader.read(tmp_path / next(iter(parts)))
    assert (header.total_size, header.parameters) == (true.total_size, true.parameters)
    assert list(header.all_tensors) == list(true.all_tensors)


def test_parts_of_different_models_are_refused(local: LocalHub, hub: Hub, parts: dict[str, bytes]) -> None:
    first, second = parts
    local.add(Repo("org/mixed", {first: parts[first], second: parts[first]}))
    opened = hub.repository("org/mixed")
    with pytest.raises(ModelFileInvalid, match="another model's"):
        hub.whole_header(opened, opened.variants[0])


def test_a_split_header_needs_no_other_part(local: LocalHub, hub: Hub, parts: dict[str, bytes]) -> None:
    local.add(Repo("org/split", parts))
    opened = hub.repository("org/split")
    assert hub.header(opened, opened.variants[0].files[0]).block_count == 1


def test_reading_from_anything_is_as_reading_a_file(tmp_path: Path) -> None:
    path = tiny(tmp_path / "tiny.gguf")
    with path.open("rb") as file:
        assert reader.read_from(file, size=path.stat().st_size, name=path) == reader.read_one(path)
