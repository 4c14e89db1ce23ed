"""What passes between a page that looks at blocks and the process that quantizes them."""

from __future__ import annotations

import msgspec


class Rows(msgspec.Struct, frozen=True):
    """Where a tensor's rows are: `position` in the file, `type` an `enum ggml_type`, `length` weights a row."""

    name: str
    path: str
    position: int
    type: int
    length: int
    count: int


class ShowBlock(msgspec.Struct, frozen=True, tag=True):
    """Asks for `count` weights of a row from `start` on, and what each of `types` makes of them."""

    rows: Rows
    row: int
    start: int
    count: int
    types: list[tuple[str, int, int]]
    """Name, number, weights of a block."""


class MeasureErrors(msgspec.Struct, frozen=True, tag=True):
    """Asks how far each of `types` is from each tensor, on at most `most` weights of each, in rows spread evenly."""

    tensors: list[Rows]
    types: list[tuple[str, int, int]]
    most: int


class _Frame(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pass


class Encoded(msgspec.Struct, frozen=True):
    """What one type makes of the weights: the bytes of its blocks, and the weights that those stand for."""

    type: str
    data: bytes
    weights: list[float]


class Shown(_Frame, frozen=True):
    """The weights as they are in the file, and by type; a type whose blocks do not divide them is left out."""

    weights: list[float]
    encoded: list[Encoded]


class Error(msgspec.Struct, frozen=True):
    """How far a type is from a tensor. rmse: root of the mean square; relative: to that of the weights; cosine: of the
    angle between both; largest: of a single weight. histogram: errors by size, in `BINS` steps over ± `SPAN` × rmse."""

    type: str
    rmse: float
    relative: float
    cosine: float
    largest: float
    histogram: list[int]


class Measured(_Frame, frozen=True):
    """One tensor: `weights` of its `of` were used; `rms` is the root of their mean square. histogram: of the weights
    themselves, in `BINS` steps over ± `SPAN` × rms."""

    name: str
    weights: int
    of: int
    rms: float
    histogram: list[int]
    errors: list[Error]


BINS, SPAN = 61, 4.0

Task = ShowBlock | MeasureErrors
Frame = Shown | Measured

encode = msgspec.json.encode
decode_task = msgspec.json.Decoder(Task).decode
decode_frame = msgspec.json.Decoder(Frame).decode
