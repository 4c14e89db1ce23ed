"""What rounding does to the weights of a tensor: one block taken apart, step by step, and the error by tensor and type.

Quantized by ggml's own code in a process of its own (core/llamacpp/block.py), taken apart here (core/gguf/unpack.py).
Works from any source: of a quantized one, its weights as they are now are the original. Raises `QuantizeFailed`, and
what reading a file raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import msgspec

from core import child
from core.child import ChildDied
from core.errors import QuantizeFailed, SettingInvalid
from core.gguf.block_wire import Measured, MeasureErrors, Rows, ShowBlock, Shown, Task, decode_frame, encode
from core.gguf.blocks import BY_NAME
from core.gguf.header import GGUF, Tensor
from core.gguf.unpack import TYPES, Unpacked, unpack

_MODULE = "core.llamacpp.block"
LIMIT_S = 120.0

SUPER = 256
"""Weights of a super-block: what is looked at, where the row has as many."""

SMALL = 32
LADDER: tuple[str, ...] = ("Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")
"""From 8 bits to 2, in super-blocks."""

SIMPLE: tuple[str, ...] = ("Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")
"""The same in blocks of 32, which go down to 4 bits."""

MOST_WEIGHTS = 1 << 18
"""Of a tensor, for its error: more change nothing in the second digit."""


class Step(msgspec.Struct, frozen=True):
    """One type's rendering of a block: `weights` as they come back, and how they are kept."""

    type: str
    bits_per_weight: float
    weights: tuple[float, ...]
    numbers: tuple[int, ...]
    scales: tuple[float, ...]
    minimums: tuple[float, ...]
    group: int
    bits: int
    low: int
    rmse: float


class Block(msgspec.Struct, frozen=True):
    """Weights that follow each other in a row, as they are in the file, and each step's rendering of them."""

    tensor: str
    row: int
    start: int
    weights: tuple[float, ...]
    steps: tuple[Step, ...]


def candidates(gguf: GGUF) -> list[Tensor]:
    """Tensors that quantizing is about: rows of whole small blocks, more than one row."""
    return [t for t in gguf.all_tensors if len(t.shape) > 1 and t.shape[1] > 1 and t.shape[0] % SMALL == 0]


def blocks_in_row(tensor: Tensor) -> int:
    """How many of them a row has: super-blocks, or small ones where it is no whole number of super-blocks."""
    return tensor.shape[0] // width(tensor)


def width(tensor: Tensor) -> int:
    """Weights of a block that is looked at."""
    return SUPER if tensor.shape[0] % SUPER == 0 else SMALL


def rows_of(tensor: Tensor) -> int:
    """Rows of a tensor."""
    return tensor.elements // tensor.shape[0]


def block(gguf: GGUF, name: str, *, row: int = 0, number: int = 0, types: Sequence[str] = ()) -> Block:
    """A block of a tensor. `types`: names of `unpack.TYPES`; none: `LADDER`, or `SIMPLE` where rows are no whole
    super-blocks."""
    part, tensor = _found(gguf, name)
    size = width(tensor)
    for setting, value, most in (("row", row, rows_of(tensor)), ("block", number, blocks_in_row(tensor))):
        if not 0 <= value < most:
            raise SettingInvalid(setting=setting, value=value, allowed=f"0 … {most - 1}")
    wanted = tuple(types) or (LADDER if size == SUPER else SIMPLE)
    if unknown := [one for one in wanted if one not in TYPES]:
        raise SettingInvalid(setting="type", value=unknown[0], allowed=", ".join(TYPES))
    task = ShowBlock(_rows(part, tensor), row, number * size, size, _numbered(wanted))
    (shown,) = _asked(task, gguf)
    assert isinstance(shown, Shown)
    steps = tuple(_step(one.type, one.weights, unpack(one.type, one.data), shown.weights) for one in shown.encoded)
    return Block(tensor.name, row, number * size, tuple(shown.weights), steps)


def errors(
    gguf: GGUF,
    types: Sequence[str],
    *,
    names: Sequence[str] = (),
    most: int = MOST_WEIGHTS,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> list[Measured]:
    """How far each type is from each tensor (`names`; none: all `candidates`), on at most `most` weights of each."""
    chosen = [_found(gguf, name) for name in names] or [_found(gguf, tensor.name) for tensor in candidates(gguf)]
    for type in types:
        if type not in TYPES:
            raise SettingInvalid(setting="type", value=type, allowed=", ".join(TYPES))
    task = MeasureErrors([_rows(part, tensor) for part, tensor in chosen], _numbered(types), most)
    found: list[Measured] = []
    try:
        with closing(child.frames(_MODULE, encode(task), decode_frame)) as said:
            for frame in said:
                assert isinstance(frame, Measured)
                found.append(frame)
                if on_progress is not None:
                    on_progress(len(found), len(chosen), frame.name)
    except ChildDied as error:
        raise QuantizeFailed(model=gguf.path.name, type=", ".join(types), detail=str(error)) from error
    return found


def part(block: Block, number: int) -> Block:
    """The 32 weights number `number` of a block, with the same numbers and scales: easier to see than all of them."""
    begin, end = number * SMALL, (number + 1) * SMALL
    steps = tuple(
        msgspec.structs.replace(
            step,
            weights=step.weights[begin:end],
            numbers=step.numbers[begin:end],
            scales=step.scales[begin // step.group : end // step.group],
            minimums=step.minimums[begin // step.group : end // step.group],
            rmse=_rmse(step.weights[begin:end], block.weights[begin:end]),
        )
        for step in block.steps
    )
    return msgspec.structs.replace(block, start=block.start + begin, weights=block.weights[begin:end], steps=steps)


def _rmse(made: Sequence[float], weights: Sequence[float]) -> float:
    square = sum((a - b) ** 2 for a, b in zip(made, weights, strict=True)) / len(weights)
    return float(square**0.5)


def _found(gguf: GGUF, name: str) -> tuple[GGUF, Tensor]:
    for part in (gguf, *gguf.parts):
        for tensor in part.tensors:
            if tensor.name == name:
                return part, tensor
    raise SettingInvalid(setting="tensor", value=repr(name[:80]), allowed="a tensor of this file")


def _rows(part: GGUF, tensor: Tensor) -> Rows:
    position = part.data_offset + tensor.offset
    return Rows(tensor.name, str(part.path), position, tensor.type.id, tensor.shape[0], rows_of(tensor))


def _numbered(types: Sequence[str]) -> list[tuple[str, int, int]]:
    return [(name, BY_NAME[name].id, BY_NAME[name].block_size) for name in types]


def _step(type: str, made: Sequence[float], kept: Unpacked, weights: Sequence[float]) -> Step:
    return Step(
        type=type,
        bits_per_weight=BY_NAME[type].bits_per_weight,
        weights=tuple(made),
        numbers=tuple(kept.numbers.tolist()),
        scales=tuple(kept.scales.tolist()),
        minimums=tuple(kept.minimums.tolist()),
        group=kept.group,
        bits=kept.bits,
        low=kept.low,
        rmse=_rmse(made, weights),
    )


def _asked(task: Task, gguf: GGUF) -> list[Shown | Measured]:
    try:
        with closing(child.frames(_MODULE, encode(task), decode_frame, limit_s=LIMIT_S)) as said:
            return list(said)
    except ChildDied as error:
        raise QuantizeFailed(model=gguf.path.name, type="?", detail=str(error)) from error
