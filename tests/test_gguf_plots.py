"""Figures of files say what the file says, and names in a file are text in them and in tables."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from core import block_plots, gguf_plots
from core.gguf import anatomy, block_view, reader
from core.gguf.blocks import TENSOR_TYPES
from core.gguf_plots import Words
from core.models.local import room
from core.models.local.model_settings import ModelSettings
from core.models.local.room import Memory
from core.plots import MODEL_COLOURS
from tests.gguf.making import Raw, tensor, tiny

PARTS = {"weights": "weights", "kv_cache": "KV <cache>", "compute": "computing"}
BLOCK = {key: key for key in ("original", "number", "scale", "minimum", "error", "play", "stop")}
WORDS = Words(title="x <is> y", x="x", y="y", parts=PARTS)


def lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("dark", [False, True])
def test_the_curve_stacks_its_parts_under_the_machines_memory(smollm: Path, dark: bool) -> None:
    points = room.curve(reader.read(smollm), ModelSettings())
    memories = {"free <1>": Memory("RAM", 10**9, 4 * 10**8), "far": Memory("GPU", 10**12, 10**12)}
    figure = gguf_plots.memory_curve(points, memories, chosen=4096, words=WORDS, dark=dark)
    for trace, part in zip(figure.data, PARTS, strict=True):
        assert trace.stackgroup == "memory"
        assert list(trace.x) == [point.context_length for point in points]
        assert list(trace.y) == [getattr(point.needed, part) / 1e9 for point in points]
    texts = [note.text for note in figure.layout.annotations]
    assert "free &lt;1&gt;" in texts and "far" not in texts and figure.layout.title.text == "x &lt;is&gt; y"
    assert figure.layout.yaxis.range[0] == 0 and figure.layout.yaxis.range[1] > 0.4
    written = lines(gguf_plots.memory_csv(points))
    assert [int(row["total"]) for row in written] == [point.needed.total for point in points]


def test_the_bar_is_all_bytes(smollm: Path) -> None:
    shares = anatomy.shares(reader.read(smollm))
    figure = gguf_plots.share_bar(shares, words=WORDS)
    assert sum(trace.x[0] for trace in figure.data) == pytest.approx(1)
    assert [trace.text[0] for trace in figure.data] == ["Q4_1<br>5 bits", "Q8_0<br>8.5 bits", ""]


def test_the_map_has_a_square_for_each_tensor(smollm: Path) -> None:
    cells = anatomy.layer_map(reader.read(smollm))
    figure = gguf_plots.tensor_map(cells, words=WORDS)
    drawn = {
        row[0]: size for trace in figure.data for row, size in zip(trace.customdata, trace.marker.size, strict=True)
    }
    assert set(drawn) == {cell.tensor.name for cell in cells}
    assert drawn["blk.3.ffn_up.weight"] == drawn["blk.9.ffn_down.weight"] > drawn["blk.3.attn_k.weight"]
    written = lines(gguf_plots.tensors_csv(cells))
    assert {row["tensor"]: int(row["bytes"]) for row in written} == {c.tensor.name: c.tensor.n_bytes for c in cells}


def test_names_of_a_stranger_are_only_text(tmp_path: Path) -> None:
    hostile = Raw(tensors=[tensor("=HYPERLINK(1)<b>x</b>")], data=b"\0" * 32).write(tmp_path / "hostile.gguf")
    cells = anatomy.layer_map(reader.read(hostile))
    figure = gguf_plots.tensor_map(cells, words=WORDS)
    assert figure.data[0].customdata[0][0] == "=HYPERLINK(1)&lt;b&gt;x&lt;/b&gt;"
    assert lines(gguf_plots.tensors_csv(cells))[0]["tensor"].startswith("'=")


def test_a_type_has_one_colour_by_its_bits() -> None:
    for type in TENSOR_TYPES.values():
        assert gguf_plots.type_colour(type.name) in MODEL_COLOURS
    named = [gguf_plots.type_colour(name) for name in ("F16", "Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")]
    assert len(set(named)) == len(named)
    assert gguf_plots.type_colour("no such type") == gguf_plots.type_colour("F32")


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> block_view.Block:
    path = tiny(tmp_path_factory.mktemp("wide") / "wide.gguf", width=256, seed=4)
    return block_view.block(reader.read(path), "blk.0.attn_q.weight")


@pytest.mark.parametrize("dark", [False, True])
def test_each_step_of_a_block_is_a_frame(block: block_view.Block, dark: bool) -> None:
    titles = ["as it is", *(f"{step.type} <now>" for step in block.steps)]
    words = Words(title="", parts=BLOCK)
    figure = block_plots.steps(block, titles, words=words, dark=dark)
    assert [frame.name for frame in figure.frames] == ["f16", *block_view.LADDER]
    assert [step.label for step in figure.layout.sliders[0].steps] == ["f16", *block_view.LADDER]
    assert list(figure.data[3].y) == list(block.weights)
    for frame, step in zip(figure.frames[1:], block.steps, strict=True):
        levels, _lines, squares = frame.data
        assert list(squares.y) == list(step.weights)
        assert frame.layout.title.text == f"{step.type} &lt;now&gt;"
        known = {round(value, 6) for value in levels.y if value is not None}
        assert step.bits > 5 or {round(value, 6) for value in step.weights} <= known
    written = lines(block_plots.block_csv(block))
    assert [float(row["Q2_K_value"]) for row in written] == pytest.approx(list(block.steps[-1].weights))
    for row in written:
        kept = float(row["Q4_K_scale"]) * float(row["Q4_K_number"]) + float(row["Q4_K_minimum"])
        assert kept == pytest.approx(float(row["Q4_K_value"]), abs=1e-6)


def test_histograms_stand_at_their_own_scale(smollm: Path) -> None:
    (found,) = block_view.errors(reader.read(smollm), ["Q8_0", "Q2_K"], names=["blk.0.ffn_down.weight"], most=4096)
    figure = block_plots.histograms(found, words=WORDS)
    assert [trace.name for trace in figure.data] == ["weights", "Q8_0", "Q2_K"]
    assert all(max(trace.y) == 1 for trace in figure.data)
    reach = [max(trace.x) for trace in figure.data]
    assert reach[0] > reach[2] > reach[1]
    written = lines(block_plots.errors_csv([found], {"blk.0.ffn_down.weight": "1536 × 576"}))
    assert [(row["type"], row["shape"]) for row in written] == [("Q8_0", "1536 × 576"), ("Q2_K", "1536 × 576")]
    assert float(written[1]["rmse"]) == pytest.approx(found.errors[1].rmse)
