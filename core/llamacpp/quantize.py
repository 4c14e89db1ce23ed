"""Quantizes one file: `python -m core.llamacpp.quantize`, started by core/gguf/quantize.py and ended with it.

Takes a `Task` and says frames (core/gguf/quantize_wire.py). llama.cpp first computes, without writing, what each tensor
becomes (its dry run, some milliseconds), then makes the file. Both are told by its log, which is the only place where
it says so; what the finished file really holds, the other side reads from the file.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.gguf.quantize_wire import Done, Failed, Frame, Planned, Step, Task, TensorPlan, decode_task, encode
from core.llamacpp.bindings import llama

if TYPE_CHECKING:
    from core.gguf.imatrix import ImportanceMatrix

_TENSOR = re.compile(r"\[ *(\d+)/ *(\d+)\] (.*?) +- \[[ 0-9,]*\], type = *(\w+), (?:size = .*?(?:\((\w+)\))?$)?")
_FALLBACK = re.compile(r"warning: (.*?) +- ncols .*required for type +(\w+)\) *-> falling back to +(\w+)")
_NEEDS_IMATRIX = "will require an imatrix"
_ERROR = 4
"""GGML_LOG_LEVEL_ERROR."""

_LONGEST_TEXT = 127
"""Bytes of a text in `llama_model_kv_override`."""


def _say(frame: Frame) -> None:
    try:
        sys.stdout.buffer.write(encode(frame) + b"\n")
        sys.stdout.buffer.flush()
    except OSError:  # nobody is there any more: an exception would end in llama.cpp, which called us
        os._exit(1)


class _Log:
    """llama.cpp's log, put together to lines again: it says some in several pieces."""

    def __init__(self, *, steps: bool) -> None:
        self.tensors: list[TensorPlan] = []
        self.needs_imatrix = False
        self.error = ""
        self._steps = steps
        self._meant: dict[str, str] = {}
        self._line = ""
        self._stepped = 0

    def take(self, level: int, data: bytes, _: ctypes.c_void_p) -> None:
        text = data.decode("utf-8", errors="replace")
        if level >= _ERROR and (said := text.strip(" \n=")):
            self.error = said
        self._line += text
        self._begin(self._line)
        *lines, self._line = self._line.split("\n")
        for line in lines:
            self._end(line)

    def _begin(self, line: str) -> None:
        if self._steps and (found := _TENSOR.match(line)) and (number := int(found[1])) > self._stepped:
            self._stepped = number
            _say(Step(number, int(found[2]), found[3]))

    def _end(self, line: str) -> None:
        if found := _FALLBACK.search(line):
            self._meant[found[1]] = found[2].upper()
        elif found := _TENSOR.match(line):
            name, before = found[3], found[4].upper()
            self.tensors.append(TensorPlan(name, before, (found[5] or before).upper(), self._meant.get(name)))
        self.needs_imatrix = self.needs_imatrix or _NEEDS_IMATRIX in line


def _params(task: Task, matrix: ImportanceMatrix | None) -> tuple[llama.llama_model_quantize_params, list[Any]]:
    """llama.cpp's parameters, and what must be kept alive for as long as they are used."""
    params = llama.llama_model_quantize_default_params()
    params.ftype, params.nthread = task.file_type, task.threads
    params.allow_requantize, params.pure = task.requantize, task.pure
    params.max_buf_size = task.max_buffer
    if task.output_type is not None:
        params.output_tensor_type = task.output_type
    if task.embedding_type is not None:
        params.token_embedding_type = task.embedding_type
    if matrix is None:
        return params, []
    values = [(name.encode(), values) for name, values in sorted(matrix.weights.items())]
    entries = (llama.llama_model_imatrix_data * (len(values) + 1))()
    for entry, (name, array) in zip(entries, values, strict=False):
        entry.name, entry.size = name, array.size
        entry.data = array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    overrides = _told(Path(task.imatrix or "").name, matrix)
    params.imatrix, params.kv_overrides = entries, overrides
    return params, [values, entries, overrides]


def _told(name: str, matrix: ImportanceMatrix) -> Any:
    """What the file says of its matrix, as llama-quantize has it; but of its path only the name."""
    told: list[tuple[bytes, str | int]] = [(b"quantize.imatrix.file", name)]
    if matrix.dataset is not None:
        told.append((b"quantize.imatrix.dataset", matrix.dataset))
    told.append((b"quantize.imatrix.entries_count", len(matrix.weights)))
    if matrix.chunks:
        told.append((b"quantize.imatrix.chunks_count", matrix.chunks))
    overrides = (llama.llama_model_kv_override * (len(told) + 1))()
    for override, (key, value) in zip(overrides, told, strict=False):
        override.key = key
        if isinstance(value, int):
            override.tag, override.value.val_i64 = llama.LLAMA_KV_OVERRIDE_TYPE_INT, value
        else:
            short = value.encode()[:_LONGEST_TEXT].decode("utf-8", errors="ignore")
            override.tag, override.value.val_str = llama.LLAMA_KV_OVERRIDE_TYPE_STR, short.encode()
    return overrides


def _run(task: Task, params: llama.llama_model_quantize_params, *, dry: bool) -> _Log | None:
    """One pass of llama.cpp's; None, and a `Failed` said, where it did not succeed."""
    log = _Log(steps=not dry)
    callback = llama.llama_log_callback(log.take)
    llama.llama_log_set(callback, None)
    params.dry_run = dry
    target = task.target or ""
    code = llama.llama_model_quantize(task.source.encode(errors="surrogateescape"), target.encode(), params)
    llama.llama_log_set(_silent, None)
    if code:
        _say(Failed(log.error.split("failed to quantize: ")[-1] or f"llama.cpp gave no reason (code {code})"))
        return None
    return log


_silent = llama.llama_log_callback(lambda level, text, data: None)


def main() -> int:
    """Reads the task from standard input; the exit code is 0 where everything was said in frames."""
    llama.llama_backend_init()  # before the task is there: its source is still being checked
    task = decode_task(sys.stdin.buffer.readline())
    matrix: ImportanceMatrix | None = None
    if task.imatrix is not None:
        from core.errors import (
            ImatrixInvalid,  # with its reader, only where there is one: a start is a part of the time
        )
        from core.gguf import imatrix

        try:
            matrix = imatrix.read(Path(task.imatrix))
        except ImatrixInvalid as error:
            _say(Failed(error.values["detail"], imatrix=True))
            return 0
    params, kept = _params(task, matrix)
    plan = _run(task, params, dry=True)
    if plan is None:
        return 0
    _say(Planned(plan.tensors, plan.needs_imatrix))
    if task.target is not None and _run(task, params, dry=False) is not None:
        _say(Done())
    del kept
    return 0


if __name__ == "__main__":
    sys.exit(main())
