"""Makes quantized files: checked before, computed by llama.cpp in a process of its own, whole or not there at all.

The source is read and checked as before loading (core/gguf/reader.py) and watched while it is used. The result is
written beside the target under a hidden name, checked, forced to the disk and only then given its name, so that a power
cut leaves the old state or the new one (core/gguf/landing.py).
`plan` says what would come of it, from llama.cpp's own choice of types, without computing anything.

Raises the errors of core/errors/quantizing.py, `ModelNotFound`, `ModelFileInvalid` and `SettingInvalid`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import msgspec

from core import child
from core.child import Child, ChildDied
from core.errors import (
    AlreadyQuantized,
    DiskTooFull,
    ImatrixInvalid,
    ImatrixNeeded,
    ModelFileInvalid,
    ModelNotFound,
    QuantizeFailed,
    SettingInvalid,
)
from core.figures import size as in_words
from core.gguf import landing, reader, recipes
from core.gguf.blocks import BY_NAME, TensorType
from core.gguf.header import GGUF
from core.gguf.landing import Watch
from core.gguf.quantize_wire import Done, Failed, Planned, Step, Task, TensorPlan, decode_frame, encode
from core.gguf.recipes import Recipe
from core.models.local import files, model_settings

_MODULE = "core.llamacpp.quantize"
_BUFFER_PER_THREAD = 8 << 20
"""Bytes of rows that llama.cpp keeps at once: a small machine can quantize large tensors, and memory that is used again
need not be fetched from the system page by page. llama.cpp starts its threads anew for each lot: with much less, that
takes longer than it saves."""

PLAN_LIMIT_S = 60.0
ALIGNMENT = 32
"""Of what llama.cpp writes (GGUF_DEFAULT_ALIGNMENT)."""

_EMBEDDINGS, _OUTPUT = "token_embd.weight", "output.weight"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a file becomes. size_bytes: of the result, to a few hundred bytes."""

    type: str
    tensors: tuple[TensorPlan, ...]
    size_bytes: int
    bits_per_weight: float
    needs_imatrix: bool

    @property
    def fallbacks(self) -> tuple[TensorPlan, ...]:
        """Tensors whose rows are no whole blocks of the type that the recipe means for them."""
        return tuple(tensor for tensor in self.tensors if tensor.meant is not None)


class Quantized(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was made. seconds: from the call to the file's having its name, checking included."""

    path: Path
    type: str
    size_bytes: int
    bits_per_weight: float
    source_bytes: int
    tensors: tuple[TensorPlan, ...]
    seconds: float
    requantized: bool

    @property
    def fallbacks(self) -> tuple[TensorPlan, ...]:
        """Tensors whose rows are no whole blocks of the type that the recipe means for them."""
        return tuple(tensor for tensor in self.tensors if tensor.meant is not None)


def quantize(
    source: Path,
    target: Path,
    type: str,
    *,
    allow_requantize: bool = True,
    pure: bool = False,
    output_type: str | None = None,
    embedding_type: str | None = None,
    imatrix: Path | None = None,
    threads: int | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Quantized:
    """Makes `target` of `source`; blocks until it is there. `type`: a name of core/gguf/recipes.py.

    pure: every tensor has the recipe's base type. output_type, embedding_type: another type for these tensors. threads:
    None is the physical cores. on_progress(done, tensors, name of the tensor in work) may raise, which ends it. A file
    that is already there is never overwritten: `TargetExists`.
    """
    began = time.perf_counter()
    source, target = files.located(source), files.located(target)
    recipe = recipes.recipe(type)
    with _started(source, recipe) as process:
        gguf = _checked(source, recipe, allow_requantize)
        _check_tensor_types(gguf, output_type, embedding_type)
        with landing.landing(target) as part, Watch(gguf) as watch:
            task = _task(source, part, recipe, pure, output_type, embedding_type, imatrix, threads)
            planned = _made(process, task, gguf, recipe, target, on_progress)
            made = _verified(part, planned, gguf, recipe)
            watch.check()
            landing.keep(part, target)
    return Quantized(
        path=target,
        type=recipe.name,
        size_bytes=made.size,
        bits_per_weight=made.bits_per_weight,
        source_bytes=gguf.total_size,
        tensors=tuple(planned.tensors),
        seconds=time.perf_counter() - began,
        requantized=is_quantized(gguf),
    )


def plan(
    source: Path,
    type: str,
    *,
    pure: bool = False,
    output_type: str | None = None,
    embedding_type: str | None = None,
    imatrix: Path | None = None,
) -> Plan:
    """What `quantize` would make of the file, tensor by tensor. Takes half a second, whatever the file's size."""
    source = files.located(source)
    recipe = recipes.recipe(type)
    with _started(source, recipe) as process:
        gguf = _checked(source, recipe, True)
        _check_tensor_types(gguf, output_type, embedding_type)
        task = _task(source, None, recipe, pure, output_type, embedding_type, imatrix, None)
        for frame in process.frames(encode(task), decode_frame, limit_s=PLAN_LIMIT_S):
            if isinstance(frame, Planned):
                size = _size(gguf, frame.tensors)
                bits = 8 * sum(_bytes(gguf, frame.tensors)) / max(gguf.parameters, 1)
                return Plan(
                    type=recipe.name,
                    tensors=tuple(frame.tensors),
                    size_bytes=size,
                    bits_per_weight=bits,
                    needs_imatrix=frame.needs_imatrix,
                )
            if isinstance(frame, Failed):
                _fail(frame, gguf, recipe, imatrix)
    raise QuantizeFailed(model=gguf.path.name, type=recipe.name, detail="its process said nothing")


def is_quantized(gguf: GGUF) -> bool:
    """Whether some of its tensors are: quantizing it again adds the errors of both."""
    return any(tensor.type.block_size > 1 for tensor in gguf.all_tensors)


def _checked(source: Path, recipe: Recipe, allow_requantize: bool) -> GGUF:
    gguf = reader.read(source)
    if not gguf.tensors and not gguf.parts:
        raise ModelFileInvalid(model=source.name, detail="it has no tensors")
    if is_quantized(gguf) and not allow_requantize:
        raise AlreadyQuantized(model=source.name, type=gguf.quantization or "?")
    return gguf


def _check_tensor_types(gguf: GGUF, output_type: str | None, embedding_type: str | None) -> None:
    """Of a type that was asked for there is no fallback: its blocks must divide the tensor's rows."""
    for setting, name, tensor_name in (
        ("output_type", output_type, _OUTPUT),
        ("embedding_type", embedding_type, _EMBEDDINGS),
    ):
        if name is None:
            continue
        type = recipes.tensor_type(name, setting=setting)
        for tensor in gguf.all_tensors:
            if tensor.name == tensor_name and tensor.shape[0] % type.block_size:
                allowed = f"a type whose blocks divide rows of {tensor.shape[0]}"
                raise SettingInvalid(setting=setting, value=type.name, allowed=allowed)


def _task(
    source: Path,
    target: Path | None,
    recipe: Recipe,
    pure: bool,
    output_type: str | None,
    embedding_type: str | None,
    imatrix: Path | None,
    threads: int | None,
) -> Task:
    def id(name: str | None, setting: str) -> int | None:
        return None if name is None else recipes.tensor_type(name, setting=setting).id

    threads = threads or model_settings.physical_cores()
    return Task(
        source=str(source),
        target=None if target is None else str(target),
        file_type=recipe.id,
        requantize=True,
        pure=pure,
        output_type=id(output_type, "output_type"),
        embedding_type=id(embedding_type, "embedding_type"),
        imatrix=None if imatrix is None else str(files.located(imatrix)),
        threads=threads,
        max_buffer=threads * _BUFFER_PER_THREAD,
    )


def _made(
    process: Child,
    task: Task,
    gguf: GGUF,
    recipe: Recipe,
    target: Path,
    on_progress: Callable[[int, int, str], None] | None,
) -> Planned:
    """Runs the process to its end; what it had planned."""
    tell = on_progress or (lambda done, total, name: None)
    planned: Planned | None = None
    matrix = None if task.imatrix is None else Path(task.imatrix)
    with closing(process.frames(encode(task), decode_frame)) as said:
        for frame in said:
            if isinstance(frame, Planned):
                planned = frame
                if frame.needs_imatrix and matrix is None:
                    raise ImatrixNeeded(type=recipe.name)
                _check_room(target.parent, _size(gguf, frame.tensors))
            elif isinstance(frame, Step):
                tell(frame.number - 1, frame.total, frame.name)
            elif isinstance(frame, Failed):
                if planned is not None:
                    _check_room(target.parent, _size(gguf, planned.tensors), done=_written(task.target))
                _fail(frame, gguf, recipe, matrix)
            elif isinstance(frame, Done) and planned is not None:
                tell(len(planned.tensors), len(planned.tensors), "")
                return planned
    raise QuantizeFailed(model=gguf.path.name, type=recipe.name, detail="its process ended early")


def _fail(frame: Failed, gguf: GGUF, recipe: Recipe, matrix: Path | None) -> NoReturn:
    if frame.imatrix:
        raise ImatrixInvalid(file=matrix.name if matrix else "?", detail=frame.detail)
    if "imatrix size" in frame.detail:
        raise ImatrixInvalid(file=matrix.name if matrix else "?", detail="it was made for another model")
    raise QuantizeFailed(model=gguf.path.name, type=recipe.name, detail=frame.detail.strip().rstrip("."))


@contextmanager
def _started(source: Path, recipe: Recipe) -> Iterator[Child]:
    """llama.cpp's process; it starts while the source is checked."""
    try:
        with child.started(_MODULE) as process:
            yield process
    except ChildDied as error:
        raise QuantizeFailed(model=source.name, type=recipe.name, detail=str(error)) from error


def _bytes(gguf: GGUF, tensors: Sequence[TensorPlan]) -> Iterator[int]:
    """Bytes of each tensor as it will be."""
    after: dict[str, TensorType] = {tensor.name: BY_NAME[tensor.after] for tensor in tensors if tensor.after in BY_NAME}
    return (after.get(tensor.name, tensor.type).n_bytes(tensor.shape) for tensor in gguf.all_tensors)


def _size(gguf: GGUF, tensors: Sequence[TensorPlan]) -> int:
    """Bytes of the file: its header is the source's, but for a few values."""
    names = sum(24 + 8 + len(tensor.name) + 32 for part in gguf.parts for tensor in part.tensors)
    return gguf.data_offset + names + sum(-(-size // ALIGNMENT) * ALIGNMENT for size in _bytes(gguf, tensors))


def _check_room(folder: Path, needed: int, *, done: int = 0) -> None:
    """Raises `DiskTooFull` where the rest of the file does not fit."""
    free = shutil.disk_usage(folder).free
    if free < needed - done:
        raise DiskTooFull(needed=in_words(needed, "en"), free=in_words(free, "en"))


def _written(path: str | None) -> int:
    try:
        return Path(path).stat().st_size if path else 0
    except OSError:
        return 0


def _verified(part: Path, planned: Planned, gguf: GGUF, recipe: Recipe) -> GGUF:
    """The finished file, read as any other one; with the tensors that were planned."""
    try:
        made = reader.read_one(part)
    except (ModelFileInvalid, ModelNotFound) as error:
        detail = str(error.values.get("detail", "it is gone"))
        raise QuantizeFailed(
            model=gguf.path.name, type=recipe.name, detail=f"the result is not whole ({detail})"
        ) from error
    found = {tensor.name: tensor.type.name for tensor in made.tensors}
    if found != {tensor.name: tensor.after for tensor in planned.tensors}:
        raise QuantizeFailed(model=gguf.path.name, type=recipe.name, detail="the result is not what was planned")
    return made
