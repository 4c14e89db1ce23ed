"""What llama.cpp takes, checked before a request goes over the wall: JSON has no infinity."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import get_args

from core.errors import SettingInvalid
from core.messages import ChatRequest, Tool, ToolChoice

_LARGE = 2**31 - 1

RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 100.0),
    "top_k": (0, _LARGE),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (0.0, 1.0),
    "repeat_penalty": (0.01, 100.0),
    "repeat_last_n": (-1, _LARGE),
    "presence_penalty": (-100.0, 100.0),
    "frequency_penalty": (-100.0, 100.0),
    "dry_multiplier": (0.0, 100.0),
    "dry_base": (1.0, 100.0),
    "dry_allowed_length": (0, _LARGE),
    "dry_penalty_last_n": (-1, _LARGE),
    "xtc_probability": (0.0, 1.0),
    "xtc_threshold": (0.0, 1.0),
    "mirostat_tau": (0.0, 100.0),
    "mirostat_eta": (0.0, 10.0),
    "seed": (0, 2**32 - 1),
}
"""Lowest and highest value of each sampling parameter, both allowed."""


MOST_TOOLS = 512

TOOL_NAME = re.compile("[A-Za-z0-9_-]{1,64}")
"""As OpenAI has it. Names are written into grammars and prompts."""

CHOICES: tuple[str, ...] = get_args(ToolChoice)


def check(request: ChatRequest) -> None:
    """Raises `SettingInvalid` for the first value out of its range."""
    for name, (low, high) in RANGES.items():
        _within(name, getattr(request.sampling, name), low, high)
    for token, bias in request.sampling.logit_bias.items():
        _within(f"logit_bias[{token}]", bias, -1e9, 1e9)
    _within("max_tokens", request.max_tokens, 1, _LARGE)
    _within("logprobs", request.logprobs, 0, 1000)
    _check_tools(request.tools, request.tool_choice)
    if request.tools and request.prompt is not None:
        raise SettingInvalid(setting="prompt", value="without messages", allowed="messages, where there are tools")


def _check_tools(tools: Sequence[Tool], choice: str) -> None:
    _within("number of tools", len(tools), 0, MOST_TOOLS)
    names: set[str] = set()
    for tool in tools:
        if not TOOL_NAME.fullmatch(tool.name):
            allowed = "1 to 64 letters, digits, _ and -"
            raise SettingInvalid(setting="tool name", value=repr(tool.name[:80]), allowed=allowed)
        if tool.name in names or tool.name in CHOICES:
            allowed = f"a name of its own, and not {', '.join(CHOICES)}"
            raise SettingInvalid(setting="tool name", value=repr(tool.name), allowed=allowed)
        names.add(tool.name)
    allowed_choices = CHOICES if tools else ("auto", "none")
    if choice not in allowed_choices and choice not in names:
        allowed = ", ".join([*allowed_choices, *sorted(names)])[:300]
        raise SettingInvalid(setting="tool_choice", value=repr(choice[:80]), allowed=allowed)


def _within(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        raise SettingInvalid(setting=name, value=value, allowed=f"{low:g} … {high:g}")
