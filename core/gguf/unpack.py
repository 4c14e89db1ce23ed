"""Blocks taken apart: the whole numbers, scales and minimums that a quantized type keeps instead of its weights.

weight ≈ scale × number + minimum, with a scale and a minimum for each group of 16 or 32 weights. Layouts are those of
the `block_*` structs (ggml/src/ggml-common.h) and `dequantize_row_*` (ggml/src/ggml-quants.c) of ggml; the tests hold
every one of them against ggml's own dequantizing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True)
class Unpacked:
    """`numbers`: one for each weight. `scales`, `minimums`: float32, one for each group of `group` weights. `bits`: of
    a number; it is in `low` … `low` + 2^bits − 1."""

    numbers: Array
    scales: Array
    minimums: Array
    group: int
    bits: int
    low: int

    @property
    def weights(self) -> Array:
        """What the numbers stand for, in 32-bit floating point as ggml computes it."""
        numbers = self.numbers.astype(self.scales.dtype)
        weights: Array = self.scales.repeat(self.group) * numbers + self.minimums.repeat(self.group)
        return weights


def unpack(type: str, data: bytes) -> Unpacked:
    """The blocks of one type, whole ones only. Raises `KeyError` for a type that is not in `TYPES`."""
    import numpy as np

    return TYPES[type](np.frombuffer(data, dtype=np.uint8))


def _halves(blocks: Array, at: int) -> Array:
    """The 16-bit floating-point number at a place of each block, as 32-bit ones."""
    import numpy as np

    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)[:, 0]


def _nibbles(packed: Array) -> Array:
    """Low halves of the bytes of each block, then the high ones."""
    import numpy as np

    return np.concatenate([packed & 15, packed >> 4], axis=1)


def _q8_0(data: Array) -> Unpacked:
    import numpy as np

    blocks = data.reshape(-1, 34)
    numbers = np.ascontiguousarray(blocks[:, 2:]).view(np.int8).astype(int)
    scales = _halves(blocks, 0)
    return Unpacked(numbers.ravel(), scales, np.zeros_like(scales), 32, 8, -128)


def _simple(data: Array, *, size: int, five: bool, minimum: bool) -> Unpacked:
    """Q4_0, Q4_1, Q5_0, Q5_1: a scale, perhaps a minimum, perhaps the fifth bits, then nibbles."""
    import numpy as np

    blocks = data.reshape(-1, size)
    at = 4 if minimum else 2
    high = np.zeros((len(blocks), 32), dtype=int)
    if five:
        bits = np.unpackbits(blocks[:, at : at + 4], axis=1, bitorder="little")
        high, at = bits.astype(int) << 4, at + 4
    numbers = _nibbles(blocks[:, at:]).astype(int) | high
    scales, bits_each = _halves(blocks, 0), 5 if five else 4
    low = 0 if minimum else -(1 << (bits_each - 1))
    minimums = _halves(blocks, 2) if minimum else np.zeros_like(scales)
    return Unpacked((numbers + low).ravel(), scales, minimums, 32, bits_each, low)


def _fields(packed: Array, *, bits: int) -> Array:
    """Fields of 2 bits as K-quants lay them: every 32 bytes are four runs of 32, the lowest bits first."""
    import numpy as np

    runs = packed.reshape(len(packed), -1, 1, 32)
    shifts = np.arange(0, 8, bits, dtype=np.uint8).reshape(1, 1, -1, 1)
    return ((runs >> shifts) & ((1 << bits) - 1)).reshape(len(packed), -1).astype(int)


def _q2_k(data: Array) -> Unpacked:
    blocks = data.reshape(-1, 84)
    packed = blocks[:, :16]
    scales = _halves(blocks, 80)[:, None] * (packed & 15)
    minimums = -_halves(blocks, 82)[:, None] * (packed >> 4)
    return Unpacked(_fields(blocks[:, 16:80], bits=2).ravel(), scales.ravel(), minimums.ravel(), 16, 2, 0)


def _q3_k(data: Array) -> Unpacked:
    import numpy as np

    blocks = data.reshape(-1, 110)
    high = np.unpackbits(blocks[:, :32].reshape(-1, 32, 1), axis=2, bitorder="little")
    fourth = high.transpose(0, 2, 1).reshape(len(blocks), 256).astype(int) << 2
    packed = blocks[:, 96:108].astype(int)
    low = np.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1)
    upper = np.concatenate([(packed[:, 8:] >> shift) & 3 for shift in (0, 2, 4, 6)], axis=1)
    scales = _halves(blocks, 108)[:, None] * ((low | upper << 4) - 32).astype(np.float32)
    numbers = (_fields(blocks[:, 32:96], bits=2) | fourth) - 4
    return Unpacked(numbers.ravel(), scales.ravel(), np.zeros_like(scales.ravel()), 16, 3, -4)


def _six_bit_pairs(packed: Array) -> tuple[Array, Array]:
    """The eight scales and eight minimums that Q4_K and Q5_K keep in 12 bytes (`get_scale_min_k4`)."""
    import numpy as np

    first, second, third = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.concatenate([first & 63, (third & 15) | (first >> 6) << 4], axis=1)
    minimums = np.concatenate([second & 63, (third >> 4) | (second >> 6) << 4], axis=1)
    return scales, minimums


def _four_or_five(data: Array, *, size: int, five: bool) -> Unpacked:
    import numpy as np

    blocks = data.reshape(-1, size)
    scales, minimums = _six_bit_pairs(blocks[:, 4:16])
    numbers = _fields(blocks[:, size - 128 :], bits=4)
    if five:
        bits = np.unpackbits(blocks[:, 16:48].reshape(-1, 32, 1), axis=2, bitorder="little")
        numbers |= bits.transpose(0, 2, 1).reshape(len(blocks), 256).astype(int) << 4
    return Unpacked(
        numbers.ravel(),
        (_halves(blocks, 0)[:, None] * scales).ravel(),
        (-_halves(blocks, 2)[:, None] * minimums).ravel(),
        32,
        5 if five else 4,
        0,
    )


def _q6_k(data: Array) -> Unpacked:
    import numpy as np

    blocks = data.reshape(-1, 210)
    low = blocks[:, :128].reshape(-1, 2, 1, 64) >> np.array([0, 4], dtype=np.uint8).reshape(1, 1, 2, 1)
    numbers = (low & 15).reshape(len(blocks), 256).astype(int) | _fields(blocks[:, 128:192], bits=2) << 4
    each = np.ascontiguousarray(blocks[:, 192:208]).view(np.int8).astype(np.float32)
    scales = (_halves(blocks, 208)[:, None] * each).ravel()
    return Unpacked((numbers - 32).ravel(), scales, np.zeros_like(scales), 16, 6, -32)


TYPES: dict[str, Callable[[Array], Unpacked]] = {
    "Q8_0": _q8_0,
    "Q6_K": _q6_k,
    "Q5_K": lambda data: _four_or_five(data, size=176, five=True),
    "Q5_1": lambda data: _simple(data, size=24, five=True, minimum=True),
    "Q5_0": lambda data: _simple(data, size=22, five=True, minimum=False),
    "Q4_K": lambda data: _four_or_five(data, size=144, five=False),
    "Q4_1": lambda data: _simple(data, size=20, five=False, minimum=True),
    "Q4_0": lambda data: _simple(data, size=18, five=False, minimum=False),
    "Q3_K": _q3_k,
    "Q2_K": _q2_k,
}
"""The types that can be taken apart, from the most bits to the fewest."""
