"""Which settings suit this machine: one setting after another is tried, and each keeps the best before the next.

Threads, flash attention and the batch size by speed; the KV cache's type by what it costs in KL divergence against the
same model with an f16 cache, and what it gives in memory; and how many sequences at once pay. Another value than the
one before it is taken only where it is faster by more than twice the error of the difference. Every trial is kept as a
measurement of its own, so that a sweep that was ended goes on where it was. Blocks; stands in the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from core.gguf import memory, quality, reader, speed, texts
from core.gguf.estimates import Estimate
from core.gguf.measures import Setup
from core.gguf.memory import KvType
from core.gguf.quality import Plan, Subject
from core.gguf.speed import Rate, Speed, SpeedPlan
from core.gguf.study_run import Bench
from core.models.local.model_settings import ModelSettings, physical_cores

Axis = Literal["threads", "flash_attention", "batch", "kv_type", "parallel"]
AXES: tuple[Axis, ...] = ("threads", "flash_attention", "batch", "kv_type", "parallel")

SURE = 2.0
HARMLESS = 0.002
"""Mean KL divergence that a quantized KV cache may cost to be taken: less than what Q8_0 weights cost."""

CONTEXT = 4096
"""Tokens for which the memory of a setting is told."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How much each trial reads and writes. `axes`: what is tried; `chunks` of `context` tokens: what a type of the KV
    cache is read with."""

    prompt: int = 256
    generate: int = 48
    repeat: int = 3
    chunks: int = 2
    context: int = 512
    axes: tuple[Axis, ...] = AXES


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One setting tried. `value`: of the axis; `memory`: bytes with a context of `CONTEXT`, estimated; `kl`: what the
    KV cache's type costs, None where it is not what was tried. `best`: the one that is kept of its axis."""

    axis: Axis
    value: str
    setup: Setup
    parallel: int
    speed: Speed
    memory: int
    kl: Estimate | None = None
    best: bool = False


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """All trials, and the settings that came out best."""

    model: str
    trials: tuple[Trial, ...]
    best: ModelSettings


def values(axis: Axis) -> tuple[str, ...]:
    """What is tried of an axis on this machine, what it is by default first."""
    cores = physical_cores()
    found: dict[Axis, tuple[str, ...]] = {
        "threads": tuple(str(one) for one in dict.fromkeys((cores, max(cores // 2, 1), cores + 1))),
        "flash_attention": ("off", "on"),
        "batch": ("128", "512", "32"),
        "kv_type": ("f16", "q8_0", "q4_0"),
        "parallel": ("1", "4", "8"),
    }
    return found[axis]


def sweep(
    bench: Bench,
    owner: str,
    path: Path,
    name: str,
    *,
    effort: Effort | None = None,
    notice: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Swept:
    """Tries everything. `notice`: trials that are done, of how many, and which axis is tried; it may raise.

    Raises as core/gguf/speed.py and quality.py do.
    """
    effort = effort or Effort()
    trying = _Trying(bench, owner, quality.subject(bench.kept, path, name), effort, notice)
    setup = Setup(threads=physical_cores(), flash_attention="off", batch=128)
    trials: list[Trial] = []
    parallel = 1
    for axis in effort.axes:
        tried = [trying.trial(axis, value, setup) for value in values(axis)]
        chosen = best(axis, tried)
        trials += [msgspec.structs.replace(one, best=one is chosen) for one in tried]
        if axis == "parallel":
            parallel = chosen.parallel
        else:
            setup = chosen.setup
    return Swept(model=name, trials=tuple(trials), best=_settings(setup, parallel))


def best(axis: Axis, tried: Sequence[Trial]) -> Trial:
    """The one of an axis that is kept: the first, unless another is surely better."""
    if axis == "kv_type":
        harmless = [one for one in tried if one.kl is None or one.kl.value + SURE * one.kl.error < HARMLESS]
        quick = [one for one in harmless if not _surely(tried[0], one, "write")]
        return min(quick, key=lambda one: one.memory) if quick else tried[0]
    of: Literal["read", "write"] = "read" if axis == "batch" else "write"
    kept = tried[0]
    for one in tried[1:]:
        if _surely(one, kept, of):
            kept = one
    return kept


def _surely(one: Trial, other: Trial, of: Literal["read", "write"]) -> bool:
    """Whether one is faster by more than the error."""
    ours, theirs = _rate(one, of), _rate(other, of)
    if ours is None or theirs is None:
        return False
    difference = ours.estimate - theirs.estimate
    return difference.value > SURE * difference.error


def _rate(one: Trial, of: Literal["read", "write"]) -> Rate | None:
    return one.speed.read if of == "read" else one.speed.write


class _Trying:
    """One sweep's trials."""

    def __init__(
        self, bench: Bench, owner: str, subject: Subject, effort: Effort, notice: Callable[[int, int, str], None]
    ) -> None:
        self._bench = bench
        self._owner = owner
        self._subject = subject
        self._effort = effort
        self._notice = notice
        self._done = 0
        self._total = sum(len(values(axis)) for axis in effort.axes)

    def trial(self, axis: Axis, value: str, setup: Setup) -> Trial:
        """One setting, timed; a KV cache's type also read with."""
        tried, parallel = _with(axis, value, setup)
        with self._turn(axis):
            timed = speed.measure(
                self._bench.kept,
                self._owner,
                self._subject,
                SpeedPlan(
                    prompt=self._effort.prompt,
                    generate=self._effort.generate,
                    repeat=self._effort.repeat,
                    parallel=parallel,
                    setup=tried,
                ),
                notice=lambda done, total: self._notice(self._done, self._total, axis),
            )
            kl = self._kl(tried) if axis == "kv_type" else None
        self._done += 1
        self._notice(self._done, self._total, axis)
        estimated = memory.estimate(
            reader.read(self._subject.path),
            context_length=CONTEXT,
            kv_type=tried.kv_type,
            parallel=parallel,
            batch=tried.batch,
            flash_attention=tried.flash_attention != "off",
        )
        return Trial(axis=axis, value=value, setup=tried, parallel=parallel, speed=timed, memory=estimated.total, kl=kl)

    def _kl(self, setup: Setup) -> Estimate | None:
        if setup.kv_type == "f16":
            return None
        # the cache's type alone may differ: flash attention computes in another order, and so does another batch
        based_on = msgspec.structs.replace(setup, kv_type="f16", flash_attention="on")
        found = quality.measure(
            self._bench.kept,
            self._owner,
            self._subject,
            Plan(
                text=texts.passage("english"),
                context=self._effort.context,
                chunks=self._effort.chunks,
                setup=setup,
            ),
            folder=self._bench.folder,
            reference=self._subject,
            reference_setup=based_on,
            notice=lambda done, total: self._notice(self._done, self._total, "kv_type"),
        )
        return found.figures.kl.mean if found.figures.kl is not None else None

    @contextmanager
    def _turn(self, axis: Axis) -> Iterator[None]:
        with self._bench.turns.take() as ticket:
            for _ in ticket.wait():
                self._notice(self._done, self._total, axis)
            yield


def _with(axis: Axis, value: str, setup: Setup) -> tuple[Setup, int]:
    """The settings with another value of one axis."""
    if axis == "threads":
        return msgspec.structs.replace(setup, threads=int(value)), 1
    if axis == "flash_attention":
        return msgspec.structs.replace(setup, flash_attention="on" if value == "on" else "off"), 1
    if axis == "batch":
        return msgspec.structs.replace(setup, batch=int(value)), 1
    if axis == "kv_type":
        kv_type: KvType = "q8_0" if value == "q8_0" else "q4_0" if value == "q4_0" else "f16"
        flash = setup.flash_attention if kv_type == "f16" else "on"  # a quantized cache needs it
        return msgspec.structs.replace(setup, kv_type=kv_type, flash_attention=flash), 1
    return setup, int(value)


def _settings(setup: Setup, parallel: int) -> ModelSettings:
    usual = physical_cores()
    return ModelSettings(
        threads=None if setup.threads == usual else setup.threads,
        batch_size=setup.batch,
        kv_type=setup.kv_type,
        flash_attention=setup.flash_attention,
        parallel=max(parallel, 1),
    ).checked()
