"""What programs send, as Structs; names that are not here are ignored, as OpenAI's and llama.cpp's servers do.

Every parameter may be null, which is the same as leaving it out.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

import msgspec
from starlette.requests import Request

from core.errors import BodyInvalid, BodyTooLarge

LIMIT = 16 << 20
"""Bytes of a body that are kept."""

DRAINED = 64 << 20
"""Bytes that are read and thrown away, so that a client that sends too much gets to read why that is refused."""

T = TypeVar("T")

_PARAMETER = re.compile(r"`\$\.(\w+)")


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """`model`: an id that /v1/models lists; left out, the model that comes with the workbench."""

    model: str | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool | None = None


class Generating(_Body, frozen=True, kw_only=True):
    """What /v1/chat/completions and /v1/completions have in common; from `top_k` on, llama.cpp's names."""

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    max_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[int, float] | list[tuple[int, float | bool]] | None = None
    top_k: int | None = None
    min_p: float | None = None
    typical_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    dry_penalty_last_n: int | None = None
    dry_sequence_breakers: tuple[str, ...] | None = None
    xtc_probability: float | None = None
    xtc_threshold: float | None = None
    mirostat: Literal[0, 2] | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    grammar: str | None = None
    json_schema: dict[str, Any] | None = None
    ignore_eos: bool | None = None
    n_predict: int | None = None


class Part(msgspec.Struct, frozen=True):
    """A part of a message's content; only text can be taken."""

    type: str
    text: str | None = None


class CalledFunction(msgspec.Struct, frozen=True):
    name: str
    arguments: str = ""


class CalledTool(msgspec.Struct, frozen=True):
    """A tool call in a message that was said."""

    function: CalledFunction
    id: str = ""


class Said(msgspec.Struct, frozen=True):
    """A message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    tool_calls: list[CalledTool] | None = None
    tool_call_id: str | None = None


class Function(msgspec.Struct, frozen=True):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class OfferedTool(msgspec.Struct, frozen=True):
    function: Function
    type: Literal["function"] = "function"


class ChosenFunction(msgspec.Struct, frozen=True):
    name: str


class ChosenTool(msgspec.Struct, frozen=True):
    function: ChosenFunction


class Schema(msgspec.Struct, frozen=True):
    schema: dict[str, Any] | None = None


class ResponseFormat(msgspec.Struct, frozen=True):
    """`schema`: llama.cpp's, beside the type json_object."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: Schema | None = None
    schema: dict[str, Any] | None = None


class Chat(Generating, frozen=True, kw_only=True):
    """POST /v1/chat/completions."""

    messages: list[Said]
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: ResponseFormat | None = None
    tools: list[OfferedTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | ChosenTool | None = None
    functions: list[Any] | None = None
    modalities: list[str] | None = None
    continue_final_message: bool | None = None


class Completion(Generating, frozen=True, kw_only=True):
    """POST /v1/completions. A prompt is text or token ids; a list holds several."""

    prompt: str | list[str | int | list[int]]
    logprobs: int | None = None
    echo: bool | None = None
    suffix: str | None = None
    best_of: int | None = None


class Embedding(_Body, frozen=True, kw_only=True):
    """POST /v1/embeddings."""

    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None


class Tokenize(_Body, frozen=True, kw_only=True):
    """POST /tokenize."""

    content: str
    add_special: bool | None = None
    parse_special: bool | None = None
    with_pieces: bool | None = None


class Detokenize(_Body, frozen=True, kw_only=True):
    """POST /detokenize."""

    tokens: list[int]


async def read(request: Request, kind: type[T]) -> T:
    """The request's body. Raises `BodyTooLarge`, `BodyInvalid`, or Starlette's `ClientDisconnect`."""
    data, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size > DRAINED:
            break
        if size <= LIMIT:
            data += piece
    if size > LIMIT:
        raise BodyTooLarge(limit_mb=LIMIT >> 20)
    return decoded(bytes(data), kind)


def decoded(data: bytes, kind: type[T]) -> T:
    """A body as its Struct. Raises `BodyInvalid`, with the parameter at fault where there is one."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        found = _PARAMETER.search(str(error))
        raise BodyInvalid(detail=str(error), parameter=found and found[1]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyInvalid(detail=str(error)) from error
    except RecursionError as error:
        raise BodyInvalid(detail="it is nested too deeply") from error
