"""Chat templates: Jinja from a model's file, a stranger's program, rendered in a sandbox, in time, in little memory.

The sandbox is Jinja's own (no attribute outside plain values, no change of what is passed in: CVE-2024-34359). Time: a
template may loop for ever, and Python cannot end a thread, but it can raise an exception in one; what does not even
react to that is ended with its process by the engine. Memory: one operation can ask for gigabytes (`'x'.center(9**9)`),
so for that time the process is held to little more than it has, where the system can (Linux). Variables and extensions
as in Hugging Face's `apply_chat_template`, which is what templates are written for.
"""

from __future__ import annotations

import ctypes
import datetime
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import TemplateInvalid
from core.messages import Message

T = TypeVar("T")

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""For a file without a template, as llama.cpp does."""

TIME_LIMIT_S = 2.0
SIZE_LIMIT = 64_000_000
"""Characters of source or output: far above a full context, far below a full memory."""

MEMORY_LIMIT = 1 << 30
"""Bytes that the process may take above what it has, while a template is compiled or rendered."""


class OutOfTime(BaseException):
    """Raised inside a thread whose time is over. Not an `Exception`, so that a template cannot swallow it."""


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}` marks the assistant's text for training; here it is only its content."""

    tags = {"generation"}  # noqa: RUF012  # as the base class declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, and no single operation that runs long outside Python, where no exception reaches it."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (isinstance(right, int | float) and abs(right) <= 64):
            raise TemplateError("it computes a power that is too large")
        for many, times in ((left, right), (right, left)):
            repeats = operator == "*" and isinstance(many, str | list | tuple) and isinstance(times, int)
            if repeats and len(many) * times > SIZE_LIMIT:
                raise TemplateError("it repeats a text too often")
        return super().call_binop(context, operator, left, right)


class ChatTemplate:
    """One compiled template. Raises `TemplateInvalid` when it does not parse."""

    def __init__(self, source: str, *, bos: str = "", eos: str = "") -> None:
        self.bos = bos
        self._globals = {"bos_token": bos, "eos_token": eos, "documents": None}
        if len(source) > SIZE_LIMIT:
            raise TemplateInvalid(detail="it is too long")
        self._template = _guarded(lambda: _environment().from_string(source))

    def render(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool = True,
        tools: Sequence[dict[str, Any]] | None = None,
        guard: Callable[[Any], Any] = lambda value: value,
    ) -> str:
        """The prompt's text. Raises `TemplateInvalid` when it fails, refuses the messages or takes too much.

        tools: in OpenAI's form. guard: what is done to the strings of tools and calls before a template has them.
        """
        plain = [_plain(message, guard) for message in messages]
        values = self._globals | {"tools": guard(list(tools)) if tools else None}

        def run() -> str:
            size, parts = 0, []
            for part in self._template.generate(messages=plain, add_generation_prompt=add_generation_prompt, **values):
                size += len(part)
                if size > SIZE_LIMIT:
                    raise TemplateInvalid(detail="its output is too long")
                parts.append(part)
            return "".join(parts)

        return _guarded(run)


def _plain(message: Message, guard: Callable[[Any], Any]) -> dict[str, Any]:
    """OpenAI's form, with arguments as objects, as templates expect them; what is not there is no key."""
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        plain["tool_calls"] = guard(
            [
                {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": _arguments(c.arguments)}}
                for c in message.tool_calls
            ]
        )
    if message.tool_call_id is not None:
        plain["tool_call_id"] = guard(message.tool_call_id)
    return plain


def _arguments(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def in_time(work: Callable[[], T], seconds: float) -> T:
    """Runs `work` in this thread and raises `OutOfTime` inside it when the time is over."""
    this_thread = threading.get_ident()
    lock = threading.Lock()
    over = False

    def end() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(this_thread), ctypes.py_object(OutOfTime))

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        return work()
    finally:
        with lock:
            over = True
        timer.cancel()


@contextmanager
def _within_memory() -> Iterator[None]:
    """Makes an allocation beyond `MEMORY_LIMIT` a MemoryError for as long as the block lasts."""
    if sys.platform != "linux":
        yield
        return
    import resource

    data_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = data_pages * resource.getpagesize() + MEMORY_LIMIT
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _guarded(work: Callable[[], T]) -> T:
    try:
        with _within_memory():
            return in_time(work, TIME_LIMIT_S)
    except OutOfTime:
        raise TemplateInvalid(detail=f"it did not end within {TIME_LIMIT_S:g} seconds") from None
    except TemplateInvalid:
        raise
    except TemplateError as error:
        raise TemplateInvalid(detail=_short(error)) from error
    except (RecursionError, MemoryError) as error:
        raise TemplateInvalid(detail="it needs too much memory") from error
    except Exception as error:  # a template can raise anything that Python can
        raise TemplateInvalid(detail=_short(error)) from error


def _environment() -> _Sandbox:
    # optimized=False: constant expressions would be computed while compiling, outside of what rendering checks.
    environment = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    return environment


def _to_json(value: Any, indent: int | None = None, ensure_ascii: bool = False, **options: Any) -> str:
    separators, sort_keys = options.get("separators"), bool(options.get("sort_keys", False))
    return json.dumps(value, indent=indent, ensure_ascii=ensure_ascii, separators=separators, sort_keys=sort_keys)


def _refuse(message: str) -> None:
    raise TemplateError(str(message)[:500])


def _short(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).rstrip(".")[:300]
