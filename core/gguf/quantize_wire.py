"""What passes between a quantizing job and its process: the task, and one JSON value a line back."""

from __future__ import annotations

import msgspec


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to make of what. `target` None: only say what it would be.

    file_type: `enum llama_ftype`; output_type, embedding_type: `enum ggml_type`, None as the recipe has it; imatrix: a
    path; max_buffer: bytes of rows kept at once.
    """

    source: str
    target: str | None
    file_type: int
    requantize: bool
    pure: bool
    output_type: int | None
    embedding_type: int | None
    imatrix: str | None
    threads: int
    max_buffer: int


class _Frame(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pass


class TensorPlan(msgspec.Struct, frozen=True):
    """One tensor: its type now, the type it gets, and the type that its recipe meant for it where its rows are no whole
    blocks of that. Names are as in core/gguf/blocks.py."""

    name: str
    before: str
    after: str
    meant: str | None = None


class Planned(_Frame, frozen=True):
    """Every tensor, before the first one is computed. `needs_imatrix`: it cannot be made without one."""

    tensors: list[TensorPlan]
    needs_imatrix: bool


class Step(_Frame, frozen=True):
    """A tensor is about to be computed: the `number`th of `total`."""

    number: int
    total: int
    name: str


class Done(_Frame, frozen=True):
    """The file is written."""


class Failed(_Frame, frozen=True):
    """It could not be made: `detail` in llama.cpp's own words, or those of the matrix' reader."""

    detail: str
    imatrix: bool = False


Frame = Planned | Step | Done | Failed

encode = msgspec.json.encode
decode_task = msgspec.json.Decoder(Task).decode
decode_frame = msgspec.json.Decoder(Frame).decode
