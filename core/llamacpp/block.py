"""Quantizes blocks with ggml's own code: `python -m core.llamacpp.block`, started by core/gguf/block_view.py.

Takes a `Task` and says frames (core/gguf/block_wire.py). Reads only the rows that are asked for; the other side has
checked that they are in the file. ggml asserts instead of raising, hence a process of its own.
"""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from core.gguf.block_wire import (
    BINS,
    SPAN,
    Encoded,
    Error,
    Frame,
    Measured,
    MeasureErrors,
    Rows,
    ShowBlock,
    Shown,
    decode_task,
    encode,
)
from core.llamacpp.bindings import extensions, libraries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_F32 = 0
_floats = ctypes.POINTER(ctypes.c_float)


class _Traits(ctypes.Structure):
    """`struct ggml_type_traits` of ggml.h."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, _floats, ctypes.c_int64)),
        ("from_float_ref", ctypes.c_void_p),
    )


_ggml = extensions.load_shared_library("ggml-base", libraries)
_ggml.ggml_get_type_traits.restype = ctypes.POINTER(_Traits)
_ggml.ggml_get_type_traits.argtypes = [ctypes.c_int]
_ggml.ggml_row_size.restype = ctypes.c_size_t
_ggml.ggml_row_size.argtypes = [ctypes.c_int, ctypes.c_int64]
_ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
_ggml.ggml_quantize_chunk.argtypes = [
    ctypes.c_int,
    _floats,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_int64,
    _floats,
]


def _dequantized(type: int, data: bytes, count: int) -> Array:
    if type == _F32:
        return np.frombuffer(data, dtype=np.float32, count=count)
    values = np.empty(count, dtype=np.float32)
    traits = _ggml.ggml_get_type_traits(type).contents
    traits.to_float(data, values.ctypes.data_as(_floats), count)
    return values


def _quantized(type: int, values: Array) -> bytes:
    """Of rows × weights."""
    rows, length = values.shape
    plain = np.ascontiguousarray(values, dtype=np.float32)
    out = ctypes.create_string_buffer(_ggml.ggml_row_size(type, length) * rows)
    _ggml.ggml_quantize_chunk(type, plain.ctypes.data_as(_floats), out, 0, rows, length, None)
    return out.raw


def _read(rows: Rows, chosen: list[int]) -> Array:
    """These rows, as 32-bit floating point."""
    size = _ggml.ggml_row_size(rows.type, rows.length)
    found = np.empty((len(chosen), rows.length), dtype=np.float32)
    with open(rows.path, "rb") as file:  # noqa: PTH123
        for place, row in enumerate(chosen):
            file.seek(rows.position + row * size)
            data = file.read(size)
            if len(data) < size:
                raise SystemExit(f"{rows.path} became shorter while it was read")
            found[place] = _dequantized(rows.type, data, rows.length)
    return found


def _show(task: ShowBlock) -> Shown:
    weights = _read(task.rows, [task.row])[0, task.start : task.start + task.count]
    encoded = []
    for name, type, block in task.types:
        if len(weights) % block == 0:
            data = _quantized(type, weights.reshape(1, -1))
            encoded.append(Encoded(name, data, _dequantized(type, data, len(weights)).tolist()))
    return Shown(weights.tolist(), encoded)


def _measured(rows: Rows, task: MeasureErrors) -> Measured:
    used = min(rows.count, max(task.most // rows.length, 1))
    weights = _read(rows, [rows.count * place // used for place in range(used)])
    rms = _rms(weights)
    errors = []
    for name, type, block in task.types:
        if rows.length % block == 0:
            data = _quantized(type, weights)
            made = _dequantized(type, data, weights.size).reshape(weights.shape)
            errors.append(_error(name, weights, made, rms))
    return Measured(rows.name, weights.size, rows.length * rows.count, rms, _histogram(weights, rms), errors)


def _error(name: str, weights: Array, made: Array, rms: float) -> Error:
    difference = made - weights
    rmse = _rms(difference)
    both = _rms(made) * rms
    cosine = float(np.mean(weights.astype(np.float64) * made)) / both if both else 1.0
    largest = float(np.abs(difference).max())
    return Error(name, rmse, rmse / rms if rms else 0.0, cosine, largest, _histogram(difference, rmse))


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _histogram(values: Array, unit: float) -> list[int]:
    edge = SPAN * unit or 1.0
    counts: list[int] = np.histogram(values, bins=BINS, range=(-edge, edge))[0].tolist()
    return counts


def _say(frame: Frame) -> None:
    sys.stdout.buffer.write(encode(frame) + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Reads the task from standard input."""
    task: Any = decode_task(sys.stdin.buffer.readline())
    if isinstance(task, ShowBlock):
        _say(_show(task))
    else:
        for rows in task.tensors:
            _say(_measured(rows, task))
    return 0


if __name__ == "__main__":
    sys.exit(main())
