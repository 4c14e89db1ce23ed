"""What passes between a page that looks at a tokenizer and the process that has it: one task, a few values back."""

from __future__ import annotations

from typing import Any

import msgspec


class Look(msgspec.Struct, frozen=True):
    """Asks for the tokens of texts (`special`: control tokens spelled in them are recognised), and, with `render`, for
    the chat template's rendering of an example. The model's weights are not loaded."""

    path: str
    texts: list[str]
    special: bool = False
    render: list[dict[str, str]] | None = None


class _Frame(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pass


class Tokens(_Frame, frozen=True):
    """The tokens of one text: ids, and the bytes of each."""

    ids: list[int]
    pieces: list[bytes]


class Rendered(_Frame, frozen=True):
    """The prompt as the model gets it, up to where its answer begins. `own`: the file has a template of its own."""

    text: str
    own: bool


class Failed(_Frame, frozen=True):
    """`WorkbenchError.to_dict()`"""

    error: dict[str, Any]


Frame = Tokens | Rendered | Failed

encode = msgspec.json.encode
decode_look = msgspec.json.Decoder(Look).decode
decode_frame = msgspec.json.Decoder(Frame).decode
