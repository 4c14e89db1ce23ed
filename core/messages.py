"""What is asked of a model: messages, sampling, one request. Frozen values; knows no model and no page."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]

Overflow = Literal["stop", "rolling", "truncate_middle"]
"""What happens when a conversation does not fit the context:

`stop`: nothing is dropped; a prompt that does not fit is refused, an answer that fills the context ends there.
`rolling`: the oldest messages are dropped, the system prompt stays.
`truncate_middle`: the middle is dropped; the system prompt, the first exchange and the newest messages stay.
"""


ToolChoice = Literal["auto", "none", "required"]
"""Whether tools are called: as the model likes, never, always. The name of one tool is its own choice."""


class Tool(msgspec.Struct, frozen=True):
    """A tool that a model may ask to be run. `parameters`: the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}


class Called(msgspec.Struct, frozen=True):
    """A tool call in a message that was said. `arguments`: JSON as the model wrote it, checked by nobody."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a conversation. `tool_calls`: an assistant's; `tool_call_id`: the call that a tool's answers."""

    role: Role
    content: str
    tool_calls: tuple[Called, ...] = ()
    tool_call_id: str | None = None


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen. Names, ranges and neutral values are llama.cpp's (`common/common.h`).

    `seed=None` draws a new seed for each answer. `temperature=0` is greedy: always the most probable token.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    mirostat: Literal[0, 2] = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    seed: int | None = None
    logit_bias: dict[int, float] = {}


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model, with everything that decides the answer.

    Either `messages` (the chat template makes the prompt) or `prompt` (text or token ids, taken as they are).
    `continue_last`: the last message is an assistant's, and the model goes on writing it.
    `logprobs`: number of alternatives to report with each token's log-probability; None reports none.
    `grammar` is GBNF; `json_schema` a JSON schema; at most one of the two.
    `ignore_end`: go on after an end token, for measurements of a given length.
    `tools`: those that may be called; `tool_choice` names one of them, or says whether.
    """

    messages: tuple[Message, ...] = ()
    prompt: str | tuple[int, ...] | None = None
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    json_schema: dict[str, Any] | None = None
    logprobs: int | None = None
    overflow: Overflow = "stop"
    chat_template: str | None = None
    continue_last: bool = False
    ignore_end: bool = False
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | str = "auto"
