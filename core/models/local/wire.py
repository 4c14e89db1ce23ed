"""What passes between the server and a model's process: one JSON value a line, over the child's stdin and stdout.

The child takes `ToWorker` and says `FromWorker`. It ends when its stdin closes. Nothing is pickled.
"""

from __future__ import annotations

from typing import Any

import msgspec

from core.events import Event, Origin
from core.messages import ChatRequest
from core.models.local.model_settings import ModelSettings


class _Frame(msgspec.Struct, frozen=True, tag_field="op", tag=True):
    pass


class Load(_Frame, frozen=True):
    """The first frame: which file, and how. `name` is what error messages call the model."""

    path: str
    name: str
    settings: ModelSettings


class Start(_Frame, frozen=True):
    """A request. `handed_over`: `time.perf_counter()` when the request was handed over, on the system-wide clock.
    `more`: others are about to come."""

    id: int
    request: ChatRequest
    handed_over: float
    more: bool = False


class Cancel(_Frame, frozen=True):
    """Ends a request at the next token; its `Finished` says cancelled."""

    id: int


class Threads(_Frame, frozen=True):
    """From the next token on, so many threads."""

    number: int


class Count(_Frame, frozen=True):
    """Asks how many prompt tokens a request has, and where they come from, without answering it. → `Counted`"""

    id: int
    request: ChatRequest


class Tokenize(_Frame, frozen=True):
    """Asks for a text's tokens. `special`: control tokens written in the text are recognised. → `Tokenized`"""

    id: int
    text: str
    special: bool = False


class Detokenize(_Frame, frozen=True):
    """Asks for the text of tokens. → `Detokenized`"""

    id: int
    ids: list[int]


class Embed(_Frame, frozen=True):
    """Asks for a vector for each text. → `Embedded`"""

    id: int
    texts: list[str]


class Progress(_Frame, frozen=True):
    """Loading, `fraction` from 0 to 1."""

    fraction: float


class Ready(_Frame, frozen=True):
    """Loaded: what the model turned out to be, and what it was loaded with."""

    context_length: int
    trained_context: int
    threads: int
    vocabulary: int
    has_template: bool
    can_share_prefix: bool
    load_s: float


class Prepared(_Frame, frozen=True):
    """A request's prompt, sampler and grammar have been made, and it waits to be computed."""

    id: int


class Events(_Frame, frozen=True):
    """What one turn of the decode loop brought: (request, event) in the order they happened."""

    items: list[tuple[int, Event]]


class Raised(_Frame, frozen=True):
    """A request, or the loading (id 0), failed: `WorkbenchError.to_dict()`."""

    id: int
    error: dict[str, Any]


class Counted(_Frame, frozen=True):
    """Prompt tokens of a request, by origin, and whether its policy would have to leave something out."""

    id: int
    prompt_tokens: int
    by_origin: dict[Origin, int]
    dropped_messages: int
    dropped_tokens: int


class Tokenized(_Frame, frozen=True):
    """Token ids and the text of each."""

    id: int
    ids: list[int]
    pieces: list[str]


class Detokenized(_Frame, frozen=True):
    """The text of tokens, control tokens spelled out, half characters as U+FFFD."""

    id: int
    text: str


class Embedded(_Frame, frozen=True):
    """A vector of length 1 for each text, and how many tokens they had together."""

    id: int
    vectors: list[list[float]]
    prompt_tokens: int


ToWorker = Load | Start | Cancel | Threads | Count | Tokenize | Detokenize | Embed
FromWorker = Progress | Ready | Prepared | Events | Raised | Counted | Tokenized | Detokenized | Embedded

encode = msgspec.json.encode
decode_to_worker = msgspec.json.Decoder(ToWorker).decode
decode_from_worker = msgspec.json.Decoder(FromWorker).decode
