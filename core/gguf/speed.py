"""How fast a model reads and writes on this machine, as llama-bench measures it; load time and memory. In a child.

Kept by the file's hash and the settings, with when it was measured and how busy the machine was. Blocks.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import closing

import msgspec

from core.errors import MeasureDied
from core.gguf.estimates import Estimate
from core.gguf.measures import Finished, Opened, Round, Setup, SpeedTask
from core.gguf.quality import Subject, digest, said, spoken
from core.store.measurements import KeptMeasurement, Measurements


class SpeedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """llama-bench's pp512 and tg128, each so many times. `parallel`: sequences written at once."""

    prompt: int = 512
    generate: int = 128
    repeat: int = 3
    parallel: int = 1
    setup: Setup = Setup()


USUAL = SpeedPlan()


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens a second over some repeats: their mean, and the standard deviation, as llama-bench gives them."""

    mean: float
    deviation: float
    repeats: int

    @property
    def estimate(self) -> Estimate:
        """The mean with its standard error."""
        return Estimate(self.mean, self.deviation / self.repeats**0.5)


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """read: tokens of a prompt a second; write: of an answer. load_s: from the file to a context. peak_bytes: the most
    memory at once. others: share of the cores that other programs took meanwhile, 0 to 1. None: not known."""

    read: Rate | None
    write: Rate | None
    threads: int
    load_s: float
    peak_bytes: int | None
    others: float | None
    at: float


def measure(
    kept: Measurements,
    owner: str,
    model: Subject,
    plan: SpeedPlan = USUAL,
    *,
    notice: Callable[[int, int], None] = lambda done, total: None,
) -> Speed:
    """The speed, from the store or measured now. `notice`: rounds done of all, while it is measured; may raise.

    Raises what loading raises, and `MeasureDied`.
    """
    key = key_of(model, plan)
    total = rounds(plan)
    found = kept.get(owner, key)
    if found is not None and (whole := _speed(found)) is not None:
        return whole
    kept.begin(owner, key, "speed")
    task = SpeedTask(
        path=str(model.path),
        name=model.name,
        prompt=plan.prompt,
        generate=plan.generate,
        repeat=plan.repeat,
        parallel=plan.parallel,
        setup=plan.setup,
    )
    done = 0
    with spoken(model.name), closing(said("core.llamacpp.speed", task)) as all_frames:
        for frame in all_frames:
            if isinstance(frame, Opened):
                kept.head(owner, key, frame)
            elif isinstance(frame, Round):
                kept.part(owner, key, done, frame)
                done += 1
            elif isinstance(frame, Finished):
                kept.end(owner, key, frame)
            notice(done, total)
    found = kept.get(owner, key)
    whole = _speed(found) if found is not None else None
    if whole is None:
        raise MeasureDied(model=model.name, detail="it said no end")
    return whole


def known(kept: Measurements, owner: str, model: Subject, plan: SpeedPlan = USUAL) -> Speed | None:
    """The speed where it has been measured to the end."""
    found = kept.get(owner, key_of(model, plan))
    return _speed(found) if found is not None else None


def forget(kept: Measurements, owner: str, model: Subject, plan: SpeedPlan = USUAL) -> None:
    """It will be measured anew."""
    kept.forget(owner, key_of(model, plan))


def key_of(model: Subject, plan: SpeedPlan) -> str:
    """What tells a measurement of speed from others."""
    return digest("speed", model.sha256, plan)


def rounds(plan: SpeedPlan) -> int:
    """Steps of such a measurement, warm-ups included."""
    return (plan.repeat + 1) * (bool(plan.prompt) + bool(plan.generate))


def rate(values: Sequence[float]) -> Rate | None:
    """Of the rounds that count; None of none."""
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return Rate(mean=statistics.fmean(values), deviation=deviation, repeats=len(values))


def _speed(found: KeptMeasurement) -> Speed | None:
    opened, finished = found.read(found.head, Opened), found.read(found.end, Finished)
    if opened is None or finished is None:
        return None
    kept = [one for part in found.parts if (one := found.read(part, Round)) is not None and one.number]
    return Speed(
        read=rate([one.rate for one in kept if one.test == "read"]),
        write=rate([one.rate for one in kept if one.test == "write"]),
        threads=opened.threads,
        load_s=opened.load_s,
        peak_bytes=finished.peak_bytes,
        others=finished.others,
        at=found.at,
    )
