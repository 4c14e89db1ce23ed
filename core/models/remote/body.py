"""A `ChatRequest` as the JSON body of OpenAI's chat-completions API.

Source: https://platform.openai.com/docs/api-reference/chat/create; what goes beyond it is under the names that
llama.cpp's server, vLLM and others share (llama.cpp, tools/server/README.md).
"""

from __future__ import annotations

from typing import Any

import msgspec

from core.errors import N_, EmptyPrompt, NotSupported
from core.messages import ChatRequest, Message, Sampling, Tool
from core.models.local.limits import CHOICES

EXTENSIONS = frozenset(
    {
        *("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n"),
        *("dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers"),
        *("xtc_probability", "xtc_threshold", "mirostat", "mirostat_tau", "mirostat_eta"),
        *("grammar", "ignore_eos"),
    }
)
"""Parameters that are not OpenAI's: strict endpoints refuse a request that has one of them."""

_OPTIONAL: dict[str, Any] = {"seed": None, "logit_bias": {}, "presence_penalty": 0.0, "frequency_penalty": 0.0}
"""Left out at these values, which mean the same as nothing: some endpoints refuse even to be told them."""

WHOLE_CONTEXT = 131_072
"""Tokens, where the context length is unknown: newer llama.cpp servers refuse −1, which means all of it."""


def of(
    request: ChatRequest,
    *,
    model: str,
    provider: str,
    unsupported: frozenset[str],
    context_length: int | None = None,
) -> dict[str, Any]:
    """The body. `unsupported`: names of parameters that the endpoint does not take; without `max_tokens`, the limit is
    called max_completion_tokens, as newer OpenAI models have it.

    Sampling parameters among them are left out, log-probabilities too. What would change the answer's meaning is not:
    raises `NotSupported` for a prompt without messages, a grammar, tools, a chat template, or going on after the end.
    Raises `EmptyPrompt`.
    """
    _check(request, provider, unsupported)
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **_sampling(request.sampling, context_length or WHOLE_CONTEXT),
    }
    if request.max_tokens is not None:
        name = "max_completion_tokens" if "max_tokens" in unsupported else "max_tokens"
        body[name] = request.max_tokens
    if request.stop:
        body["stop"] = _clean(request.stop)
    if request.logprobs is not None and "logprobs" not in unsupported:
        body |= {"logprobs": True, "top_logprobs": request.logprobs}
    if request.json_schema is not None:
        schema = {"name": "answer", "schema": _clean(request.json_schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.tools:
        body |= {"tools": [_tool(tool) for tool in request.tools], "tool_choice": _choice(request.tool_choice)}
    if request.grammar is not None:
        body["grammar"] = request.grammar
    if request.ignore_end:
        body["ignore_eos"] = True
    return {name: value for name, value in body.items() if name not in unsupported}


def _check(request: ChatRequest, provider: str, unsupported: frozenset[str]) -> None:
    wanted = {
        N_("a prompt that is not a conversation"): request.prompt is not None,
        N_("another chat template"): request.chat_template is not None,
        N_("a grammar"): request.grammar is not None and "grammar" in unsupported,
        N_("a JSON schema"): request.json_schema is not None and "response_format" in unsupported,
        N_("tools"): "tools" in unsupported and _has_tools(request),
        N_("a tool that must be called"): "tool_choice" in unsupported and request.tool_choice not in ("auto", "none"),
        N_("going on after the end of the answer"): request.ignore_end and "ignore_eos" in unsupported,
    }
    for feature, asked in wanted.items():
        if asked:
            raise NotSupported(provider=provider, feature=feature)
    if not any(message.content.strip() for message in request.messages):
        raise EmptyPrompt()


def _has_tools(request: ChatRequest) -> bool:
    return bool(request.tools) or any(m.tool_calls or m.role == "tool" for m in request.messages)


def _sampling(sampling: Sampling, context_length: int) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(sampling, str_keys=True)
    for name in ("repeat_last_n", "dry_penalty_last_n"):
        values[name] = context_length if values[name] < 0 else values[name]
    return {name: value for name, value in values.items() if name not in _OPTIONAL or value != _OPTIONAL[name]}


def _message(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        # OpenAI's own word for an assistant that said nothing but its calls; some endpoints refuse an empty text.
        plain["content"] = plain["content"] or None
        plain["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        plain["tool_call_id"] = message.tool_call_id
    cleaned: dict[str, Any] = _clean(plain)
    return cleaned


def _tool(tool: Tool) -> dict[str, Any]:
    # OpenAI takes a tool without parameters; others want to be told that there are none.
    function = {"name": tool.name, "parameters": tool.parameters or {"type": "object", "properties": {}}}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": _clean(function)}


def _choice(choice: str) -> str | dict[str, Any]:
    return choice if choice in CHOICES else {"type": "function", "function": {"name": choice}}


def _clean(value: Any) -> Any:
    """Half a surrogate pair, which a browser can send, has no place in UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(name): _clean(child) for name, child in value.items()}
    return [_clean(child) for child in value] if isinstance(value, list | tuple) else value
