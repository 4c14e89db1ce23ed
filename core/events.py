"""What comes back from a model: a stream of frozen values, the last of them `Finished`.

Every value encodes to JSON with its class name as `type` (`msgspec.json.encode`) and decodes again with
`msgspec.json.decode(data, type=Event)`: over the wall, into the store, to a browser.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.messages import Overflow

FinishReason = Literal["stop", "length", "context", "cancelled", "cut", "content_filter", "tool_calls"]
"""Why an answer ended: `stop` an end token or a stop string; `length` max_tokens reached; `context` the context is
full; `cancelled` a person or a client stopped it; `cut` it was interrupted (a dead process, nobody following);
`content_filter` the provider held the rest back, or the model refused; `tool_calls` it asks for tools to be run."""

Origin = Literal["system", "history", "documents", "tools", "question", "answer"]
"""Where a token in the context comes from; what is left of the context is *free*."""


class _Event(msgspec.Struct, frozen=True, tag_field="type", tag=True):
    pass


class Alternative(msgspec.Struct, frozen=True):
    """A token that could have stood here: text, id and natural-log probability under the model, before sampling.

    `id` is None where a server does not tell it.
    """

    text: str
    id: int | None
    logprob: float


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One generated token.

    `at`: seconds from the request being handed over to this token, on the system-wide clock of `time.perf_counter`
    (a child process's stamps and ours are on one clock). `logprob` and `top` only where log-probabilities were asked.
    `id` is None where a server does not tell it.
    """

    id: int | None
    text: str
    at: float
    logprob: float | None = None
    top: tuple[Alternative, ...] = ()


class Routed(_Event, frozen=True):
    """A route chose this model; said before anything else of its answer, and again when it chose another.

    `reason`: why, an English sentence to be translated, with `values` for its {placeholders}.
    """

    model_id: str
    model_name: str
    reason: str
    values: dict[str, str] = {}


class Loading(_Event, frozen=True):
    """The model is being loaded; `fraction` from 0 to 1."""

    fraction: float


class Queued(_Event, frozen=True):
    """Waiting for a free place; `position` 1 is next, 0: its turn has come, and the model is asked now."""

    position: int


class Prefill(_Event, frozen=True):
    """The prompt is being read: `done` of `total` tokens, `cached` of them reused from an earlier request.

    `by_origin` and `context_length` as in `Usage`: an answer that is stopped is described from here.
    """

    done: int
    total: int
    cached: int
    by_origin: dict[Origin, int] = {}
    context_length: int | None = None


class Trimmed(_Event, frozen=True):
    """The conversation did not fit, and this much of it was left out, as the named policy says."""

    policy: Overflow
    dropped_messages: int
    dropped_tokens: int


class Text(_Event, frozen=True):
    """A piece of the answer. `text` is empty while a token is held back: half a character, half a stop string."""

    text: str
    tokens: tuple[Token, ...] = ()


class Reasoning(_Event, frozen=True):
    """A piece of the model's thinking, told apart from the answer."""

    text: str
    tokens: tuple[Token, ...] = ()


class ToolCall(_Event, frozen=True):
    """The model asks for a tool to be run. `arguments`: JSON as the model wrote it, checked by nobody."""

    id: str
    name: str
    arguments: str


class Idle(_Event, frozen=True):
    """Nothing new for a tenth of a second. Lets whoever reads the stream stop it while the model is busy."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, counted by the tokenizer or by the server; `estimated` says that neither did.

    `by_origin`: prompt tokens by where they come from; sums to `prompt_tokens` where known, else empty.
    `context_length`: the context's size in tokens, None when unknown.
    `thinking_tokens`: generated tokens that were thinking and not answer; None when unknown.
    """

    prompt_tokens: int
    generated_tokens: int
    cached_tokens: int = 0
    estimated: bool = False
    by_origin: dict[Origin, int] = {}
    context_length: int | None = None
    thinking_tokens: int | None = None


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time went, in seconds and tokens a second. The definitions are in core/metrics.py; None: unknown.

    `at`: for each generated token, seconds since the request was handed over; charts are drawn from it. Empty where a
    server tells no tokens apart.
    `thinking_s`: from the first piece of thinking to the first of the answer; None where the model did not think.
    `server`: what the server itself reports (llama.cpp's `timings`), under its own names and units.
    """

    load_s: float | None = None
    queue_s: float | None = None
    prefill_s: float | None = None
    ttft_s: float | None = None
    decode_s: float | None = None
    end_to_end_s: float | None = None
    prompt_rate: float | None = None
    decode_rate: float | None = None
    inter_token_latency_median_s: float | None = None
    inter_token_latency_p95_s: float | None = None
    at: tuple[float, ...] = ()
    thinking_s: float | None = None
    server: dict[str, float] = {}


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer cost. `reported`: the provider said so; else tokens times its list price of the day `as_of`."""

    amount: float
    currency: str = "USD"
    reported: bool = False
    as_of: str | None = None


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer took of electricity, in watt-hours, between `low` and `high`.

    `measured`: by a meter of this machine while it ran; else estimated. The two are never added, compared or drawn as
    one. `method`: the meter, or the estimating package with its version. `assumptions`: English sentences to be
    translated, with `values` for their {placeholders}.
    """

    low: float
    high: float
    measured: bool
    method: str
    assumptions: tuple[str, ...] = ()
    values: dict[str, str | float] = {}


class Finished(_Event, frozen=True):
    """The last event of every stream that did not raise. `cost`: None where nothing is paid, or it is unknown.

    `energy`: as measured while it ran; None where nothing measures. An estimate is made from the rest when asked for.
    """

    reason: FinishReason
    usage: Usage
    timings: Timings = Timings()
    cost: Cost | None = None
    energy: Energy | None = None


Event = Routed | Loading | Queued | Prefill | Trimmed | Text | Reasoning | ToolCall | Idle | Finished
