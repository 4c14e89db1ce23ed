"""From a body to requests to a model: one for each answer that is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.api.bodies import Chat, ChosenTool, Completion, Generating, Part, ResponseFormat, Said
from core.errors import N_, ParameterUnsupported, SettingInvalid
from core.messages import Called, ChatRequest, Message, Sampling, Tool, ToolChoice

MOST_ANSWERS = 64
"""Answers to one request: `n` times the number of prompts."""

COMPLETION_TOKENS = 16
"""OpenAI's own limit for /v1/completions where none is given."""

NEVER = -1e9
"""Bias of a token that must not come: llama.cpp's `false`."""

_DRAWN = frozenset({"seed", "logit_bias"})
_SAMPLING = tuple(name for name in Sampling.__struct_fields__ if name not in _DRAWN)

_IMAGE = N_("a local model reads text only")
_OLD_TOOLS = N_("it has been replaced by tools")
_SOUND = N_("a local model answers in text")
_NOT_MADE = N_("this API completes a prompt, and returns only what is new")
_MIXED = N_("token ids and texts stand in one list")
_SCHEMA_MISSING = N_("it has no schema")


def chat(body: Chat) -> list[ChatRequest]:
    """The requests of a chat. Raises `ParameterUnsupported` or `SettingInvalid`."""
    _refuse("functions", body.functions, _OLD_TOOLS)
    _refuse("modalities", set(body.modalities or ()) - {"text"}, _SOUND)
    limit = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    fields = _common(body, limit) | {
        "messages": tuple(map(_message, body.messages)),
        "logprobs": (body.top_logprobs or 0) if body.logprobs else None,
        "tools": tuple(
            Tool(f.name, f.description or "", f.parameters or {}) for f in (tool.function for tool in body.tools or ())
        ),
        "tool_choice": _tool_choice(body),
        "continue_last": bool(body.continue_final_message),
    }
    if body.response_format is not None:
        fields["json_schema"] = _schema(body.response_format) or body.json_schema
    return [ChatRequest(sampling=sampling, **fields) for sampling in _samplings(body, prompts=1)]


def completion(body: Completion) -> list[ChatRequest]:
    """The requests of a completion: for each prompt in turn, `n`. Raises `ParameterUnsupported` or `SettingInvalid`."""
    _refuse("echo", body.echo, _NOT_MADE)
    _refuse("suffix", body.suffix, _NOT_MADE)
    _refuse("best_of", body.best_of is not None and body.best_of > _count(body), _NOT_MADE)
    prompts = list(_prompts(body.prompt))
    limit = body.max_tokens if body.max_tokens is not None else COMPLETION_TOKENS
    fields = _common(body, limit) | {"logprobs": body.logprobs}
    wanted = zip(prompts_repeated(prompts, _count(body)), _samplings(body, prompts=len(prompts)), strict=True)
    return [ChatRequest(prompt=prompt, sampling=sampling, **fields) for prompt, sampling in wanted]


def prompts_repeated(prompts: Sequence[str | tuple[int, ...]], times: int) -> Iterator[str | tuple[int, ...]]:
    """Each prompt so many times, in turn."""
    return (prompt for prompt in prompts for _ in range(times))


def _common(body: Generating, limit: int | None) -> dict[str, Any]:
    if body.n_predict is not None and limit is None:
        limit = body.n_predict if body.n_predict >= 0 else None
    return {
        "max_tokens": limit,
        "stop": (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ()),
        "grammar": body.grammar,
        "json_schema": body.json_schema,
        "ignore_end": bool(body.ignore_eos),
    }


def _samplings(body: Generating, *, prompts: int) -> list[Sampling]:
    """How each answer is drawn. With a seed, the answers to one prompt have seeds that follow it: they would be the
    same otherwise."""
    count = _count(body)
    if not 1 <= count * prompts <= MOST_ANSWERS:
        raise SettingInvalid(setting="n", value=count, allowed=f"1 … {MOST_ANSWERS // max(prompts, 1)}")
    given = {name: value for name in _SAMPLING if (value := getattr(body, name)) is not None}
    if given.get("top_k") == -1:  # vLLM's word for all of them
        given["top_k"] = 0
    seed = None if body.seed in (None, -1) else body.seed
    seeds = [None if seed is None else (seed + number) % 2**32 for number in range(count)]
    return [Sampling(seed=one, logit_bias=_bias(body), **given) for _ in range(prompts) for one in seeds]


def _count(body: Generating) -> int:
    return 1 if body.n is None else body.n


def _bias(body: Generating) -> dict[int, float]:
    pairs = body.logit_bias.items() if isinstance(body.logit_bias, dict) else body.logit_bias or ()
    return {token: NEVER if bias is False else float(bias) for token, bias in pairs}


def _message(said: Said) -> Message:
    role = "system" if said.role == "developer" else said.role
    calls = tuple(Called(call.id, call.function.name, call.function.arguments) for call in said.tool_calls or ())
    return Message(role, _text(said.content), tool_calls=calls, tool_call_id=said.tool_call_id)


def _text(content: str | list[Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        _refuse("messages", part.text is None or part.type != "text", _IMAGE)
    return "\n".join(part.text or "" for part in content)


def _tool_choice(body: Chat) -> ToolChoice | str:
    chosen = body.tool_choice or "auto"
    return chosen.function.name if isinstance(chosen, ChosenTool) else chosen


def _schema(wanted: ResponseFormat) -> dict[str, Any] | None:
    if wanted.type == "json_schema":
        schema = wanted.json_schema.schema if wanted.json_schema else None
        _refuse("response_format", schema is None, _SCHEMA_MISSING)
        return schema
    return (wanted.schema or {"type": "object"}) if wanted.type == "json_object" else None


def _prompts(prompt: str | list[str | int | list[int]]) -> Iterator[str | tuple[int, ...]]:
    if isinstance(prompt, str):
        yield prompt
        return
    tokens = tuple(one for one in prompt if isinstance(one, int))
    if tokens and len(tokens) == len(prompt):
        yield tokens
        return
    _refuse("prompt", tokens, _MIXED)
    yield from (tuple(one) if isinstance(one, list) else one for one in prompt if not isinstance(one, int))


def _refuse(parameter: str, given: object, why: str) -> None:
    if given:
        raise ParameterUnsupported(parameter=parameter, detail=why)
